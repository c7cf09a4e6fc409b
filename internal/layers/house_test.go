package layers

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const maxLines = 700

// leftOver finds notes to oneself; machinePath finds what is true on one
// machine only. Both are put together so that this file does not match.
var (
	leftOver    = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	machinePath = regexp.MustCompile(`(^|[^\w.~/-])/((home|tmp|Users|work|var/folders)/[\w.]|root/(\.|go/))`)
)

func TestFiles(t *testing.T) {
	for _, name := range files(t) {
		raw, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(raw, 0) >= 0 {
			continue // not text
		}
		for i, line := range strings.Split(string(raw), "\n") {
			if strings.HasSuffix(name, ".go") && leftOver.MatchString(line) {
				t.Errorf("%s:%d: a note left over: %s", name, i+1, strings.TrimSpace(line))
			}
			if !within(filepath.ToSlash(name), "testdata") && !strings.Contains(name, "/testdata/") && machinePath.MatchString(line) {
				t.Errorf("%s:%d: a path of one machine: %s", name, i+1, strings.TrimSpace(line))
			}
		}
		if n := bytes.Count(raw, []byte("\n")); strings.HasSuffix(name, ".go") && n > maxLines && !generated(raw) {
			t.Errorf("%s has %d lines, more than %d: give it two rooms", name, n, maxLines)
		}
	}
}

func TestMachinePath(t *testing.T) {
	for line, want := range map[string]bool{
		`cd "/` + `home/ann/src"`:             true,
		"see /" + "tmp/out.log":               true,
		"/" + "root/.cache/x":                 true,
		"https://cdn.example/work/video.m3u8": false,
		"proxy/work/x.go":                     false,
		"PrivateTmp=yes":                      false,
		`Path: "/root/a b/x.m3u8"`:            false,
	} {
		if got := machinePath.MatchString(line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

func generated(raw []byte) bool {
	head, _, _ := bytes.Cut(raw, []byte("\npackage "))
	return bytes.Contains(head, []byte("DO NOT EDIT"))
}

// files are the repository's own: what git knows or would take; in a tree
// without git, everything that .gitignore's folders do not hold.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root(t)
	if out, err := cmd.Output(); err == nil {
		var names []string
		for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if info, err := os.Lstat(filepath.Join(root(t), name)); err == nil && info.Mode().IsRegular() {
				names = append(names, name)
			}
		}
		return names
	}
	var names []string
	err := filepath.WalkDir(root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root(t), path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch filepath.ToSlash(name) {
			case ".git", "bin", "build", "node_modules", "assets/test", "assets/web":
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("internal/layers is not two folders below go.mod: %v", err)
	}
	return dir
}
