package listen

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"manifold/exchange"
)

// echo answers with what the Exchange holds, so that a test can compare it
// over the protocols.
func echo(ex *exchange.Exchange) {
	b := ex.Body[:0]
	b = fmt.Appendf(b, "method %s\nhost %s\ntarget %s\npath %q\nquery %q\n", ex.Method, hostOnly(ex.Host), ex.Target, ex.Path, ex.RawQuery)
	b = fmt.Appendf(b, "priority %+v early %v remote %v\n", ex.Priority, ex.EarlyData, ex.Remote.Addr())
	for _, name := range []string{"X-One", "x-two", "USER-AGENT", "Cookie", "X-Missing", "Host", "Te", "Connection", "Content-Type", "Content-Length"} {
		b = fmt.Appendf(b, "get %s %q\n", name, ex.Header.Get(name))
	}
	var all []string
	ex.Header.Each(func(name, value string) bool {
		all = append(all, strings.ToLower(name)+": "+value)
		return true
	})
	slices.SortStableFunc(all, func(a, b string) int { return strings.Compare(a[:strings.Index(a, ":")], b[:strings.Index(b, ":")]) })
	b = fmt.Appendf(b, "all %q\n", all)
	if ex.RequestBody != nil {
		content, err := io.ReadAll(ex.RequestBody)
		b = fmt.Appendf(b, "content %q %v\n", content, err)
	} else {
		b = append(b, "content none\n"...)
	}
	ex.Status = 200
	ex.SetField("Content-Type", "text/plain")
	ex.SetField("ETag", `"one"`)
	ex.SetField("X-Protocol", fmt.Sprintf("%v %v %q", ex.Protocol, ex.TLS, ex.ALPN))
	ex.AddField("Link", "</a>; rel=preload")
	ex.AddField("Link", "</b>; rel=preload")
	ex.SetField("Connection", "X-Nobody") // not the handler's to say
	ex.SetField("Transfer-Encoding", "chunked")
	ex.SetField("Content-Length", "1")
	ex.Body = b
}

func hostOnly(h string) string { // ports differ between the ways
	host, _, _ := strings.Cut(h, ":")
	return host
}

func TestSameExchangeOverAllProtocols(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(echo))
	long := strings.Repeat("x", 40<<10)
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
	}{
		{name: "plain", method: "GET", path: "/news/master.m3u8"},
		{name: "query", method: "GET", path: "/a?b=c&d=%2F..%2f&e"},
		{name: "empty query", method: "GET", path: "/a?"},
		{name: "escapes", method: "GET", path: "/a%20b/caf%C3%A9/%252e%252e/~x;y=z"},
		{name: "fields", method: "GET", path: "/", header: http.Header{
			"X-One": {"1", "2"}, "X-Two": {"padded"}, "Cookie": {"a=b; c=d"}, "Priority": {"u=1, i"}, "Te": {"trailers"},
		}},
		{name: "priority", method: "GET", path: "/", header: http.Header{"Priority": {"u=7"}}},
		{name: "bad priority", method: "GET", path: "/", header: http.Header{"Priority": {"u=9, ,"}}},
		{name: "early", method: "GET", path: "/", header: http.Header{"Early-Data": {"1"}}},
		{name: "post", method: "POST", path: "/cmcd", body: "some content", header: http.Header{"Content-Type": {"application/cmcd"}}},
		{name: "put", method: "PUT", path: "/x", body: long},
		{name: "empty post", method: "POST", path: "/x"},
		{name: "delete", method: "DELETE", path: "/x"},
		{name: "options", method: "OPTIONS", path: "/x"},
		{name: "unknown method", method: "PROPFIND", path: "/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first string
			for _, w := range ways(t, l) {
				header := c.header.Clone()
				if header == nil {
					header = http.Header{}
				}
				header.Set("User-Agent", "player/1")
				var body io.Reader
				if c.body != "" {
					body = strings.NewReader(c.body)
				}
				resp, got, err := w.do(c.method, c.path, body, header)
				if err != nil {
					t.Fatalf("%s: %v", w.name, err)
				}
				checkAnswer(t, w, resp)
				text := string(got)
				if first == "" {
					first = text
					if !strings.Contains(text, "remote 127.0.0.1\n") || !strings.Contains(text, `get Host ""`) || !strings.Contains(text, `get Te ""`) {
						t.Fatalf("%s: %s", w.name, text)
					}
					t.Log(text)
				} else if text != first {
					t.Errorf("%s gave\n%sand %s\n%s", "h1", first, w.name, text)
				}
				if resp.ContentLength != int64(len(got)) {
					t.Errorf("%s: Content-Length %d of %d bytes", w.name, resp.ContentLength, len(got))
				}
			}
		})
	}
}

