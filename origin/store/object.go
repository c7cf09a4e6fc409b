package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// Errors of a store, beside fs.ErrNotExist for a name that holds nothing.
var (
	ErrName     = errors.New("not an object name")
	ErrTooLarge = errors.New("object is larger than allowed")
	ErrFull     = errors.New("store is full")
	ErrExists   = errors.New("object exists")
)

// Bounds of a name in bytes.
const (
	MaxName    = 1024
	MaxElement = 200
)

// CheckName tells whether name may name an object: relative, slash-separated,
// valid UTF-8 without control characters or backslash, no empty element and
// none that begins with a dot (so neither ".." nor hidden or unfinished files).
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %d bytes", ErrName, len(name))
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element[0] == '.' || len(element) > MaxElement {
			return fmt.Errorf("%w: element %q", ErrName, element)
		}
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c == 0x7f || c == '\\' {
			return fmt.Errorf("%w: byte 0x%02x", ErrName, c)
		}
	}
	return nil
}

// Object is one stored object, open for reading. It stays what it was when
// it was opened, also where the name is given other content meanwhile.
type Object struct {
	// Size is the length in bytes.
	Size int64
	// Modified is when the object was stored.
	Modified time.Time
	// ETag is a strong entity tag with its quotes (RFC 9110, section 8.8.3).
	ETag string

	data []byte
	file *os.File
}

// Bytes is the content where it lies in memory; it must not be changed.
func (o *Object) Bytes() ([]byte, bool) { return o.data, o.file == nil }

// Section reads n bytes from offset off on.
func (o *Object) Section(off, n int64) io.Reader {
	if o.file == nil {
		return bytes.NewReader(o.data[off : off+n])
	}
	return io.NewSectionReader(o.file, off, n)
}

// File gives the object as an open file whose next byte is at offset off, for
// who can send a file without copying it; nil where it lies in memory. It is
// the caller's to close, in place of the Object.
func (o *Object) File(off int64) (*os.File, error) {
	if o.file == nil {
		return nil, nil
	}
	if _, err := o.file.Seek(off, io.SeekStart); err != nil {
		return nil, fmt.Errorf("cannot seek in object: %w", err)
	}
	return o.file, nil
}

// ReadAll gives the whole content; it must not be changed.
func (o *Object) ReadAll() ([]byte, error) {
	if o.file == nil {
		return o.data, nil
	}
	data := make([]byte, o.Size)
	if _, err := io.ReadFull(o.Section(0, o.Size), data); err != nil {
		return nil, fmt.Errorf("cannot read object: %w", err)
	}
	return data, nil
}

// Close ends the reading.
func (o *Object) Close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// Condition is what must hold of a name for a write to happen.
type Condition uint8

// The conditions of a write: none, or that the name holds nothing yet (the
// If-None-Match: * of RFC 9110, section 13.1.2).
const (
	Always Condition = iota
	IfAbsent
)
