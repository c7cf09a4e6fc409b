package inspect

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// noon is the time in all goldens.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// corpora are the manifests of manifest/hls and manifest/dash, by the golden
// archive that holds their reports.
var corpora = map[string]string{
	"hls.txtar":  "../manifest/hls/testdata/corpus/*.m3u8",
	"dash.txtar": "../manifest/dash/testdata/corpus/*.mpd",
}

// TestCorpora compares the reports of the corpora with the goldens. A manifest
// that was added to a corpus since gets its golden with -update.
func TestCorpora(t *testing.T) {
	for name, pattern := range corpora {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name)
			want := make(map[string][]byte)
			archive := &txtar.Archive{Comment: []byte("The reports of a corpus, made by go test ./inspect -update.\n\n")}
			if !*update {
				var err error
				if archive, err = txtar.ParseFile(golden); err != nil {
					t.Fatal(err)
				}
				for _, f := range archive.Files {
					want[f.Name] = f.Data
				}
			}
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) < 60 {
				t.Fatalf("%d manifests: %v", len(files), err)
			}
			for _, file := range files {
				name := filepath.Base(file)
				got := report(t, file)
				if *update {
					archive.Files = append(archive.Files, txtar.File{Name: name, Data: got})
				} else if w, ok := want[name]; ok && !bytes.Equal(got, w) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, w)
				}
			}
			if *update {
				if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// report inspects a file and checks what every page must be.
func report(t *testing.T, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := Inspect(&Source{Name: filepath.Base(file), Body: body}, atNoon)
	var page bytes.Buffer
	if err := r.WriteText(&page, false); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(page.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > pageWidth {
			t.Errorf("%s: line %d of the page has %d columns: %s", file, i+1, n, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%s: line %d of the page ends in blanks", file, i+1)
		}
	}
	return page.Bytes()
}
