package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Every configuration in the documentation is a good one: what it lacks is the
// files that it names.
func TestDocumentation(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range yamlBlock.FindAllSubmatchIndex(text, -1) {
			n++
			line := strings.Count(string(text[:m[2]]), "\n") + 1
			block := string(text[m[2]:m[3]])
			block = strings.ReplaceAll(block, "/etc/manifold/", "")
			_, err := Parse(filepath.Join(t.TempDir(), "manifold.yml"), []byte(block))
			var bad *Error
			if errors.As(err, &bad) {
				for _, p := range bad.Problems {
					if !strings.Contains(p.Text, "no such file") && p.Path != "listen.tls" {
						t.Errorf("%s:%d: %s\n%s", page, line+p.Line-1, p, block)
					}
				}
			} else if err != nil {
				t.Errorf("%s:%d: %v", page, line, err)
			}
		}
	}
	if n < 8 {
		t.Errorf("%d configurations were found", n)
	}
}
