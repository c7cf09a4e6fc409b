package exchange

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		target, path, query string
		err                 error
	}{
		{"/", "/", "", nil},
		{"/news/master.m3u8", "/news/master.m3u8", "", nil},
		{"/news/", "/news/", "", nil},
		{"/a?b=c&d=%2e%2e", "/a", "b=c&d=%2e%2e", nil},
		{"/a?", "/a", "", nil},
		{"/a??b", "/a", "?b", nil},
		{"/a?b/../c//d\\", "/a", "b/../c//d\\", nil},
		{"/%61%62", "/ab", "", nil},
		{"/%7Euser/~s", "/~user/~s", "", nil},
		{"/a%20b", "/a b", "", nil},
		{"/a%3Fb", "/a?b", "", nil},
		{"/a%23b", "/a#b", "", nil},
		{"/a%25b", "/a%b", "", nil},
		{"/%252e%252e/x", "/%2e%2e/x", "", nil},
		{"/%252fx", "/%2fx", "", nil},
		{"/caf%C3%A9", "/café", "", nil},
		{"/café", "/café", "", nil},
		{"/a;b=c/d", "/a;b=c/d", "", nil},
		{"/...", "/...", "", nil},
		{"/.well-known/x", "/.well-known/x", "", nil},
		{"/..a/.b", "/..a/.b", "", nil},
		{"/a:b@c", "/a:b@c", "", nil},
		{"/" + strings.Repeat("a", MaxTarget-1), "/" + strings.Repeat("a", MaxTarget-1), "", nil},

		{"", "", "", ErrTarget},
		{"*", "", "", ErrTarget},
		{"a", "", "", ErrTarget},
		{"?a", "", "", ErrTarget},
		{"http://h/", "", "", ErrTarget},
		{"\\a", "", "", ErrTarget},
		{"%2fa", "", "", ErrTarget},
		{"/%", "", "", ErrEscape},
		{"/%4", "", "", ErrEscape},
		{"/%4g", "", "", ErrEscape},
		{"/%zz", "", "", ErrEscape},
		{"/%?a", "", "", ErrEscape},
		{"/%u002e", "", "", ErrEscape},
		{"/a%2fb", "", "", ErrEncodedSlash},
		{"/a%2Fb", "", "", ErrEncodedSlash},
		{"/a%5cb", "", "", ErrEncodedSlash},
		{"/a\\b", "", "", ErrBackslash},
		{"/..\\b", "", "", ErrBackslash},
		{"/a\x00", "", "", ErrControl},
		{"/a%00", "", "", ErrControl},
		{"/a%0d%0aSet-Cookie:x", "", "", ErrControl},
		{"/a b", "", "", ErrControl},
		{"/a\tb", "", "", ErrControl},
		{"/a%7f", "", "", ErrControl},
		{"/a\x7f", "", "", ErrControl},
		{"/.", "", "", ErrDotSegment},
		{"/..", "", "", ErrDotSegment},
		{"/a/../b", "", "", ErrDotSegment},
		{"/a/./b", "", "", ErrDotSegment},
		{"/a/..", "", "", ErrDotSegment},
		{"/%2e", "", "", ErrDotSegment},
		{"/%2e%2e/a", "", "", ErrDotSegment},
		{"/.%2e/a", "", "", ErrDotSegment},
		{"/%2E./a", "", "", ErrDotSegment},
		{"/..?a", "", "", ErrDotSegment},
		{"/..;/a", "", "", ErrDotSegment},
		{"/..;x=y/a", "", "", ErrDotSegment},
		{"/..%3b/a", "", "", ErrDotSegment},
		{"/.;/a", "", "", ErrDotSegment},
		{"/%2e%2e;a", "", "", ErrDotSegment},
		{"//", "", "", ErrEmptySegment},
		{"//a", "", "", ErrEmptySegment},
		{"/a//b", "", "", ErrEmptySegment},
		{"/a//", "", "", ErrEmptySegment},
		{"//evil.example/a", "", "", ErrEmptySegment},
		{"/a#b", "", "", ErrFragment},
		{"/a?b#c", "", "", ErrFragment},
		{"/a?b c", "", "", ErrControl},
		{"/a?b\nc", "", "", ErrControl},
		{"/%c0%ae%c0%ae/a", "", "", ErrEncoding},
		{"/%c0%af", "", "", ErrEncoding},
		{"/%e0%80%ae", "", "", ErrEncoding},
		{"/%ff", "", "", ErrEncoding},
		{"/\xc0\xae", "", "", ErrEncoding},
		{"/%ed%a0%80", "", "", ErrEncoding},
		{"/" + strings.Repeat("a", MaxTarget), "", "", ErrTooLarge},
	} {
		prefix := []byte("kept")
		got, query, err := Canonical(prefix, c.target)
		if !errors.Is(err, c.err) {
			t.Errorf("Canonical(%.40q): error %v, want %v", c.target, err, c.err)
			continue
		}
		if want := "kept" + c.path; string(got) != want || query != c.query {
			t.Errorf("Canonical(%.40q) = %.40q, %q, want %.40q, %q", c.target, got, query, want, c.query)
		}
	}
}

