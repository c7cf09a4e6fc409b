package listen

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
)

// TestEveryExchangeEnds: however an HTTP/1.1 answer ends, what it needed is
// given back once, and while the client is still there.
func TestEveryExchangeEnds(t *testing.T) {
	t.Parallel() // it waits for lingering connections
	ctxs := make(chan context.Context, 8)
	cfg := localConfig(t)
	cfg.MaxRequestBody = 1 << 20
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		_ = ex.Context().Done() // from here on it tells its end, and is not used again
		ctxs <- ex.Context()
		ex.Status = 200
		switch ex.Path {
		case "/none":
			ex.Status = 304
		case "/large":
			ex.Body = append(ex.Body, make([]byte, 64<<10)...)
		case "/sized":
			ex.Stream, ex.StreamSize = strings.NewReader("streamed"), 8
		case "/stream":
			ex.Stream = strings.NewReader("streamed")
		case "/cut":
			ex.Stream = failing{}
		case "/read":
			_, _ = io.Copy(io.Discard, ex.RequestBody)
		case "/panic":
			panic("the handler is broken")
		}
	}))
	const v10, v11 = " HTTP/1.0\r\nHost: a\r\n", " HTTP/1.1\r\nHost: a\r\n"
	for _, requests := range [][]string{
		{"GET /" + v11 + "\r\n"},
		{"GET /" + v11 + "\r\n", "HEAD /large" + v11 + "\r\n", "GET /none" + v11 + "\r\n", "GET /large" + v11 + "\r\n", "GET /panic" + v11 + "\r\n"}, // pipelined
		{"GET /sized" + v11 + "\r\n", "HEAD /sized" + v11 + "\r\n", "GET /stream" + v11 + "\r\n", "HEAD /stream" + v11 + "\r\n", "GET /" + v11 + "\r\n"},
		{"GET /" + v11 + "Connection: close\r\n\r\n"},
		{"GET /cut" + v11 + "\r\n"},
		{"GET /" + v11 + "\r\n", "GET /stream" + v10 + "\r\n"}, // taken over, after one that is not flushed
		{"GET /cut" + v10 + "\r\n"},
		{"HEAD /stream" + v10 + "\r\n"},
		{"POST /" + v11 + "Content-Length: 1000000\r\n\r\nbegin"}, // lingers
		{"POST /stream" + v11 + "Content-Length: 1000000\r\n\r\nbegin"},
		{"POST /" + v11 + "Content-Length: 4\r\n\r\nread", "POST /read" + v11 + "Transfer-Encoding: chunked\r\n\r\n4\r\nread\r\n0\r\n\r\n", "GET /" + v11 + "\r\n"},
		{"POST /" + v11 + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nread"},
		{"GET /" + v11 + "\r\n", "nonsense\r\n\r\n"},
	} {
		c := rawTCP(t, addrOf(t, l, Plain))
		if _, err := io.WriteString(c, strings.Join(requests, "")); err != nil {
			t.Fatal(err)
		}
		for _, r := range requests {
			if strings.HasPrefix(r, "nonsense") {
				continue
			}
			ctx := within(t, ctxs, "the request "+r)
			within(t, ctx.Done(), "the end of "+r)
			if cause := context.Cause(ctx); cause != errAnswered {
				t.Errorf("%q ended by %v", r, cause)
			}
		}
		_ = c.Close()
	}
	waitFor(t, "all connections to be counted out", func() bool { return l.Stats().TCP == 0 })
}

// breaking panics where it is told to.
type breaking struct {
	reads, closes bool
	entered       chan struct{} // where not nil, Read says so and waits for Close
	closed        chan struct{}
}

func (b *breaking) Read([]byte) (int, error) {
	if b.reads {
		panic("the stream is broken")
	}
	if b.entered != nil {
		b.entered <- struct{}{}
		<-b.closed
	}
	return 0, io.EOF
}

func (b *breaking) Close() error {
	if b.closed != nil {
		close(b.closed)
	}
	if b.closes {
		panic("the stream cannot be closed")
	}
	return nil
}

