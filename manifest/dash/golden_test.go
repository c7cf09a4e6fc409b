package dash

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"manifold/manifest"
)

var update = flag.Bool("update", false, "write the goldens of testdata/*.txtar anew")

// TestGolden renders the input of each testdata/*.txtar and compares. A
// section after the input is named "SHAPE PATH": the shape is one of shapes,
// the path is the MPD's own. An input "corpus NAME" is read from the corpus.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var tmpl *Template
			for i := range archive.Files {
				f := &archive.Files[i]
				name, arg, _ := strings.Cut(f.Name, " ")
				switch name {
				case "input":
					tmpl = compile(t, f.Data)
					continue
				case "corpus":
					src, err := os.ReadFile("testdata/corpus/" + arg + ".mpd")
					if err != nil {
						t.Fatal(err)
					}
					tmpl = compile(t, src)
					continue
				}
				shape := shapes[name]
				if shape == nil {
					t.Fatalf("no shape %q", name)
				}
				got := tmpl.Append(nil, &manifest.Plan{Shape: shape, Path: arg, Values: values})
				if !bytes.HasSuffix(got, []byte("\n")) {
					got = append(got, '\n') // all a txtar can hold
				}
				switch {
				case *update:
					f.Data = got
				case !bytes.Equal(got, f.Data):
					t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, f.Data)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
