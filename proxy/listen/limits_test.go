package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"manifold/exchange"
)

// TestOversize: targets, headers and content over their limits, on every
// protocol. A library may refuse by ending the stream.
func TestOversize(t *testing.T) {
	cfg := localConfig(t)
	cfg.MaxRequestBody = 1000
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		if ex.RequestBody == nil {
			return
		}
		n, err := io.Copy(io.Discard, ex.RequestBody)
		if errors.Is(err, exchange.ErrTooLarge) {
			ex.Fail(413, "too large")
			return
		}
		ex.Body = fmt.Appendf(ex.Body, "%d", n)
	}))
	long := func(n int) string { return strings.Repeat("a", n) }
	many := http.Header{}
	for i := range 200 {
		many.Set(fmt.Sprintf("X-%d", i), "1")
	}
	unknown := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) } // no Content-Length
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		body               func() io.Reader
		status             int
		answer             string
	}{
		{name: "long target", method: "GET", path: "/" + long(8191), status: 200},
		{name: "target too long", method: "GET", path: "/" + long(8192), status: 414},
		{name: "target far too long", method: "GET", path: "/" + long(40<<10), status: 414},
		{name: "query too long", method: "GET", path: "/?" + long(8192), status: 414},
		{name: "large header", method: "GET", path: "/", header: http.Header{"X": {long(12 << 10)}}, status: 200},
		{name: "header too large", method: "GET", path: "/", header: http.Header{"X": {long(17 << 10)}}, status: 431},
		{name: "header far too large", method: "GET", path: "/", header: http.Header{"Cookie": {long(100 << 10)}}, status: 431},
		{name: "too many fields", method: "GET", path: "/", header: many, status: 431},
		{name: "content", method: "POST", path: "/", body: func() io.Reader { return strings.NewReader(long(1000)) }, status: 200, answer: "1000"},
		{name: "content too large", method: "POST", path: "/", body: func() io.Reader { return strings.NewReader(long(1001)) }, status: 413},
		{name: "content far too large", method: "POST", path: "/", body: func() io.Reader { return strings.NewReader(long(4 << 20)) }, status: 413},
		{name: "content of unknown size", method: "POST", path: "/", body: func() io.Reader { return unknown(long(1000)) }, status: 200, answer: "1000"},
		{name: "content of unknown size too large", method: "POST", path: "/", body: func() io.Reader { return unknown(long(1001)) }, status: 413},
		{name: "content of unknown size far too large", method: "POST", path: "/", body: func() io.Reader { return unknown(long(1 << 20)) }, status: 413},
	} {
		for _, w := range ways(t, l) {
			var body io.Reader
			if c.body != nil {
				body = c.body()
			}
			resp, got, err := w.do(c.method, c.path, body, c.header)
			switch {
			case err != nil && c.status >= 400 && w.want != exchange.HTTP1 && resp == nil:
				// Refused by the library: the client hit the limit that the
				// server announced, or the stream was reset.
				t.Logf("%s: %s: refused by the library", w.name, c.name)
			case err != nil && resp == nil:
				t.Errorf("%s: %s: %v", w.name, c.name, err)
			case w.want != exchange.HTTP1 && c.status == 414 && resp.StatusCode == 431:
				// The target is a header field there.
			case resp.StatusCode != c.status || c.answer != "" && string(got) != c.answer:
				t.Errorf("%s: %s: %d %.40q, want %d %q", w.name, c.name, resp.StatusCode, got, c.status, c.answer)
			}
			// The server goes on, on this connection or another.
			if resp, _ := w.get(t, "/after"); resp.StatusCode != 200 {
				t.Errorf("%s: after %s: %d", w.name, c.name, resp.StatusCode)
			}
		}
	}
}

func TestExpectContinue(t *testing.T) {
	cfg := localConfig(t)
	cfg.MaxRequestBody = 10
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		b, err := io.ReadAll(ex.RequestBody)
		ex.Status = 200
		ex.Body = fmt.Appendf(ex.Body, "%s %v", b, err)
	}))
	for _, w := range ways(t, l) {
		if tr, ok := w.client.Transport.(*http.Transport); ok {
			tr.ExpectContinueTimeout = 10 * time.Second
		}
		header := http.Header{"Expect": {"100-continue"}}
		resp, got, err := w.do("POST", "/", strings.NewReader("0123456789"), header)
		if err != nil || resp.StatusCode != 200 || string(got) != "0123456789 <nil>" {
			t.Errorf("%s: %v %v %q", w.name, err, resp, got)
		}
		resp, _, err = w.do("POST", "/", strings.NewReader("0123456789x"), header)
		if err != nil || resp.StatusCode != 413 {
			t.Errorf("%s: over the limit: %v %v", w.name, err, resp)
		}
	}
}

