package file

import (
	"fmt"
	"io"
	"os"
)

// Read gives a regular file's content. most bounds it in bytes.
func Read(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	data := make([]byte, 0, info.Size()+1)
	for { // a file that grows meanwhile is read as far as it is allowed to
		n, err := io.ReadFull(f, data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) > most:
			return nil, fmt.Errorf("%s is larger than %d bytes", name, most)
		}
		data = append(data, make([]byte, 512)...)[:len(data)]
	}
}
