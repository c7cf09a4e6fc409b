package layers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fence    = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// fileRef is a file of this repository named in running text, perhaps with
	// a symbol or line behind it: proxy/serve.go, proxy/serve.go:Serve.
	fileRef = regexp.MustCompile(`^((?:[\w.-]+/)+[\w.-]+\.(?:go|md|yml|txt|json|html|js))(?::([A-Za-z_]\w*|\d+))?$`)
)

// Every relative link in README and docs/ leads to a file, and to a heading
// where it names one.
func TestLinks(t *testing.T) {
	for _, name := range markdown(t) {
		text := fence.ReplaceAllString(read(t, name), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if problem := follow(t, name, m[1]); problem != "" {
				t.Errorf("%s: link %s: %s", name, m[1], problem)
			}
		}
	}
}

func follow(t *testing.T, from, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = filepath.Join(filepath.Dir(from), file)
	}
	if _, err := os.Stat(filepath.Join(root(t), to)); err != nil {
		return "no such file"
	}
	if anchor == "" || !strings.HasSuffix(to, ".md") {
		return ""
	}
	for _, m := range heading.FindAllStringSubmatch(read(t, to), -1) {
		if slug(m[1]) == anchor {
			return ""
		}
	}
	return "no such heading in " + to
}

// slug is a heading's anchor as code hosts make it.
func slug(heading string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			out.WriteByte('-')
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			out.WriteRune(r)
		}
	}
	return out.String()
}

// The walk through a request names files and functions; each must be there.
func TestRequestWalk(t *testing.T) {
	const name = "docs/request.md"
	if _, err := os.Stat(filepath.Join(root(t), name)); err != nil {
		t.Fatalf("%s is missing: it leads a newcomer through one request, file by file", name)
	}
	n := 0
	for _, m := range codeSpan.FindAllStringSubmatch(fence.ReplaceAllString(read(t, name), ""), -1) {
		ref := fileRef.FindStringSubmatch(m[1])
		if ref == nil {
			continue
		}
		n++
		raw, err := os.ReadFile(filepath.Join(root(t), ref[1]))
		if err != nil {
			t.Errorf("%s names %s: no such file", name, ref[1])
			continue
		}
		if ref[2] != "" && unicode.IsLetter(rune(ref[2][0])) && !strings.Contains(string(raw), ref[2]) {
			t.Errorf("%s names %s: the file does not mention %s", name, m[1], ref[2])
		}
	}
	if n == 0 {
		t.Errorf("%s names no file: it should lead through them", name)
	}
}

// markdown is README and its like at the top, and everything below docs/.
func markdown(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range files(t) {
		name = filepath.ToSlash(name)
		if strings.HasSuffix(name, ".md") && (!strings.Contains(name, "/") || strings.HasPrefix(name, "docs/")) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		t.Fatal("no documentation found")
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