// TestBrokenStreams: a stream that panics breaks its answer, not the process,
// on whichever goroutine that is, and is told of and counted.
func TestBrokenStreams(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{}, 1)
	var out logged
	cfg := localConfig(t)
	cfg.Logger = jsonLogger(&out)
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch ex.Path {
		case "/read":
			ex.Stream = &breaking{reads: true}
		case "/close":
			ex.Stream = &breaking{closes: true}
		case "/both":
			ex.Stream = &breaking{closes: true}
			panic("and the handler")
		case "/gone":
			ex.Stream = &breaking{closes: true, entered: entered, closed: make(chan struct{})}
			context.AfterFunc(ex.Context(), func() { left <- struct{}{} })
		}
	}))
	var want uint64
	panics := func(what string, n uint64) {
		t.Helper()
		want += n
		waitFor(t, "the panics of "+what, func() bool { return l.Stats().RecoveredHandlers == want })
	}
	for _, w := range ways(t, l) {
		if _, got, err := w.do(http.MethodGet, "/read", nil, nil); err == nil {
			t.Errorf("%s: %q taken for whole", w.name, got)
		}
		panics(w.name+" GET /read", 1)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if resp, _, err := w.do(method, "/close", nil, nil); err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: %s /close: %v, %v", w.name, method, resp, err)
			}
			panics(w.name+" "+method+" /close", 1)
		}
		if resp, _ := w.get(t, "/both"); resp.StatusCode != 500 {
			t.Errorf("%s: /both: %d", w.name, resp.StatusCode)
		}
		panics(w.name+" /both", 2)
		resp := open(t, w, "/gone")
		within(t, entered, "the stream to be read")
		_ = resp.Body.Close()
		within(t, left, "the client to be gone")
		panics(w.name+" /gone", 1)
	}
	for path, whole := range map[string]bool{"/read": false, "/close": true} {
		c := rawTCP(t, addrOf(t, l, Plain))
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.0\r\nHost: a\r\n\r\n")
		if got, err := io.ReadAll(c); (err == nil) != whole {
			t.Errorf("HTTP/1.0: %s: %q, %v", path, got, err)
		}
		panics("HTTP/1.0 "+path, 1)
	}
	var told int
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, `"msg":"stream panicked"`) && strings.Contains(line, "breaking") {
			told++
		}
	}
	if told != 4*5+2 {
		t.Errorf("%d broken streams in the log, want %d", told, 4*5+2)
	}
	shutdown(t, l, 10*time.Second) // nobody waits for what broke
}

// TestPipelined: answers that lie in one buffer until all are made are each
// made of their own bytes, however soon these are used again.
func TestPipelined(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		from := len(ex.Text)
		ex.Text = append(append(ex.Text, "made for "...), ex.Path...)
		ex.SetField("Made", ex.Piece(from))
		for len(ex.Body) < 3000*len(ex.RawQuery) {
			ex.Body = append(ex.Body, ex.Path...)
		}
	}))
	addr := addrOf(t, l, Plain)
	done := make(chan bool)
	for g := range 4 {
		go func() {
			defer func() { done <- true }()
			c := rawTCP(t, addr)
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			r := bufio.NewReader(c)
			for i := range 20 {
				var all strings.Builder
				sizes := slices.Repeat([]int{0, 1, 2, 0, 9, 1}, 3)
				for j, n := range sizes {
					all.WriteString("GET /" + itoa(g) + "/" + itoa(i) + "/" + itoa(j) + "?" + strings.Repeat("x", n) + " HTTP/1.1\r\nHost: a\r\n\r\n")
				}
				go func() { _, _ = io.WriteString(c, all.String()) }()
				for j, n := range sizes {
					path := "/" + itoa(g) + "/" + itoa(i) + "/" + itoa(j)
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						t.Errorf("%s: %v", path, err)
						return
					}
					body, err := io.ReadAll(resp.Body)
					whole := len(body) >= 3000*n && strings.ReplaceAll(string(body), path, "") == ""
					if err != nil || !whole || resp.Header.Get("Made") != "made for "+path {
						t.Errorf("%s: %v, %v, %d bytes %.40q", path, err, resp.Header, len(body), body)
						return
					}
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
}
