package origin

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"manifold/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that only its owner moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.t = c.t.Add(d)
	c.mu.Unlock()
}

// rig is a shield with a clock.
type rig struct {
	*Shield
	*clock
	t     testing.TB
	mu    sync.Mutex
	step  *sync.Cond
	waits map[string]int // most viewers of a key's fill
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	c := newClock()
	rnd := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	s, err := New(cfg, c.now, func() float64 { mu.Lock(); defer mu.Unlock(); return rnd.Float64() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r := &rig{Shield: s, clock: c, t: t, waits: map[string]int{}}
	r.step = sync.NewCond(&r.mu)
	s.joined = func(f *flight, viewers int) {
		r.mu.Lock()
		r.waits[f.key] = viewers
		r.mu.Unlock()
		r.step.Broadcast()
	}
	return r
}

// waitFor waits until n viewers are with the fill of a key.
func (r *rig) waitFor(g *Group, class Class, path string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := appendKey(nil, &Request{Group: g, Class: class, Path: path})
	for r.waits[string(key)] < n {
		r.step.Wait()
	}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// group makes a group of loopback origins.
func (r *rig) group(change func(*GroupConfig), urls ...string) *Group {
	r.t.Helper()
	cfg := GroupConfig{Name: "live", AllowPrivate: loopback}
	for _, u := range urls {
		cfg.Origins = append(cfg.Origins, OriginConfig{URL: u})
	}
	if change != nil {
		change(&cfg)
	}
	g, err := r.Group(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

// got is what a fetch came to.
type got struct {
	body   string
	state  State
	status int
	cache  string
	age    time.Duration
}

// fetch gets a whole answer.
func (r *rig) fetch(g *Group, class Class, path string) (got, error) {
	return r.ask(&Request{Group: g, Class: class, Path: path})
}

func (r *rig) ask(req *Request) (got, error) {
	a, err := r.Fetch(r.t.Context(), req)
	if err != nil {
		return got{}, err
	}
	defer a.Release()
	b, err := a.Bytes()
	return got{string(b), a.State(), a.Status(), string(a.AppendCacheStatus(nil)), a.Age()}, err
}

// must is fetch without an error.
func (r *rig) must(g *Group, class Class, path string) got {
	r.t.Helper()
	res, err := r.fetch(g, class, path)
	if err != nil {
		r.t.Fatalf("%s %s: %v", class, path, err)
	}
	return res
}

// settled waits until no fill is under way.
func (r *rig) settled() { r.fills.Wait() }

const playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\ns1.m4s\n"

// script is an origin that answers by its handler and counts.
type script struct {
	*httptest.Server
	requests atomic.Int64
	mu       sync.Mutex
	handler  http.HandlerFunc
	last     *http.Request
}

func newScript(t testing.TB, h http.HandlerFunc) *script {
	t.Helper()
	s := &script{handler: h}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		h := s.handler
		s.last = r
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// set changes how the origin answers.
func (s *script) set(h http.HandlerFunc) {
	s.mu.Lock()
	s.handler = h
	s.mu.Unlock()
}

func (s *script) lastRequest() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// says makes a handler of a body and header lines.
func says(body string, lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, l := range lines {
			name, value, _ := strings.Cut(l, ": ")
			w.Header().Add(name, value)
		}
		_, _ = io.WriteString(w, body)
	}
}

func fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// raw is an origin that speaks whatever its function writes.
type raw struct {
	url   string
	conns atomic.Int64
	quit  chan struct{} // closed when the test ends
}

// newRaw serves every request of every connection with f; the connection is
// closed when f says false.
func newRaw(t testing.TB, f func(c net.Conn, head string, r *raw) bool) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{url: "http://" + l.Addr().String(), quit: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.conns.Add(1)
			wg.Go(func() {
				defer c.Close()
				stop := make(chan struct{})
				defer close(stop)
				wg.Go(func() { // a connection does not outlive the test
					select {
					case <-r.quit:
						_ = c.Close()
					case <-stop:
					}
				})
				br := bufio.NewReader(c)
				for {
					var head strings.Builder
					for {
						line, err := br.ReadString('\n')
						if err != nil {
							return
						}
						head.WriteString(line)
						if line == "\r\n" {
							break
						}
					}
					if !f(c, head.String(), r) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { close(r.quit); _ = l.Close(); wg.Wait() })
	return r
}

// write sends text; false when the peer is gone.
func write(c net.Conn, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// reason gives the Reason of an error.
func reason(err error) Reason {
	if e, ok := AsError(err); ok {
		return e.Reason
	}
	return ""
}

// live compiles a manifest as a live one of a 6 s target and a 60 s window.
func live(Document) (Compiled, error) {
	return Compiled{Value: "template", Cost: 1000, Facts: Facts{Live: true, Window: time.Minute, Target: 6 * time.Second}}, nil
}

// complete compiles a manifest as one that is complete.
func complete(Document) (Compiled, error) {
	return Compiled{Value: "template", Cost: 1000, Facts: Facts{Window: time.Hour, Target: 6 * time.Second}}, nil
}

// observe fetches a manifest and compiles it.
func (r *rig) observe(g *Group, path string, compile Compile) got {
	r.t.Helper()
	a, err := r.Fetch(r.t.Context(), &Request{Group: g, Class: Manifest, Path: path})
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Release()
	if _, err := a.Compiled(compile); err != nil {
		r.t.Fatal(err)
	}
	b, _ := a.Bytes()
	return got{string(b), a.State(), a.Status(), string(a.AppendCacheStatus(nil)), a.Age()}
}

func fieldOf(name, value string) exchange.Field { return exchange.Field{Name: name, Value: value} }
