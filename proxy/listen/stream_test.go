package listen

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"manifold/exchange"
)

// TestStreamFlushesEachChunk: the client has a chunk before the next one is
// made.
func TestStreamFlushesEachChunk(t *testing.T) {
	var writer atomic.Pointer[io.PipeWriter]
	begun := make(chan struct{}, 1)
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		r, w := io.Pipe()
		writer.Store(w)
		ex.Status, ex.Stream = 200, r
		ex.SetField("Content-Type", "video/mp4")
		if ex.Path == "/sized" {
			ex.StreamSize = 12
		}
		begun <- struct{}{}
	}))
	for _, w := range ways(t, l) {
		for path, length := range map[string]int64{"/sized": 12, "/endless": -1} {
			resp := open(t, w, path) // the header comes before any content
			if resp.ContentLength != length || resp.StatusCode != 200 {
				t.Errorf("%s: %s: %d, length %d", w.name, path, resp.StatusCode, resp.ContentLength)
			}
			<-begun
			pw := writer.Load()
			for _, chunk := range []string{"one.", "two.", "end."} {
				if _, err := io.WriteString(pw, chunk); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 4)
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != chunk {
					t.Fatalf("%s: %s: %q, %v", w.name, path, got, err)
				}
			}
			_ = pw.Close()
			if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
				t.Errorf("%s: %s: at the end %q, %v", w.name, path, rest, err)
			}
			_ = resp.Body.Close()
		}
	}
}

func open(t *testing.T, w way, path string) *http.Response {
	t.Helper()
	resp, err := w.client.Get(w.base + path)
	if err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// TestStreamWhole: large streams arrive as they are, from memory and from a
// file, of known and unknown length, beside answers from Body.
func TestStreamWhole(t *testing.T) {
	content := make([]byte, 1<<20+123)
	_, _ = rand.Read(content)
	name := filepath.Join(t.TempDir(), "segment.m4s")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := make(chan string, 1)
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		size := int64(len(content))
		switch ex.Path {
		case "/file":
			f, err := os.Open(name)
			if err != nil {
				ex.Fail(500, err.Error())
				return
			}
			ex.Stream, ex.StreamSize = &closer{f, f.Close, closed}, size
			if ex.RawQuery == "bare" {
				ex.Stream = f
			}
		case "/memory":
			ex.Stream, ex.StreamSize = bytes.NewReader(content), size
		case "/unknown":
			ex.Stream = bytes.NewReader(content)
		case "/body":
			ex.Body = append(ex.Body, content...)
		case "/longer": // than announced: cut
			ex.Stream, ex.StreamSize = io.MultiReader(bytes.NewReader(content), strings.NewReader("more")), size
		}
	}))
	for _, w := range ways(t, l) {
		for _, path := range []string{"/file", "/file?bare", "/memory", "/unknown", "/body", "/longer", "/body"} {
			resp, got := w.get(t, path)
			if resp.StatusCode != 200 || !bytes.Equal(got, content) {
				t.Errorf("%s: %s: %d, %d bytes, want %d", w.name, path, resp.StatusCode, len(got), len(content))
			}
			if path == "/file" {
				within(t, closed, "the stream to be closed")
			}
		}
	}
}

type closer struct {
	io.Reader
	close  func() error
	closed chan string
}

func (c *closer) Close() error {
	c.closed <- "closed"
	return c.close()
}

