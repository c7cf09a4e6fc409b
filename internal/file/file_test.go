package file

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	for path, text := range map[string]string{"some": "some text", "empty": "", "most": "0123456789", "more": "0123456789a"} {
		if err := os.WriteFile(name(path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(name("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, text, err string }{
		{name("some"), "some text", ""},
		{name("empty"), "", ""},
		{name("most"), "0123456789", ""},
		{name("more"), "", "more is larger than 10 bytes"},
		{name("pipe"), "", "pipe is not a regular file"},
		{name("absent"), "", "no such file"},
		{dir, "", "is not a regular file"},
		{"/dev/zero", "", "/dev/zero is not a regular file"},
	} {
		got, err := Read(c.path, 10)
		if string(got) != c.text || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.path, got, err)
		}
	}
	// What says that it is empty, as files of /proc do, is read all the same.
	if got, err := Read("/proc/self/status", 1<<20); err != nil || len(got) < 100 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := Read("/proc/self/status", 100); err == nil {
		t.Error("the bound does not hold for a file that says it is empty")
	}
}
