package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// inFlight is how many requests of each protocol are under way when the edge
// is told to stop: half of them wait for a manifest, half are in the middle of
// a segment.
const inFlight = 60

// stopping is an edge under load with requests in flight over all protocols.
type stopping struct {
	t       *testing.T
	edge    *edge
	quick   []string      // manifests that are at hand
	release chan struct{} // closed, the origin goes on
	flight  sync.WaitGroup
	bad     complaints
	whole   atomic.Int64
}

// startStopping starts an edge and the requests that will be in flight.
func startStopping(t *testing.T) *stopping {
	s := &stopping{t: t, release: make(chan struct{})}
	o := startSource(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		slow := strings.HasPrefix(r.URL.Path, "/slow/")
		wait := func() {
			if !slow {
				return
			}
			select {
			case <-s.release:
			case <-r.Context().Done():
			}
		}
		switch path.Ext(r.URL.Path) {
		case ".m4s":
			w.Header().Set("Content-Length", fmt.Sprint(2*len(half)))
			_, _ = io.WriteString(w, half)
			_ = http.NewResponseController(w).Flush()
			wait()
			_, _ = io.WriteString(w, half)
		case ".mpd":
			wait()
			_, _ = io.WriteString(w, mpd("m", 6, false))
		default:
			if path.Base(r.URL.Path) == "master.m3u8" {
				_, _ = io.WriteString(w, master)
			} else {
				_, _ = io.WriteString(w, playlist(1, 6, false))
			}
		}
	})
	e := startEdge(t, fmt.Sprintf(`
shield: {allow_private: 127.0.0.0/8}
channels:
  - name: news
    segments: proxy
    pathways: ["https://cdn.example"]
    origin: {urls: {url: "%s/"}, deadlines: {first_byte: 1m, idle: 1m, manifest: 1m}}
`, o.url))
	s.edge = e
	media := e.enter("/news/quick/master.m3u8", "quick")
	s.quick = []string{"/news/quick/master.m3u8?device=hlsjs", media, sibling(media, "seg-1.m4s"), "/news/quick/manifest.mpd?device=dashjs"}
	slow := strings.Replace(media, "/quick/", "/slow/", 1)
	asked := newCountdown(3 * inFlight)
	for _, p := range protocols {
		c := e.client(p)
		for i := range inFlight {
			s.flight.Go(func() { s.slowly(c, i, slow, asked.one) })
		}
	}
	waitFor(t, "the last slow request", asked.done)
	for o.count("/slow/manifest.mpd") == 0 { // its viewers have written, which is not to say that the edge has read
		fetch(t, http.DefaultTransport, e.admin+"/healthz")
	}
	return s
}

// slowly asks for what the origin holds back. under is called when the request
// is under way.
func (s *stopping) slowly(c *client, i int, media string, under func()) {
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	if i%2 == 0 {
		under()
		a, err := c.get(ctx, "/news/slow/manifest.mpd?device=dashjs")
		if err != nil || a.status != http.StatusOK || !strings.HasSuffix(a.body, "</MPD>\n") {
			s.bad.add("%s, a manifest in flight: %+v, %v", c.protocol, a, err)
			return
		}
	} else {
		res, err := c.open(ctx, sibling(media, fmt.Sprintf("seg-%d.m4s", i)))
		if err == nil {
			_, err = io.ReadFull(res.Body, make([]byte, len(half)))
		}
		under()
		if err != nil {
			s.bad.add("%s, the first half of a segment: %v", c.protocol, err)
			return
		}
		rest, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(rest) != half {
			s.bad.add("%s, the second half of a segment in flight: %d bytes, %v", c.protocol, len(rest), err)
			return
		}
	}
	s.whole.Add(1)
}

// crowd gives clients of all protocols in turn, ten of each, with connections
// of their own.
func (e *edge) crowd() (list []*client) {
	for range 10 {
		for _, p := range protocols {
			list = append(list, e.client(p))
		}
	}
	return list
}

// refused reports whether an error says that nobody listens any more. The
// kernel resets what it had taken and the edge had not.
func refused(err error, fresh bool) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) && (fresh || errors.As(err, &op) && op.Op == "dial")
}

// Short and full are the same but for the rate: 100 or 1,000 requests a second.
func TestStop(t *testing.T) { stop(t, 100) }

