package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

type backend interface {
	Open(name string) (*Object, error)
	Put(ctx context.Context, name string, data []byte) error
	Write(ctx context.Context, name string, r io.Reader, limit int64, cond Condition) (bool, error)
	Delete(ctx context.Context, name string) error
}

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC) }

func openDirectory(t *testing.T) (*Directory, string) {
	t.Helper()
	path := t.TempDir()
	d, err := OpenDirectory(path, clock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, path
}

func backends(t *testing.T) map[string]backend {
	d, _ := openDirectory(t)
	d2, _ := openDirectory(t)
	return map[string]backend{
		"directory": d,
		"memory":    NewMemory(1<<20, clock),
		"tree":      NewTree(d2, NewMemory(1<<20, clock), []string{"live"}),
	}
}

func read(t *testing.T, b backend, name string) (string, *Object) {
	t.Helper()
	o, err := b.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	data, err := io.ReadAll(o.Section(0, o.Size))
	if err != nil {
		t.Fatal(err)
	}
	return string(data), o
}

func TestStoreReplaceDelete(t *testing.T) {
	ctx := context.Background()
	for kind, b := range backends(t) {
		for _, name := range []string{"a.m3u8", "live/news/v360/1.m4s", "vod/x/ü.vtt"} {
			if _, err := b.Open(name); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%s: open of nothing: %v", kind, err)
			}
			if err := b.Put(ctx, name, []byte("one")); err != nil {
				t.Fatal(err)
			}
			got, first := read(t, b, name)
			if got != "one" || first.Size != 3 || first.Modified.IsZero() {
				t.Errorf("%s: %q, %+v", kind, got, first)
			}
			created, err := b.Write(ctx, name, strings.NewReader("two!"), 4, Always)
			if err != nil || created {
				t.Errorf("%s: replace: created %v, %v", kind, created, err)
			}
			got, second := read(t, b, name)
			if got != "two!" || second.ETag == first.ETag || second.ETag[0] != '"' {
				t.Errorf("%s: %q, tag %s after %s", kind, got, second.ETag, first.ETag)
			}
			if _, err := b.Write(ctx, name, strings.NewReader("x"), 9, IfAbsent); !errors.Is(err, ErrExists) {
				t.Errorf("%s: IfAbsent over an object: %v", kind, err)
			}
			if err := b.Delete(ctx, name); err != nil {
				t.Error(err)
			}
			if err := b.Delete(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: second delete: %v", kind, err)
			}
			if created, err := b.Write(ctx, name, strings.NewReader("x"), 9, IfAbsent); err != nil || !created {
				t.Errorf("%s: IfAbsent: created %v, %v", kind, created, err)
			}
		}
	}
}

func TestRefusesNames(t *testing.T) {
	bad := []string{"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".incoming/x", "a/.hidden", "a\\b", "a\x00b", "a\nb",
		"\xff", strings.Repeat("a", 201), strings.Repeat("a/", 600) + "a"}
	for kind, b := range backends(t) {
		for _, name := range bad {
			if err := b.Put(context.Background(), name, []byte("x")); !errors.Is(err, ErrName) {
				t.Errorf("%s: put %q: %v", kind, name, err)
			}
			if _, err := b.Open(name); err == nil {
				t.Errorf("%s: open %q worked", kind, name)
			}
			if err := b.Delete(context.Background(), name); err == nil {
				t.Errorf("%s: delete %q worked", kind, name)
			}
		}
	}
}

func TestTooLargeLeavesNothing(t *testing.T) {
	d, path := openDirectory(t)
	for kind, b := range map[string]backend{"directory": d, "memory": NewMemory(1<<20, clock)} {
		if _, err := b.Write(context.Background(), "a", strings.NewReader("12345"), 4, Always); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := b.Open("a"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a part is visible: %v", kind, err)
		}
		failing := io.MultiReader(strings.NewReader("12"), errReader{})
		if _, err := b.Write(context.Background(), "a", failing, 40, Always); !errors.Is(err, errBroken) {
			t.Errorf("%s: broken source: %v", kind, err)
		}
		if _, err := b.Open("a"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a part is visible: %v", kind, err)
		}
	}
	left, err := os.ReadDir(filepath.Join(path, incoming))
	if err != nil || len(left) != 0 {
		t.Errorf("unfinished files left: %v, %v", left, err)
	}
}

var errBroken = errors.New("broken")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }

func TestMemoryBound(t *testing.T) {
	m := NewMemory(3*(perObject+11), clock)
	for _, name := range []string{"a", "b", "c"} {
		if err := m.Put(context.Background(), name, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Put(context.Background(), "d", nil); !errors.Is(err, ErrFull) || !IsFull(err) {
		t.Errorf("a full memory took more: %v", err)
	}
	if err := m.Put(context.Background(), "a", make([]byte, 10)); err != nil {
		t.Errorf("replacing in a full memory: %v", err)
	}
	if err := m.Delete(context.Background(), "b"); err != nil {
		t.Fatal(err)
	}
	if err := m.Put(context.Background(), "d", nil); err != nil {
		t.Errorf("after a delete: %v", err)
	}
	if bytes, n := m.Used(); n != 3 || bytes != 3*(perObject+1)+20 {
		t.Errorf("used %d bytes in %d objects", bytes, n)
	}
}

func TestDirectoryConfines(t *testing.T) {
	d, path := openDirectory(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "link.mp4")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(path, "dir")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(path, "pipe.mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(path, "folder.mp4"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link.mp4", "dir/secret", "pipe.mp4", "folder.mp4", "pipe.mp4/x"} {
		if o, err := d.Open(name); err == nil {
			t.Errorf("opened %s", name)
			_ = o.Close()
		}
	}
	if err := d.Put(context.Background(), "dir/secret", []byte("x")); err == nil {
		t.Error("wrote through a link that leads out")
	}
	if data, _ := os.ReadFile(outside); string(data) != "secret" {
		t.Errorf("the file outside is now %q", data)
	}
	if err := d.Delete(context.Background(), "folder.mp4"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted a folder: %v", err)
	}
}

// A reader sees one content or the other, whole, and the folder of the last
// object going away does not disturb a writer beside it.
func TestDirectoryConcurrent(t *testing.T) {
	d, _ := openDirectory(t)
	contents := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 50_000)}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 60 {
				if err := d.Put(context.Background(), "x/y/z.m4s", contents[(w+i)%2]); err != nil {
					t.Error(err)
				}
				if err := d.Delete(context.Background(), "x/y/z.m4s"); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			o, err := d.Open("x/y/z.m4s")
			if err != nil {
				continue
			}
			data, err := io.ReadAll(o.Section(0, o.Size))
			if err != nil || !bytes.Equal(data, contents[0]) && !bytes.Equal(data, contents[1]) {
				t.Errorf("read %d bytes of neither content, %v", len(data), err)
			}
			_ = o.Close()
		}
	})
	wg.Wait()
}

func TestDirectoryClearsWhatACrashLeft(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, incoming), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"old": 2 * time.Hour, "new": time.Minute} {
		file := filepath.Join(path, incoming, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, clock().Add(-age), clock().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDirectory(path, clock())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	left, _ := os.ReadDir(filepath.Join(path, incoming))
	if len(left) != 1 || left[0].Name() != "new" {
		t.Errorf("left: %v", left)
	}
}

func TestTreePlaces(t *testing.T) {
	d, path := openDirectory(t)
	m := NewMemory(1<<20, clock)
	tree := NewTree(d, m, []string{"live/"})
	for _, name := range []string{"live/a", "lively/a", "vod/a"} {
		if err := tree.Put(context.Background(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, n := m.Used(); n != 1 {
		t.Errorf("%d objects in memory, want live/a alone", n)
	}
	if _, err := os.Stat(filepath.Join(path, "lively", "a")); err != nil {
		t.Error(err)
	}
	only := NewTree(nil, m, nil)
	if err := only.Put(context.Background(), "vod/a", []byte("y")); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, only, "vod/a"); got != "y" {
		t.Errorf("memory-only tree gave %q", got)
	}
}

func TestIsFull(t *testing.T) {
	if !IsFull(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}) || IsFull(fs.ErrNotExist) {
		t.Error("IsFull mistakes a full disk")
	}
}
