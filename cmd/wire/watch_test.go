package wire

import (
	"crypto/sha256"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	clock := time.Unix(1_700_000_000, 0)
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Second)
		if err := os.Chtimes(name, clock, clock); err != nil {
			t.Fatal(err)
		}
	}
	var w watcher
	looks := func(about string, want ...bool) {
		t.Helper()
		for i, x := range want {
			if got := w.changed(); got != x {
				t.Errorf("%s, look %d: %v", about, i+1, got)
			}
		}
	}
	put(a, "one")
	w.follow([]string{a, b}, sha256.Sum256([]byte("one")))
	looks("nothing happened", false, false)
	put(a, "two")
	looks("a file changed", false, true, false)
	put(a, "two")
	looks("it was written with the same contents", false, false)
	put(a, "thr")
	looks("it is being written", false)
	put(a, "three")
	looks("it is still being written", false, true, false)
	put(b, "new")
	looks("a file came", false, true, false)
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	looks("a file went", false, true, false)
	put(a, strings.Repeat("x", largeFile))
	looks("a file became large", false, true, false)
	put(a, strings.Repeat("x", largeFile))
	looks("a large file has another time", false, true, false)
	put(a, "one")
	w.follow([]string{a}, sha256.Sum256([]byte("zero")))
	looks("it changed between being read and being watched", true, false)
}

func TestLevel(t *testing.T) {
	var text strings.Builder
	log, level := leveled(NewLog(&text, "text"))
	log = log.With("a", 1).WithGroup("g")
	log.Debug("one")
	level.Set(slog.LevelDebug)
	log.Debug("two", "b", 2)
	level.Set(slog.LevelError)
	log.Warn("three")
	if got := text.String(); strings.Contains(got, "one") || !strings.Contains(got, "two a=1 g.b=2") || strings.Contains(got, "three") {
		t.Error(got)
	}
}