// stop shows that SIGTERM under load loses nothing that was asked for: what is
// in flight is answered whole, and what comes later is answered, or refused
// before it was sent.
func stop(t *testing.T, rate int) {
	s := startStopping(t)
	e := s.edge
	var answered, turned atomic.Int64
	crowd := e.crowd()
	halt := make(chan struct{})
	enough := newCountdown(rate)
	var load, running sync.WaitGroup
	// HTTP/3 has no word for "nobody listens": its clients are told to give up.
	knocking, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	load.Go(func() {
		openLoop(rate, halt, func(i int) {
			running.Go(func() {
				c := crowd[i%len(crowd)]
				ctx, cancel := context.WithTimeout(t.Context(), within)
				if c.protocol == "h3" {
					ctx = knocking
				}
				defer cancel()
				fresh := false
				a, err := c.get(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
					GotConn: func(info httptrace.GotConnInfo) { fresh = !info.Reused },
				}), s.quick[i/3%len(s.quick)])
				switch {
				case err == nil && a.status == http.StatusOK:
					answered.Add(1)
					enough.one()
				case refused(err, fresh):
					turned.Add(1)
				case c.protocol == "h3" && unanswered(err):
					turned.Add(1)
				default:
					s.bad.add("%s under load: %+v, %v", c.protocol, a, err)
				}
			})
		})
	})
	waitFor(t, "load", enough.done)
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, e)
	close(s.release)
	s.flight.Wait()
	waitFor(t, "the end of the edge", e.exited)
	close(halt)
	load.Wait()
	giveUp()
	running.Wait()
	s.bad.report(t)
	if e.err != nil {
		t.Errorf("the edge ended with %v", e.err)
	}
	if n := s.whole.Load(); n != 3*inFlight {
		t.Errorf("%d of %d requests in flight were answered whole", n, 3*inFlight)
	}
	t.Logf("measured: SIGTERM at %d requests a second over h1, h2 and h3: %d of %d in flight and %d under load answered whole, %d refused unsent",
		rate, s.whole.Load(), 3*inFlight, answered.Load(), turned.Load())
}

// unanswered reports whether an HTTP/3 client found nobody to connect to.
func unanswered(err error) bool {
	return errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "handshake")
}

// awaitRefusal waits until no connection is taken any more.
func awaitRefusal(t *testing.T, e *edge) {
	t.Helper()
	address := strings.TrimPrefix(e.plain, "http://")
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		c, err := net.Dial("tcp", address)
		if refused(err, true) {
			return
		}
		if err == nil {
			_ = c.Close()
		}
	}
	t.Fatal("a stopping edge goes on taking connections")
}

// Short and full are the same but for the rate.
func TestHandOver(t *testing.T) { handOver(t, 100) }

// handOver shows that SIGUSR2 under load puts a new process in the place of the
// old one and nobody notices: no connection is refused, no request over h1 and
// h2 fails, what is in flight is answered whole by the process that has it.
// Clients of HTTP/3 connect again, and one that repeats a GET whose connection
// ended sees no failure.
func handOver(t *testing.T, rate int) {
	s := startStopping(t)
	e := s.edge
	var answered [3]atomic.Int64
	var repeated complaints
	crowd := e.crowd()
	ask := func(i int) error {
		c, url := crowd[i%len(crowd)], s.quick[i/3%len(s.quick)]
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		a, err := c.get(ctx, url)
		if err != nil && c.protocol == "h3" {
			repeated.add("%v", err)
			a, err = c.get(ctx, url)
		}
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		if err == nil {
			answered[i%3].Add(1)
		}
		return err
	}
	halt := make(chan struct{})
	before, after := newCountdown(rate), newCountdown(2*rate)
	var over atomic.Bool
	var load, running sync.WaitGroup
	load.Go(func() {
		openLoop(rate, halt, func(i int) {
			begun := over.Load()
			running.Go(func() {
				if err := ask(i); err != nil {
					s.bad.add("%s under load: %v", protocols[i%3], err)
				}
				if before.one(); begun {
					after.one()
				}
			})
			// A connection of its own for each: the next process takes it, or
			// the one before.
			running.Go(func() {
				conn, err := net.Dial("tcp", strings.TrimPrefix(e.plain, "http://"))
				if err != nil {
					s.bad.add("a new connection: %v", err)
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "GET "+s.quick[0]+" HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n\r\n")
				text, err := io.ReadAll(conn)
				if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200 ") || !strings.Contains(string(text), "#EXTM3U") {
					s.bad.add("over a new connection: %.80q, %v", text, err)
				}
			})
		})
	})
	waitFor(t, "load", before.done)
	if err := e.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	e.log.await(t, takenOver)
	close(s.release)
	s.flight.Wait()
	waitFor(t, "the end of the old process", e.exited)
	over.Store(true)
	waitFor(t, "load on the new process", after.done)
	close(halt)
	load.Wait()
	running.Wait()
	s.bad.report(t)
	if e.err != nil {
		t.Errorf("the old process ended with %v", e.err)
	}
	if n := s.whole.Load(); n != 3*inFlight {
		t.Errorf("%d of %d requests in flight were answered whole", n, 3*inFlight)
	}
	if first := repeated.list[0].Load(); first != nil {
		t.Logf("a client of h3 had to ask again: %s", *first)
	}
	t.Logf("measured: hand-over at %d requests a second each over h1, h2 and h3 and over new connections: %d of %d in flight whole; %d, %d and %d under load answered, none refused; %d of h3 asked again",
		rate/3, s.whole.Load(), 3*inFlight, answered[0].Load(), answered[1].Load(), answered[2].Load(), repeated.n.Load())
}