func TestConnectionsPerAddress(t *testing.T) {
	var out logged
	cfg := localConfig(t)
	cfg.MaxConnectionsPerAddress = 4
	cfg.Logger = jsonLogger(&out)
	l := run(t, cfg, text200("ok"))
	addr := addrOf(t, l, Plain)
	ask := func(c net.Conn) error {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1000))
		return err
	}
	var open []net.Conn
	for i := range 4 {
		c := rawTCP(t, addr)
		if err := ask(c); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		open = append(open, c)
	}
	more := func() error { // the reset may come before connect returns
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		return ask(c)
	}
	if err := more(); !isReset(err) {
		t.Errorf("the fifth connection was served (%v)", err)
	}
	if _, _, err := (way{base: "https://" + addrOf(t, l, TLS), client: h2Client(t)}).do("GET", "/", nil, nil); err == nil {
		t.Error("a fifth connection over TLS was served")
	}
	if _, _, err := (way{base: "https://" + addrOf(t, l, TLS), client: h3Client(t)}).do("GET", "/", nil, nil); err == nil {
		t.Error("a fifth connection over QUIC was served")
	}
	if s := l.Stats(); s.RefusedAddress < 3 || s.TCP != 4 || s.QUIC != 0 {
		t.Errorf("stats %+v", s)
	}
	if n := strings.Count(out.String(), "an address has too many connections"); n != 1 {
		t.Errorf("said %d times:\n%s", n, out.String())
	}
	// A place that becomes free is given away again.
	open[0].Close()
	waitFor(t, "a place", func() bool { return more() == nil })
}