func checkAnswer(t *testing.T, w way, resp *http.Response) {
	t.Helper()
	h := resp.Header
	alpn := map[string]string{"h1-tls": "http/1.1", "h2": "h2", "h3": "h3"}[w.name]
	if resp.StatusCode != 200 || h.Get("X-Protocol") != fmt.Sprintf("%v %v %q", w.want, w.tls, alpn) {
		t.Fatalf("%s: status %d, protocol %q", w.name, resp.StatusCode, h.Get("X-Protocol"))
	}
	if h.Get("Etag") != `"one"` || !slices.Equal(h["Link"], []string{"</a>; rel=preload", "</b>; rel=preload"}) || h.Get("Content-Type") != "text/plain" {
		t.Errorf("%s: fields %v", w.name, h)
	}
	if len(h["Date"]) != 1 || h.Get("Server") != "" || h.Get("Connection") != "" || h.Get("Transfer-Encoding") != "" {
		t.Errorf("%s: fields %v", w.name, h)
	}
	alt := h.Get("Alt-Svc")
	switch {
	case w.want == exchange.HTTP3 || !w.tls:
		if alt != "" {
			t.Errorf("%s: Alt-Svc %q", w.name, alt)
		}
	default:
		port := netip.MustParseAddrPort(strings.TrimPrefix(w.base, "https://")).Port()
		if want := fmt.Sprintf(`h3=":%d"; ma=86400`, port); alt != want {
			t.Errorf("%s: Alt-Svc %q, want %q", w.name, alt, want)
		}
	}
}

func TestHead(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.SetField("Content-Type", "text/plain")
		switch ex.Path {
		case "/body":
			ex.Body = append(ex.Body, "0123456789"...)
		case "/said":
			ex.SetField("Content-Length", "4711")
		case "/stream":
			ex.Stream, ex.StreamSize = strings.NewReader(strings.Repeat("x", 50)), 50
		case "/endless":
			ex.Stream = strings.NewReader("x")
		case "/none":
			ex.Status = 304
			ex.SetField("ETag", `"1"`)
			ex.Body = append(ex.Body, "must not be sent"...)
		}
	}))
	for _, w := range ways(t, l) {
		for path, length := range map[string]int64{"/body": 10, "/said": 4711, "/stream": 50, "/endless": -1} {
			resp, body, err := w.do(http.MethodHead, path, nil, nil)
			if err != nil || resp.StatusCode != 200 || len(body) != 0 || resp.ContentLength != length || resp.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s: HEAD %s: %v, length %d, body %q, want length %d", w.name, path, err, resp.ContentLength, body, length)
			}
			// The connection is still in step.
			if resp, body := w.get(t, "/body"); resp.StatusCode != 200 || string(body) != "0123456789" {
				t.Errorf("%s: after HEAD %s: %d %q", w.name, path, resp.StatusCode, body)
			}
		}
		for _, method := range []string{"GET", "HEAD"} {
			resp, body, err := w.do(method, "/none", nil, nil)
			if err != nil || resp.StatusCode != 304 || len(body) != 0 || resp.Header.Get("Etag") != `"1"` {
				t.Errorf("%s: %s /none: %v %v %q", w.name, method, err, resp.StatusCode, body)
			}
		}
	}
}

func TestBrokenHandlers(t *testing.T) {
	var out logged
	cfg := localConfig(t)
	cfg.Logger = jsonLogger(&out)
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		switch ex.Path {
		case "/panic":
			ex.SetField("Content-Encoding", "gzip")
			panic("something private")
		case "/split":
			ex.Status = 302
			ex.SetField("Location", "/x\r\nSet-Cookie: stolen=1")
		case "/status":
			ex.Status = 42
		case "/nothing":
		}
	}))
	for _, w := range ways(t, l) {
		for _, path := range []string{"/panic", "/split", "/status", "/nothing"} {
			resp, body := w.get(t, path+"?token=secret")
			if resp.StatusCode != 500 || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Content-Encoding") != "" || strings.Contains(string(body), "private") {
				t.Errorf("%s: %s: %d %v %q", w.name, path, resp.StatusCode, resp.Header, body)
			}
		}
	}
	log := out.String()
	if !strings.Contains(log, "handler panicked") || !strings.Contains(log, "forbidden byte") || strings.Contains(log, "secret") {
		t.Errorf("log:\n%s", log)
	}
	if n := l.Stats().Active; n != 0 { // of those that panicked neither
		t.Errorf("%d requests are in flight", n)
	}
	if n := l.Stats().RecoveredHandlers; n != 4 {
		t.Errorf("%d panics counted, want 4", n)
	}
}