// TestStreamCut: when the source fails, or ends early, the client can see
// that it did not get all.
func TestStreamCut(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.Stream = io.MultiReader(strings.NewReader("begin"), failing{})
		switch ex.Path {
		case "/sized":
			ex.StreamSize = 100
		case "/short":
			ex.Stream, ex.StreamSize = strings.NewReader("begin"), 100
		case "/short-file":
			f, err := os.Open(os.DevNull)
			if err != nil {
				ex.Fail(500, err.Error())
				return
			}
			ex.Stream, ex.StreamSize = f, 100
		}
	}))
	for _, w := range ways(t, l) {
		for _, path := range []string{"/unknown", "/sized", "/short", "/short-file"} {
			if _, got, err := w.do("GET", path, nil, nil); err == nil {
				t.Errorf("%s: %s: %q taken for whole", w.name, path, got)
			}
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the origin broke off") }

// TestClientGone: when the client leaves a waiting request, or a stream, the
// Exchange's context ends, the stream is closed, and the handler is not held.
func TestClientGone(t *testing.T) {
	waiting, streamed := make(chan struct{}, 1), make(chan string, 1)
	ended := make(chan error, 1)
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch ex.Path {
		case "/wait":
			waiting <- struct{}{}
			<-ex.Context().Done()
			ended <- context.Cause(ex.Context())
		case "/stream", "/sized":
			r, w := io.Pipe()
			go func() { _, _ = io.WriteString(w, "begin") }()
			ex.Stream = &closer{r, r.Close, streamed}
			if ex.Path == "/sized" {
				ex.StreamSize = 1 << 20
			}
		}
	}))
	for _, w := range ways(t, l) {
		t.Run(w.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			req, _ := http.NewRequestWithContext(ctx, "GET", w.base+"/wait", nil)
			go func() {
				within(t, waiting, "the request to wait")
				cancel()
			}()
			if resp, err := w.client.Do(req); err == nil {
				t.Error("answered", resp.Status)
			}
			if err := within(t, ended, "the context to end"); err == nil || errors.Is(err, errTooLong) {
				t.Errorf("ended by %v", err)
			}
			for _, path := range []string{"/stream", "/sized"} {
				resp := open(t, w, path)
				if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				within(t, streamed, "the stream to be closed")
			}
		})
	}
}

// TestRequestTimeout: a handler that waits too long is told so, and may still
// answer; a stream that it leaves is not bound by that time, whether or not the
// handler waited for anything.
func TestRequestTimeout(t *testing.T) {
	cfg := localConfig(t)
	cfg.RequestTimeout = 100 * time.Millisecond
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		if ex.Path != "/wait" {
			if ex.Path == "/stream" {
				_ = ex.Context().Done() // begins the deadline
			}
			r, w := io.Pipe()
			go func() {
				<-time.After(300 * time.Millisecond)
				_, _ = io.WriteString(w, "late")
				_ = w.Close()
			}()
			ex.Status, ex.Stream = 200, r
			return
		}
		<-ex.Context().Done()
		if errors.Is(context.Cause(ex.Context()), errTooLong) {
			ex.Fail(504, "the origin took too long")
		}
	}))
	for _, w := range ways(t, l) {
		if resp, _ := w.get(t, "/wait"); resp.StatusCode != 504 {
			t.Errorf("%s: %d", w.name, resp.StatusCode)
		}
		for _, path := range []string{"/stream", "/at-once"} {
			if resp, body := w.get(t, path); resp.StatusCode != 200 || string(body) != "late" {
				t.Errorf("%s: %s: %d %q", w.name, path, resp.StatusCode, body)
			}
		}
	}
}

// TestLongStream: WriteTimeout is for a chunk of a stream, not for all of it.
func TestLongStream(t *testing.T) {
	t.Parallel()
	cfg := localConfig(t)
	cfg.WriteTimeout = 2 * time.Second
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		r, w := io.Pipe()
		go func() {
			for range 16 {
				<-time.After(cfg.WriteTimeout / 8)
				_, _ = io.WriteString(w, ".")
			}
			_ = w.Close()
		}()
		ex.Status, ex.Stream = 200, r
	}))
	var asking sync.WaitGroup
	for _, w := range ways(t, l) {
		asking.Go(func() {
			if _, body, err := w.do(http.MethodGet, "/", nil, nil); err != nil || len(body) != 16 {
				t.Errorf("%s: %q, %v", w.name, body, err)
			}
		})
	}
	asking.Wait()
}