func TestAppendEscaped(t *testing.T) {
	for path, want := range map[string]string{
		"/":                "/",
		"/a b":             "/a%20b",
		"/a%b":             "/a%25b",
		"/%2e%2e/x":        "/%252e%252e/x",
		"/café":            "/caf%C3%A9",
		"/a?b#c":           "/a%3Fb%23c",
		"/-._~!$&'()*+,;=": "/-._~!$&'()*+,;=",
		"/[x]\"<>^`{|}":    "/%5Bx%5D%22%3C%3E%5E%60%7B%7C%7D",
	} {
		if got := string(AppendEscaped(nil, path)); got != want {
			t.Errorf("AppendEscaped(%q) = %q, want %q", path, got, want)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	const target = "/news/~AQd5bHVrc2tqaGFzZGZramFoc2RmLWtqaGFzZGZranNhZGZoa2phc2hkZmtqYXNkZmhrX2phc2RmaGtqYXNkZmhrag/alpha/v720/index.m3u8?CMCD=bl%3D21300%2Csid%3D%226e2fb550-c457-11e9-bb97-0800200c9a66%22"
	var buf []byte
	for b.Loop() {
		var err error
		if buf, _, err = Canonical(buf[:0], target); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzCanonical: whatever the target, the result is inside the root, has one
// reading, travels as text that means the same, and canonicalising that text
// gives it again.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{
		"/", "/a/b.m3u8?x=y", "/%2e%2e/x", "/%252e", "/a%2fb", "/a//b", "/..;/x", "/caf%C3%A9",
		"/%c0%ae", "/a%25", "/a%", "*", "http://h/a", "/a\\..\\b", "/a#b", "/\x00", "/a b",
		"/~c2Vzc2lvbg/alpha/live/v1.m3u8?_HLS_msn=3&_HLS_part=1", "/a;b/./c", "/a?b#c", "//h/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		b, query, err := Canonical(nil, target)
		if err != nil {
			if len(b) != 0 || query != "" {
				t.Fatalf("Canonical(%q) failed and gave %q, %q", target, b, query)
			}
			return
		}
		path := string(b)
		if path == "" || path[0] != '/' {
			t.Fatalf("Canonical(%q) = %q: outside the root", target, path)
		}
		segments := strings.Split(path[1:], "/")
		for i, s := range segments {
			if name, _, _ := strings.Cut(s, ";"); name == "." || name == ".." {
				t.Fatalf("Canonical(%q) = %q: dot segment", target, path)
			}
			if s == "" && i != len(segments)-1 {
				t.Fatalf("Canonical(%q) = %q: empty segment", target, path)
			}
		}
		if strings.ContainsAny(path, "\x00\r\n\\") || strings.ContainsAny(query, "\x00\r\n #") {
			t.Fatalf("Canonical(%q) = %q, %q: forbidden byte", target, path, query)
		}
		if len(path) > len(target) {
			t.Fatalf("Canonical(%q) grew to %q", target, path)
		}
		if n := plainPath(target); n >= 0 {
			// The careful reading, which an escape leads to, says the same.
			careful, _, err := Canonical(nil, strings.Replace(target[:n], target[n-1:n], fmt.Sprintf("%%%02x", target[n-1]), 1))
			if target[n-1] != '/' && (err != nil || string(careful) != path) {
				t.Fatalf("Canonical(%q) = %q, read carefully %q, %v", target, path, careful, err)
			}
		}
		escaped := string(AppendEscaped(nil, path))
		if len(escaped) > MaxTarget {
			return // legal only as sent, raw bytes beyond ASCII take three when escaped
		}
		again, none, err := Canonical(nil, escaped)
		if err != nil || string(again) != path || none != "" {
			t.Fatalf("Canonical(AppendEscaped(%q)) = %q, %q, %v", path, again, none, err)
		}
		if twice := string(AppendEscaped(nil, string(again))); twice != escaped {
			t.Fatalf("AppendEscaped(%q): %q, then %q", path, escaped, twice)
		}
	})
}
