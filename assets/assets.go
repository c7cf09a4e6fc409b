package assets

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed web
var web embed.FS

//go:embed files.txt
var list []byte

// FS holds the files as PACKAGE/FILE, for example "hls.js/hls.min.js".
func FS() fs.FS {
	sub, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // "web" is a constant and a valid path
	}
	return sub
}

// Ready is nil when every file that a page needs was there when the binary was
// built; else an error that names the first missing one and the remedy.
func Ready() error {
	return ready(FS())
}

func ready(fsys fs.FS) error {
	for _, name := range names("web") {
		if _, err := fs.Stat(fsys, name); err != nil {
			return fmt.Errorf("cannot serve %s: this binary was built without its browser files; run `make build` in the source tree", name)
		}
	}
	return nil
}

// names lists the files of one group of files.txt as PACKAGE/FILE.
func names(group string) []string {
	var out []string
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) == 3 && field[0] == group {
			out = append(out, path.Join(field[1], path.Base(field[2])))
		}
	}
	return out
}
