package listen

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"manifold/exchange"
)

// TestDrain: everything in flight is answered on every protocol, also what is
// asked for on an open connection after draining began; idle connections are
// closed; nothing new is accepted.
func TestDrain(t *testing.T) {
	cfg := localConfig(t)
	cfg.DrainGrace = 300 * time.Millisecond
	arrived, release := make(chan struct{}, 16), make(chan struct{})
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch ex.Path {
		case "/wait":
			arrived <- struct{}{}
			<-release
			ex.Body = append(ex.Body, "waited"...)
		case "/stream":
			r, w := io.Pipe()
			go func() {
				<-release
				_, _ = io.WriteString(w, "streamed")
				_ = w.Close()
			}()
			arrived <- struct{}{}
			ex.Stream = r
		}
	}))
	all := ways(t, l)
	idle := rawTCP(t, addrOf(t, l, Plain))
	late := rawTCP(t, addrOf(t, l, Plain))
	lateReader := bufio.NewReader(late)
	for _, c := range []*net.TCPConn{idle, late} {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	if _, err := http.ReadResponse(lateReader, nil); err != nil {
		t.Fatal(err)
	}
	lateH2 := dialRawH2(t, addrOf(t, l, TLS))
	id, err := lateH2.headers(true, getRoot...)
	if err != nil {
		t.Fatal(err)
	}
	if a := lateH2.answer(id); a.status != 200 {
		t.Fatal(a)
	}

	var flight sync.WaitGroup
	for _, w := range all {
		for path, want := range map[string]string{"/wait": "waited", "/stream": "streamed"} {
			flight.Go(func() {
				resp, body, err := w.do("GET", path, nil, nil)
				if err != nil || resp.StatusCode != 200 || string(body) != want {
					t.Errorf("%s: %s: %v %q", w.name, path, err, body)
				}
			})
		}
	}
	for range 2 * len(all) {
		within(t, arrived, "a request")
	}
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- l.Shutdown(ctx)
	}()
	waitFor(t, "draining to begin", l.draining.Load)

	// A request that was on its way is answered, with the end announced.
	_, _ = io.WriteString(late, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	resp, err := http.ReadResponse(lateReader, nil)
	if err != nil || resp.StatusCode != 200 || !resp.Close {
		t.Errorf("late h1: %v %v", resp, err)
	}
	// So it is on HTTP/2, after the first GOAWAY.
	away := lateH2.goAway(t)
	if away.LastStreamID != 1<<31-1 || away.ErrCode != http2.ErrCodeNo {
		t.Errorf("first GOAWAY: %v", away)
	}
	if id, err = lateH2.headers(true, getRoot...); err != nil {
		t.Fatal(err)
	}
	if a := lateH2.answer(id); a.status != 200 {
		t.Errorf("late h2: %+v", a)
	}
	if away := lateH2.goAway(t); away.LastStreamID != id || away.ErrCode != http2.ErrCodeNo {
		t.Errorf("second GOAWAY: %v", away)
	}
	if _, err := io.Copy(io.Discard, idle); err != nil {
		t.Errorf("idle connection: %v", err)
	}
	if c, err := net.Dial("tcp", addrOf(t, l, Plain)); err == nil {
		c.Close()
		t.Error("a new connection was accepted while draining")
	}
	close(release)
	flight.Wait()
	if err := within(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if s := l.Stats(); s.TCP != 0 || s.QUIC != 0 {
		t.Errorf("after Shutdown: %+v", s)
	}
	if err := l.Start(); err == nil {
		t.Error("started again")
	}
}

// goAway reads up to the next GOAWAY.
func (h *rawH2) goAway(t *testing.T) *http2.GoAwayFrame {
	t.Helper()
	for {
		f, err := h.fr.ReadFrame()
		if err != nil {
			t.Fatalf("no GOAWAY: %v", err)
		}
		if g, ok := f.(*http2.GoAwayFrame); ok {
			return g
		}
	}
}

// TestDrainInTime: what does not end is cut off when the time is over.
func TestDrainInTime(t *testing.T) {
	arrived, over := make(chan struct{}, 4), make(chan struct{}, 4)
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		arrived <- struct{}{}
		<-ex.Context().Done()
		over <- struct{}{}
	}))
	var clients sync.WaitGroup
	for _, w := range ways(t, l) {
		clients.Go(func() { _, _, _ = w.do("GET", "/", nil, nil) })
	}
	for range 4 {
		within(t, arrived, "a request")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := l.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cannot drain in time") {
		t.Errorf("Shutdown: %v", err)
	}
	for range 4 {
		within(t, over, "a handler to be told")
	}
	clients.Wait()
}

// TestShutdownUnderLoad: clients that keep asking see no failure: h1 with
// keep-alive, h2 and h3 move to other connections before theirs end. A second
// listener on the same sockets stands for the next process.
func TestShutdownUnderLoad(t *testing.T) {
	cfg := localConfig(t)
	cfg.DrainGrace = 500 * time.Millisecond
	first := run(t, cfg, text200("first"))
	files, _, err := first.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	next := cfg
	next.Plain, next.TLS = nil, nil
	for _, f := range files {
		next.Inherited = append(next.Inherited, Socket{Name: f.Name(), File: f})
	}
	all := ways(t, first)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for _, w := range all {
		for range 3 {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					resp, body, err := w.do("GET", "/", nil, nil)
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("%s: %v %v", w.name, err, resp)
						return
					}
					mu.Lock()
					seen[w.name+" "+string(body)]++
					mu.Unlock()
				}
			})
		}
	}
	reached := func(who string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen["h1 "+who] > 50 && seen["h1-tls "+who] > 50 && seen["h2 "+who] > 50 && seen["h3 "+who] > 50
		}
	}
	waitFor(t, "requests to the first", reached("first"))
	second := run(t, next, text200("second"))
	if !slices.Equal(first.Addrs(), second.Addrs()) {
		t.Errorf("addresses %v and %v", first.Addrs(), second.Addrs())
	}
	shutdown(t, first, 20*time.Second)
	waitFor(t, "requests to the second", reached("second"))
	close(stop)
	clients.Wait()
}

func TestShutdownTwice(t *testing.T) {
	l := run(t, localConfig(t), text200("ok"))
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { shutdown(t, l, 10*time.Second) })
	}
	both.Wait()
	l.Close()
	never, err := New(localConfig(t), text200("ok"))
	if err != nil {
		t.Fatal(err)
	}
	shutdown(t, never, time.Second)
}

// TestCloseIsAbrupt: Close resets TCP connections and tells QUIC clients.
func TestCloseIsAbrupt(t *testing.T) {
	l := run(t, localConfig(t), text200("ok"))
	c := rawTCP(t, addrOf(t, l, Plain))
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	r := bufio.NewReader(c)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	} else if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	h3 := dialRawH3(t, addrOf(t, l, TLS))
	if a := h3.ask(getRoot...); a.status != 200 {
		t.Fatal(a)
	}
	l.Close()
	if _, err := r.ReadByte(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("TCP: %v, want a reset", err)
	}
	within(t, h3.c.Context().Done(), "CONNECTION_CLOSE")
	if _, err := net.Dial("tcp", addrOf(t, l, TLS)); err == nil {
		t.Error("still listening")
	}
}
