package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"manifold"
)

// FuzzParse: no panic, and an answer in time; what is taken can be shown and
// is then the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(manifold.Defaults))
	f.Add([]byte(withExamples()))
	names, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{"", "a", "&a *a", "<<: *a", "{", "- - -", "? a\n: b", "a: |\n b\n", "\xef\xbb\xbfa: 1", "a:\r\n  b: 1\r\n", "channels: [{<<: [], name: &n a, origin: *n}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		ld := &Loader{LookupEnv: func(string) (string, bool) { return key32, true }, Random: zeros{}}
		began := time.Now()
		file, d, bad := read(data)
		if bad == nil && len(d.found) == 0 {
			var b writer
			if err := file.Write(&b); err != nil {
				t.Fatal(err)
			}
			again, d, bad := read(b)
			if bad != nil || len(d.found) > 0 || len(changes(file, again)) > 0 {
				t.Errorf("what is shown is not read back: %v %v\n%s", bad, d, b)
			}
		}
		if _, err := ld.Parse("", data, TranscoderPart|OriginPart); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d bytes took %s", len(data), took)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type writer []byte

func (w *writer) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }
