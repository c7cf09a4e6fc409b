package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"manifold/proxy/access"
)

var _ access.KeySource = Source{}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newSource(t testing.TB, env map[string]string) Source {
	return Source{Dir: t.TempDir(), LookupEnv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}}
}

func TestSource(t *testing.T) {
	e := newECTexts(t)
	s := newSource(t, map[string]string{"RAW": "a key", "HEX": "00ff", "EMPTY": "", "EC": e.jwkPrivate, "SET": `{"keys":[{"kty":"oct","kid":"a","k":"AAEC"},{"kty":"oct","kid":"b","k":"AAED"}]}`, "BIG": strings.Repeat("x", maxSize+1)})
	write(t, filepath.Join(s.Dir, "k#1"), "-_8=\n")
	write(t, filepath.Join(s.Dir, "big"), strings.Repeat("x", maxSize+1))
	if err := syscall.Mkfifo(filepath.Join(s.Dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	abs := filepath.Join(s.Dir, "k#1")
	for ref, want := range map[string]string{
		"env:RAW": "a key", "env:RAW#raw": "a key", "env:HEX#hex": "\x00\xff",
		"file:k#1#base64url": "\xfb\xff", "file:" + abs + "#base64url": "\xfb\xff",
	} {
		if got, err := s.Secret(ref); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
	for ref, want := range map[string]string{
		"hunter2-hunter2":  "cannot load key: it is not a reference",
		"https://x/key":    "cannot load key: it is not a reference",
		"":                 "cannot load key: it is not a reference",
		"env:":             `cannot load key: nothing stands after "env:"`,
		"file:#hex":        `cannot load key: nothing stands after "file:"`,
		"env:RAW#der":      "cannot load key: unknown key format",
		"file:k#1":         "cannot load key: unknown key format",
		"env:NONE":         "cannot load key: the environment variable NONE is not set",
		"env:EMPTY":        "cannot load key from env:EMPTY: it is empty",
		"env:BIG":          "cannot load key: the environment variable BIG is larger than 65536 bytes",
		"env:RAW#hex":      "cannot load key from env:RAW: it is not hexadecimal",
		"env:EC":           "cannot use key: it is an EC key where a secret is needed",
		"env:SET":          "cannot use key set: it has 2 keys where one is needed",
		"file:none":        "cannot load key: stat ",
		"file:big":         "cannot load key: " + filepath.Join(s.Dir, "big") + " is larger",
		"file:pipe":        "cannot load key: " + filepath.Join(s.Dir, "pipe") + " is not a regular file",
		"file:" + s.Dir:    "cannot load key: " + s.Dir + " is not a regular file",
		"file:none#base64": "cannot load key: unknown key format",
	} {
		_, err := s.Secret(ref)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", ref, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Error("the error shows the key")
		}
		if bad := strings.Contains(want, "reference") || strings.Contains(want, "format") || strings.Contains(want, "nothing"); (CheckRef(ref) != nil) != bad {
			t.Errorf("CheckRef(%s): %v", ref, CheckRef(ref))
		}
	}
	if k, err := s.PrivateKey("env:EC"); err != nil || k == nil {
		t.Error(err)
	}
	if k, err := s.PublicKey("env:EC"); err != nil || k == nil {
		t.Error(err)
	}
	if _, err := s.PublicKey("env:RAW"); err == nil || err.Error() != "cannot use key: it is a secret where an EC public key is needed" {
		t.Error(err)
	}
	if _, err := s.PrivateKey("env:RAW"); err == nil || err.Error() != "cannot use key: it is not an EC private key" {
		t.Error(err)
	}
	if got, err := s.Secrets("env:RAW", "env:HEX#hex"); err != nil || len(got) != 2 || string(got[1]) != "\x00\xff" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Secrets("env:RAW", "env:NONE"); err == nil {
		t.Error("a missing key was passed over")
	}
	t.Setenv("MANIFOLD_KEY_OF_A_TEST", "from the process")
	if got, err := (Source{}).Secret("env:MANIFOLD_KEY_OF_A_TEST"); err != nil || string(got) != "from the process" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRing(t *testing.T) {
	s := newSource(t, map[string]string{"OLD": "old key", "SET": `{"keys":[{"kty":"oct","kid":"a","k":"AAEC"},{"kty":"oct","kid":"b","k":"AAED"}]}`})
	path := filepath.Join(s.Dir, "new")
	write(t, path, "new key")
	r, err := NewRing(s, Entry{ID: "n", Key: "file:new"}, Entry{Key: "env:OLD"}, Entry{Key: "env:SET"})
	if err != nil {
		t.Fatal(err)
	}
	check := func(want ...string) {
		t.Helper()
		var got []string
		for _, k := range r.All() {
			got = append(got, k.ID+"="+string(k.Secret))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	rest := []string{"2=old key", "a=\x00\x01\x02", "b=\x00\x01\x03"}
	check(append([]string{"n=new key"}, rest...)...)
	if k, ok := r.Get("b"); !ok || k.ID != "b" {
		t.Error("b is not there")
	}
	if _, ok := r.Get("c"); ok {
		t.Error("c is there")
	}
	if secrets, err := r.Secrets(); err != nil || len(secrets) != 4 || string(secrets[0]) != "new key" || r.Primary().ID != "n" {
		t.Errorf("%q, %v", secrets, err)
	}

	if changed, err := r.Reload(); changed || err != nil {
		t.Errorf("nothing has changed, but: %v, %v", changed, err)
	}
	write(t, path, "newer key")
	if changed, err := r.Reload(); !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
	check(append([]string{"n=newer key"}, rest...)...)
	write(t, path, "")
	if changed, err := r.Reload(); changed || err == nil || !strings.HasPrefix(err.Error(), "key 1: cannot load key from file:new: it is empty") {
		t.Errorf("%v, %v", changed, err)
	}
	check(append([]string{"n=newer key"}, rest...)...)
}

func TestRingRefuses(t *testing.T) {
	e := newECTexts(t)
	s := newSource(t, map[string]string{"A": "a", "B": "b", "EC": e.public, "SET": `{"keys":[{"kty":"oct","kid":"a","k":"AAEC"},{"kty":"oct","k":"AAED"}]}`})
	for want, entries := range map[string][]Entry{
		"cannot load keys: there is none in the list":                            nil,
		`key 2: the id "x" is taken by another key`:                              {{"x", "env:A"}, {"x", "env:B"}},
		`key 2: the id "2" is taken by another key`:                              {{"2", "env:A"}, {"", "env:B"}},
		`key 1: cannot name a set of 2 keys "x": leave the id out`:               {{"x", "env:SET"}},
		"key 2: cannot load key: the environment variable C is not set":          {{"", "env:A"}, {"", "env:C"}},
		`cannot use key "1": it is an EC key where a secret is needed (Secrets)`: {{"", "env:EC"}},
	} {
		r, err := NewRing(s, entries...)
		if err == nil {
			if _, err = r.Secrets(); err != nil {
				err = errors.New(err.Error() + " (Secrets)")
			}
		}
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRingWhileUsed(t *testing.T) {
	s := newSource(t, nil)
	path := filepath.Join(s.Dir, "k")
	write(t, path, "one")
	r, err := NewRing(s, Entry{ID: "k", Key: "file:k"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if k := string(r.Primary().Secret); k != "one" && k != "two" {
					t.Errorf("the primary key is %q", k)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				if _, err := r.Reload(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := filepath.Join(s.Dir, "next")
	write(t, next, "two")
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func TestEnsure(t *testing.T) {
	dir := t.TempDir()
	secret, pair := filepath.Join(dir, "s"), filepath.Join(dir, "e")
	for range 2 {
		if err := EnsureSecret(secret, 32, rand.Reader); err != nil {
			t.Fatal(err)
		}
		if err := EnsureES256(pair, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	s := Source{}
	first, err := s.Secret("file:" + secret + "#base64url")
	if err != nil || len(first) != 32 {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	private, err := s.PrivateKey("file:" + pair)
	if err != nil {
		t.Fatal(err)
	}
	public, err := s.PublicKey("file:" + pair + ".pub")
	if err != nil || !private.PublicKey.Equal(public) {
		t.Fatalf("the halves do not belong together: %v", err)
	}
	// The public half comes back, from the same private one.
	if err := os.Remove(pair + ".pub"); err != nil {
		t.Fatal(err)
	}
	if err := EnsureES256(pair, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if again, err := s.PublicKey("file:" + pair + ".pub"); err != nil || !again.Equal(public) {
		t.Errorf("another public half: %v", err)
	}
	for path, want := range map[string]os.FileMode{secret: 0o600, pair: 0o600, pair + ".pub": 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".key-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEnsureFails(t *testing.T) {
	dir := t.TempDir()
	if err := EnsureSecret(filepath.Join(dir, "s"), 32, bytes.NewReader(nil)); err == nil {
		t.Error("a key without randomness")
	}
	if err := EnsureES256(filepath.Join(dir, "e"), strings.NewReader(strings.Repeat("\xff", 64*32))); err == nil {
		t.Error("a key of the number that is none")
	}
	if err := EnsureSecret(filepath.Join(dir, "none", "s"), 32, rand.Reader); err == nil {
		t.Error("a key in no directory")
	}
	left, _ := os.ReadDir(dir)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	write(t, filepath.Join(dir, "e"), "no key")
	if err := EnsureES256(filepath.Join(dir, "e"), rand.Reader); err == nil || !strings.Contains(err.Error(), "it holds no PEM block") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestOneWins: of many that make the same key at one time, all get the same.
func TestOneWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := EnsureES256(path, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	private, err := (Source{}).PrivateKey("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	public, err := (Source{}).PublicKey("file:" + path + ".pub")
	if err != nil || !public.Equal(&private.PublicKey) {
		t.Errorf("the halves do not belong together: %v", err)
	}
}
