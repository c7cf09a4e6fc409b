package listen

import (
	"fmt"
	"strings"
	"testing"

	"manifold/exchange"
)

// hostileTargets are sent as they are, in the request line of HTTP/1.1 and as
// :path of HTTP/2 and HTTP/3.
var hostileTargets = []struct {
	target string
	path   string // what the handler must see, or "" for a refusal
}{
	{"/..", ""}, {"/../", ""}, {"/../etc/passwd", ""}, {"/a/../b", ""}, {"/a/..", ""}, {"/./a", ""}, {"/a/.", ""},
	{"/%2e%2e/a", ""}, {"/%2E%2E/a", ""}, {"/.%2e/a", ""}, {"/%2e./a", ""}, {"/a/%2e%2e", ""}, {"/%2e", ""},
	{"/%252e%252e/a", "/%2e%2e/a"}, {"/%25252e", "/%252e"}, {"/a%252fb", "/a%2fb"}, {"/%255c", "/%5c"},
	{"/..;/a", ""}, {"/..;x=1/a", ""}, {"/.;/a", ""}, {"/..%3b/a", ""}, {"/a;/b", "/a;/b"}, {"/..a/b", "/..a/b"}, {"/.../b", "/.../b"},
	{"//", ""}, {"//a", ""}, {"/a//b", ""}, {"//evil.example/a", ""}, {"///a", ""}, {"/a//", ""},
	{"/a%2fb", ""}, {"/a%2Fb", ""}, {"/%2f", ""}, {"/..%2fa", ""}, {"/a%5cb", ""}, {"/..%5Ca", ""},
	{"/a\\b", ""}, {"/..\\a", ""}, {"\\a", ""}, {"/\\evil.example", ""},
	{"/a%00b", ""}, {"/a%00.m3u8", ""}, {"/a%0a", ""}, {"/a%0d%0aX:y", ""}, {"/a%09b", ""}, {"/a%7fb", ""}, {"/a%1f", ""},
	{"/%", ""}, {"/%a", ""}, {"/%zz", ""}, {"/%u002e", ""}, {"/a%2", ""}, {"/%%32%65", ""},
	{"/%c0%ae%c0%ae/a", ""}, {"/%c0%af", ""}, {"/%e0%80%af", ""}, {"/%ff", ""}, {"/%f8%80%80%80%ae", ""},
	{"/a#b", ""}, {"/a?b#c", ""}, {"/#", ""},
	{"a", ""}, {"..", ""}, {"?a", ""}, {"./a", ""}, {"%2fa", ""}, {"*", ""}, {"/*", "/*"},
	{"/a?../../b", "/a"}, {"/a?//b\\c", "/a"}, {"/a?%2e%2e%2f", "/a"}, {"/a?%00", "/a"}, {"/a??", "/a"},
	{"/caf%c3%a9", "/café"}, {"/caf%C3%A9", "/café"}, {"/a%20b", "/a b"}, {"/a+b", "/a+b"}, {"/a%2Bb", "/a+b"},
	{"/%7euser", "/~user"}, {"/~c2Vzc2lvbg/%7e/x", "/~c2Vzc2lvbg/~/x"}, {"/a%3fb", "/a?b"}, {"/a%23b", "/a#b"}, {"/a:b@c", "/a:b@c"},
	{"/http://evil.example/", ""}, {"/a/http:/b", "/a/http:/b"}, {"/" + strings.Repeat("../", 50), ""},
	{"/" + strings.Repeat("a", 8191), "/" + strings.Repeat("a", 8191)}, {"/" + strings.Repeat("a", 8192), ""},
	{"/" + strings.Repeat("%61", 2730), "/" + strings.Repeat("a", 2730)},
}

// TestHostileTargets: what reaches the handler has the same path and query on
// every protocol; what must not reach it never does.
func TestHostileTargets(t *testing.T) {
	if len(hostileTargets) < 60 {
		t.Fatalf("only %d targets", len(hostileTargets))
	}
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.Body = fmt.Appendf(ex.Body[:0], "%s %q", ex.Path, ex.RawQuery)
	}))
	plain, secure := addrOf(t, l, Plain), addrOf(t, l, TLS)
	h2 := dialRawH2(t, secure)
	h3 := dialRawH3(t, secure)
	byLibrary := 0
	for _, c := range hostileTargets {
		answers := map[string]answered{}
		all := rawH1(t, plain, "GET "+c.target+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if len(all) != 1 {
			t.Fatalf("%q: %d answers on h1", c.target, len(all))
		}
		answers["h1"] = all[0]
		fields := [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", c.target}}
		id, err := h2.headers(true, fields...)
		if err != nil {
			t.Fatal(err)
		}
		answers["h2"] = h2.answer(id)
		answers["h3"] = h3.ask(fields...)

		_, query, _ := strings.Cut(c.target, "?")
		want := fmt.Sprintf("%s %q", c.path, query)
		for proto, a := range answers {
			switch {
			case a.err != nil:
				byLibrary++ // the stream was reset: a refusal, also of what we would let pass
			case c.path == "" && a.status < 400:
				t.Errorf("%s: %.60q reached the handler as %.60s", proto, c.target, a.body)
			case c.path != "" && (a.status != 200 || a.body != want):
				t.Errorf("%s: %.60q gave %d %.60s, want %.60s", proto, c.target, a.status, a.body, want)
			}
		}
	}
	t.Logf("%d targets; %d refused by a protocol library", len(hostileTargets), byLibrary)
	if h2.c.ConnectionState().NegotiatedProtocol != "h2" || h3.c.Context().Err() != nil {
		t.Error("a hostile target ended the connection of the others")
	}
}

// TestHostileContentLength: HTTP/2 and HTTP/3 frame content themselves; a length
// that says something else is refused there as on HTTP/1.1.
func TestHostileContentLength(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) { ex.Status = 200 }))
	secure := addrOf(t, l, TLS)
	h2 := dialRawH2(t, secure)
	h3 := dialRawH3(t, secure)
	for _, c := range []struct {
		declared []string
		ok       bool
	}{
		{nil, true}, {[]string{"0"}, true},
		{[]string{"0", "5"}, false}, {[]string{"-1"}, false}, {[]string{"+0"}, false}, {[]string{"0x0"}, false},
		{[]string{"x"}, false}, {[]string{"0, 0"}, false}, {[]string{"99999999999999999999"}, false},
	} {
		fields := [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/a"}}
		for _, v := range c.declared {
			fields = append(fields, [2]string{"content-length", v})
		}
		id, err := h2.headers(true, fields...)
		if err != nil {
			t.Fatal(err)
		}
		for proto, a := range map[string]answered{"h2": h2.answer(id), "h3": h3.ask(fields...)} {
			if got := a.err == nil && a.status == 200; got != c.ok {
				t.Errorf("%s: Content-Length %q: status %d, error %v", proto, c.declared, a.status, a.err)
			}
		}
	}
	// Only HTTP/2 knows at once that nothing follows.
	id, err := h2.headers(true, [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/a"}, {"content-length", "5"}}...)
	if err != nil {
		t.Fatal(err)
	}
	if a := h2.answer(id); a.err == nil && a.status != 400 {
		t.Errorf("h2: five bytes were declared and none came: status %d", a.status)
	}
}