func TestConnectionsInAll(t *testing.T) {
	cfg := localConfig(t)
	cfg.MaxConnections = 2
	l := run(t, cfg, text200("ok"))
	h3 := way{base: "https://" + addrOf(t, l, TLS), client: h3Client(t)}
	if resp, _ := h3.get(t, "/"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	h1 := way{base: "http://" + addrOf(t, l, Plain), client: h1Client(t, false)}
	if resp, _ := h1.get(t, "/"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	if _, _, err := (way{base: "http://" + addrOf(t, l, Plain), client: h1Client(t, false)}).do("GET", "/", nil, nil); err == nil {
		t.Error("a third connection was served")
	}
	if s := l.Stats(); s.TCP != 1 || s.QUIC != 1 || s.RefusedLimit != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestAddressKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":               "192.0.2.7/32",
		"::ffff:192.0.2.7":        "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"fe80::1%eth0":            "fe80::/64",
		"2001:db8:1:2:ffff::dead": "2001:db8:1:2::/64",
	} {
		if got := addressKey(mustAddr(t, addr)).String(); got != want {
			t.Errorf("addressKey(%s) = %s, want %s", addr, got, want)
		}
	}
}

// TestSlow: clients that keep us waiting lose their connection; others are
// served meanwhile.
func TestSlow(t *testing.T) {
	cfg := localConfig(t)
	cfg.HeaderTimeout = 300 * time.Millisecond
	cfg.BodyTimeout = 300 * time.Millisecond
	cfg.HandshakeTimeout = 300 * time.Millisecond
	cfg.WriteTimeout = 500 * time.Millisecond
	cfg.RequestTimeout = 500 * time.Millisecond
	cfg.IdleTimeout = 700 * time.Millisecond
	big := strings.Repeat("x", 16<<20)
	bodyErr := make(chan error, 4)
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch {
		case ex.RequestBody != nil:
			_, err := io.Copy(io.Discard, ex.RequestBody)
			bodyErr <- err
		case ex.Path == "/big":
			ex.Stream = strings.NewReader(big)
		case ex.Path == "/body":
			ex.Body = append(ex.Body, big[:1<<20]...)
		}
	}))
	plain, secure := addrOf(t, l, Plain), addrOf(t, l, TLS)
	drip := func(c io.Writer, s string) {
		for i := range len(s) {
			if _, err := io.WriteString(c, s[i:i+1]); err != nil {
				return
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	endless := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name string
		do   func() net.Conn
	}{
		{"silent", func() net.Conn { return rawTCP(t, plain) }},
		{"silent TLS", func() net.Conn { return rawTCP(t, secure) }},
		{"header drips", func() net.Conn {
			c := rawTCP(t, plain)
			go drip(c, "GET / HTTP/1.1\r\nHost: a\r\nX: "+endless)
			return c
		}},
		{"second header drips", func() net.Conn {
			c := rawTCP(t, plain)
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			go drip(c, "GET / HTTP/1.1\r\nHost: a\r\nX: "+endless)
			return c
		}},
		{"idle", func() net.Conn {
			c := rawTCP(t, plain)
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			return c
		}},
		{"content drips", func() net.Conn {
			c := rawTCP(t, plain)
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
			go drip(c, endless)
			return c
		}},
		{"chunks drip", func() net.Conn {
			c := rawTCP(t, plain)
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
			go drip(c, strings.Repeat("1\r\nx\r\n", 1000))
			return c
		}},
		{"HTTP/2 without preface", func() net.Conn { return rawTLS(t, secure, "h2") }},
		{"HTTP/2 idle", func() net.Conn { return dialRawH2(t, secure).c }},
		{"HTTP/2 header block drips", func() net.Conn {
			h := dialRawH2(t, secure)
			go drip(h.c, "\x00\xff\x00\x01\x04\x00\x00\x00\x01"+endless)
			return h.c
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := c.do()
			_ = conn.SetReadDeadline(time.Now().Add(14 * time.Second))
			if _, err := io.Copy(io.Discard, conn); err != nil && !isGone(err) {
				t.Errorf("still open: %v", err)
			}
		})
	}
	t.Run("content on h2 and h3 stalls", func(t *testing.T) {
		t.Parallel()
		for _, w := range ways(t, l)[2:] {
			r, pw := io.Pipe()
			go func() { _, _ = io.WriteString(pw, "begin") }()
			_, _, _ = w.do("POST", "/", r, nil)
			_ = pw.Close()
		}
	})
	t.Run("reads nothing", func(t *testing.T) {
		t.Parallel()
		c := rawTCP(t, plain)
		_ = c.SetReadBuffer(4 << 10)
		_, _ = io.WriteString(c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
		waitFor(t, "the connection", func() bool { return has(l, c.LocalAddr()) })
		waitFor(t, "it to be given up", func() bool { return !has(l, c.LocalAddr()) })
	})
	t.Run("h2 reads nothing", func(t *testing.T) {
		t.Parallel()
		h := dialRawH2(t, secure)
		_ = h.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
		_ = h.fr.WriteWindowUpdate(0, 1<<30)
		if _, err := h.headers(true, getRoot[0], getRoot[1], getRoot[2], [2]string{":path", "/big"}); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the connection", func() bool { return has(l, h.c.LocalAddr()) })
		waitFor(t, "it to be given up", func() bool { return !has(l, h.c.LocalAddr()) })
	})
	for _, path := range []string{"/big", "/body"} {
		get := [][2]string{getRoot[0], getRoot[1], getRoot[2], {":path", path}}
		t.Run("h2 opens no window"+path, func(t *testing.T) {
			t.Parallel()
			h := dialRawH2(t, secure)
			id, err := h.headers(true, get...)
			if err != nil {
				t.Fatal(err)
			}
			if a := h.answer(id); a.err == nil || !strings.Contains(a.err.Error(), "stream reset") {
				t.Errorf("%d, %d bytes, %v; want a reset", a.status, len(a.body), a.err)
			}
		})
		t.Run("h3 opens no window"+path, func(t *testing.T) {
			t.Parallel()
			h := dialRawH3(t, secure)
			s, err := h.c.OpenStreamSync(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(h3Headers(get...)); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			waitFor(t, "a request to arrive", func() bool { return l.active.n.Load() > 0 })
			waitFor(t, "it to be given up", func() bool { return l.active.n.Load() == 0 })
		})
	}
	t.Run("bystander", func(t *testing.T) {
		t.Parallel()
		ways := ways(t, l)
		for range 20 {
			for _, w := range ways {
				if resp, _ := w.get(t, "/"); resp.StatusCode != 200 {
					t.Errorf("%s: %v", w.name, resp.Status)
				}
			}
		}
	})
	t.Run("content", func(t *testing.T) {
		t.Parallel()
		for range 3 { // the fourth is given up before the handler sees it
			if err := within(t, bodyErr, "an end to content that does not come"); err == nil {
				t.Error("read to its end")
			}
		}
	})
}

// TestContentNeedNotArrive: content that is refused, or that no handler reads,
// is not waited for; what stops on its way is told so.
func TestContentNeedNotArrive(t *testing.T) {
	cfg := localConfig(t)
	cfg.MaxRequestBody = 1000
	patient, hasty := cfg, cfg
	patient.BodyTimeout, hasty.BodyTimeout = time.Hour, 100*time.Millisecond
	unread := text200("ok")
	for _, c := range []struct {
		name   string
		cfg    Config
		size   int
		sent   string
		status int
	}{
		{"too large, begun", patient, 1 << 30, "x", 413},
		{"too large, not begun", hasty, 1 << 30, "", 408},
		{"begun, of no interest", patient, 1000, "x", 200},
		{"not begun", hasty, 1000, "", 408},
	} {
		conn := rawTCP(t, addrOf(t, run(t, c.cfg, unread), Plain))
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", c.size, c.sent)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v %v, want %d", c.name, resp, err, c.status)
		}
	}
}
