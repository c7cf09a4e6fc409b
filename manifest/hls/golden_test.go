package hls

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
// the path is the playlist's own.
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
				if f.Name == "input" {
					if tmpl, err = Compile(f.Data); err != nil {
						t.Fatal(err)
					}
					continue
				}
				name, path, _ := strings.Cut(f.Name, " ")
				shape := shapes[name]
				if shape == nil {
					t.Fatalf("no shape %q", name)
				}
				got := tmpl.Append(nil, &manifest.Plan{Shape: shape, Path: path, Values: values})
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