// TestHTTP10 gets streams of unknown length delimited by the end of the
// connection, and never chunks.
func TestHTTP10(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.SetField("Content-Type", "text/plain")
		ex.SetField("ETag", `"1"`)
		switch ex.Path {
		case "/stream":
			ex.Stream = strings.NewReader("streamed")
		case "/cut":
			ex.Stream = io.MultiReader(strings.NewReader("begin"), failing{})
		default:
			ex.Body = append(ex.Body, "whole"...)
		}
	}))
	send := func(method, path, fields string) (string, error) {
		c := rawTCP(t, addrOf(t, l, Plain))
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, method+" "+path+" HTTP/1.0\r\nHost: a\r\n"+fields+"\r\n")
		b, err := io.ReadAll(c)
		return string(b), err
	}
	ask := func(path, fields string) (string, error) { return send(http.MethodGet, path, fields) }
	for _, fields := range []string{"", "Connection: keep-alive\r\n"} {
		got, err := ask("/stream", fields)
		resp, rerr := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
		if err != nil || rerr != nil {
			t.Fatalf("%q: %v, %v", got, err, rerr)
		}
		body, _ := io.ReadAll(resp.Body)
		if string(body) != "streamed" || resp.ContentLength != -1 || resp.TransferEncoding != nil || !resp.Close || resp.Header.Get("Etag") != `"1"` || resp.Header.Get("Date") == "" {
			t.Errorf("with %q: %q", fields, got)
		}
		head, err := send(http.MethodHead, "/stream", fields)
		if err != nil || !strings.Contains(head, "\r\nConnection: close\r\n") || strings.Contains(head, "Transfer-Encoding") || !strings.HasSuffix(head, "\r\n\r\n") {
			t.Errorf("HEAD with %q: %q, %v", fields, head, err)
		}
	}
	if got, err := ask("/cut", ""); err == nil {
		t.Errorf("a cut stream ended as if whole: %q", got)
	}
	if got, err := ask("/", ""); err != nil || !strings.HasSuffix(got, "\r\n\r\nwhole") || !strings.Contains(got, "Content-Length: 5\r\n") {
		t.Errorf("%q, %v", got, err)
	}
	waitFor(t, "all connections to be counted out", func() bool { return l.Stats().TCP == 0 })
}

// TestGatePerAddress: the requests that may wait are bounded per address.
func TestGatePerAddress(t *testing.T) {
	cfg := localConfig(t)
	cfg.MaxWaitingPerAddress = 3
	entered := make(chan bool, 8)
	release := make(chan struct{})
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ok := ex.Gate().Enter()
		entered <- ok
		if !ok {
			ex.Fail(503, "too many requests wait")
			return
		}
		defer ex.Gate().Leave()
		<-release
		ex.Status = 200
	}))
	all := ways(t, l)
	answers := make(chan int, 8)
	ask := func(w way) {
		resp, _, err := w.do("GET", "/", nil, nil)
		if err != nil {
			t.Error(err)
			answers <- 0
			return
		}
		answers <- resp.StatusCode
	}
	for _, w := range all[1:] { // one way each: the bound is over all
		go ask(w)
		if !within(t, entered, "a request to enter") {
			t.Fatal("held back too early")
		}
	}
	if n := l.Stats().Active; n < 3 {
		t.Errorf("%d in flight while three wait", n)
	}
	if n := l.Stats().Waiting; n != 3 {
		t.Errorf("%d waiting", n)
	}
	go ask(all[0])
	if within(t, entered, "a request to be held back") || within(t, answers, "its answer") != 503 {
		t.Error("a fourth request waits")
	}
	close(release)
	var got []int
	for range 3 {
		got = append(got, within(t, answers, "an answer"))
	}
	if !slices.Equal(got, []int{200, 200, 200}) || l.Stats().Waiting != 0 {
		t.Errorf("%v, %d waiting", got, l.Stats().Waiting)
	}
}
