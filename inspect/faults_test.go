package inspect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestFaults inspects manifests with faults and compares what is said of them.
// Each archive holds pairs: a manifest under the name of what it is about, and
// "problems".
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			in, want := archive.Files[i], &archive.Files[i+1]
			t.Run(filepath.Base(file)+"/"+in.Name, func(t *testing.T) {
				r := Inspect(&Source{Name: in.Name, Body: in.Data}, atNoon)
				if len(r.Problems) == 0 {
					t.Error("no problems")
				}
				for i := range r.Problems {
					if p := &r.Problems[i]; p.Clause == "" || p.Text == "" || p.Grade == 0 {
						t.Errorf("a problem is not whole: %+v", p)
					}
				}
				got := told(r)
				switch {
				case *update:
					want.Data = []byte(got)
				case got != string(want.Data):
					t.Errorf("got\n%s\nwant\n%s", got, want.Data)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// told is a report's problems, a line each.
func told(r *Report) string {
	var b strings.Builder
	for i := range r.Problems {
		p := &r.Problems[i]
		b.WriteString(p.String() + " [" + p.Clause + "]")
		if p.Cure != "" {
			b.WriteString(" (" + p.Cure + ")")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestEveryRuleIsShown asks for each clause in the code to be met by a fault of
// the archives: a rule without an example is a rule that nobody has seen work.
func TestEveryRuleIsShown(t *testing.T) {
	var shown []string
	files, _ := filepath.Glob("testdata/faults/*.txtar")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, rest, ok := strings.Cut(line, " ["); ok {
				clause, _, _ := strings.Cut(rest, "]")
				shown = append(shown, clause)
			}
		}
	}
	for name, tag := range hlsTags {
		if tag.clause != "" && len(tag.attrs) > 0 && name != "EXT-X-SKIP" && !slices.Contains(shown, "rfc8216bis "+tag.clause) {
			t.Errorf("no fault of %s (%s) is shown", name, tag.clause)
		}
	}
}
