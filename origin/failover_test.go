package origin

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// refusing is the URL of a port where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func hang(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }

// TestFailover: whatever is wrong with the first origin, the second is asked.
func TestFailover(t *testing.T) {
	bad := map[string]string{
		"refused": refusing(t),
		"500":     newScript(t, fails(500)).URL,
		"hangs":   newScript(t, hang).URL,
		"HTML":    newScript(t, says("<html>", "Content-Type: text/html")).URL,
		"no name": "http://no-such-host.invalid",
		"no HTTP": newRaw(t, func(c net.Conn, _ string, _ *raw) bool { write(c, "SSH-2.0-OpenSSH\r\n"); return false }).url,
		"reset":   newRaw(t, func(net.Conn, string, *raw) bool { return false }).url,
		"stalls": newRaw(t, func(c net.Conn, _ string, r *raw) bool {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n#EXTM3U\n")
			<-r.quit
			return false
		}).url,
	}
	for name, url := range bad {
		for _, class := range []Class{Manifest, Segment} {
			if class == Segment && name == "stalls" {
				continue // its bytes are shown as they come
			}
			good := newScript(t, says(playlist, "Cache-Control: max-age=60"))
			r := newRig(t, Config{})
			g := r.group(func(c *GroupConfig) {
				c.Deadlines.FirstByte, c.Deadlines.Idle = 500*time.Millisecond, 500*time.Millisecond
			}, url, good.URL)
			if res, err := r.fetch(g, class, "x"); err != nil || res.body != playlist {
				t.Errorf("%s, %s: %+v %v", name, class, res, err)
			}
			if c := g.Counters(); c.Retries != 1 || c.OriginErrors != 1 {
				t.Errorf("%s, %s: %+v", name, class, c)
			}
		}
	}
}

// TestNotFoundIsNotAskedElsewhere: a 404 is an answer.
func TestNotFoundIsNotAskedElsewhere(t *testing.T) {
	first, second := newScript(t, fails(404)), newScript(t, says(playlist))
	r := newRig(t, Config{})
	if _, err := r.fetch(r.group(nil, first.URL, second.URL), Manifest, "x"); reason(err) != ErrStatus {
		t.Errorf("%v", err)
	}
	if second.requests.Load() != 0 {
		t.Error("the second origin was asked")
	}
}

// TestEjection: an origin that failed three times in a row is left alone, then
// tried by one request, then asked first again.
func TestEjection(t *testing.T) {
	first, second := newScript(t, fails(500)), newScript(t, says(playlist, "Cache-Control: max-age=1"))
	r := newRig(t, Config{})
	g := r.group(nil, first.URL, second.URL)
	ask := func() {
		t.Helper()
		r.add(10 * time.Millisecond)
		if _, err := r.ask(&Request{Group: g, Class: Manifest, Path: fmt.Sprint("x", r.clock.now().UnixNano())}); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		ask()
	}
	if n := first.requests.Load(); n != 3 {
		t.Errorf("the failing origin was asked %d times, want 3", n)
	}
	if h := g.Health(); h[0].Failures != 3 || h[0].Ejected.IsZero() || h[1].Failures != 0 {
		t.Errorf("health: %+v", h)
	}
	first.set(says(playlist, "Cache-Control: max-age=1"))
	r.add(time.Second)
	before := second.requests.Load()
	for range 5 {
		ask()
	}
	if n := first.requests.Load(); n != 8 || second.requests.Load() != before {
		t.Errorf("after its recovery the first was asked %d times in all, want 8", n)
	}
	if h := g.Health(); h[0].Failures != 0 || !h[0].Ejected.IsZero() {
		t.Errorf("health: %+v", h)
	}
}

// TestRetryBudget: when everything fails, origins are asked 1.2 times as often
// as viewers ask, once the reserve is used up.
func TestRetryBudget(t *testing.T) {
	first, second := newScript(t, fails(500)), newScript(t, fails(500))
	r := newRig(t, Config{LibraryBytes: -1})
	g := r.group(nil, first.URL, second.URL)
	for i := range 100 {
		_, _ = r.fetch(g, Segment, fmt.Sprint("s", i))
	}
	if n := first.requests.Load() + second.requests.Load(); n > 100+20+budgetReserve {
		t.Errorf("%d origin requests for 100 viewers", n)
	}
}

// TestHedge: a slow first origin costs one hedge, not the deadline.
func TestHedge(t *testing.T) {
	slow, quick := newScript(t, hang), newScript(t, says(playlist))
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) { c.Deadlines.Hedge = 10 * time.Millisecond }, slow.URL, quick.URL)
	if res := r.must(g, Manifest, "x"); res.body != playlist {
		t.Errorf("%+v", res)
	}
	r.settled() // the loser is given up, not waited for
	if c := g.Counters(); c.Hedges != 1 || c.OriginRequests != 2 || c.OriginErrors != 0 {
		t.Errorf("%+v", c)
	}
	// When both fail, the viewer learns it.
	quick.set(fails(500))
	slow.set(fails(500))
	if _, err := r.fetch(g, Manifest, "y"); reason(err) != ErrStatus {
		t.Errorf("%v", err)
	}
}

// TestDeadlines: each has its error.
func TestDeadlines(t *testing.T) {
	drip := func(c net.Conn, _ string, r *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n#EXTM3U\n")
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if !write(c, "#") {
					return false
				}
			case <-r.quit:
				return false
			}
		}
	}
	stall := func(c net.Conn, _ string, r *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n#EXTM3U\n")
		<-r.quit
		return false
	}
	mute := func(_ net.Conn, _ string, r *raw) bool { <-r.quit; return false }
	for name, test := range map[string]struct {
		origin    func(net.Conn, string, *raw) bool
		deadlines Deadlines
	}{
		"first byte": {mute, Deadlines{FirstByte: 50 * time.Millisecond}},
		"idle":       {stall, Deadlines{Idle: 50 * time.Millisecond}},
		"manifest":   {drip, Deadlines{Manifest: 100 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newRaw(t, test.origin)
			r := newRig(t, Config{})
			g := r.group(func(c *GroupConfig) { c.Deadlines = test.deadlines }, o.url)
			began := time.Now()
			_, err := r.fetch(g, Manifest, "x")
			e, _ := AsError(err)
			if reason(err) != ErrTimeout || e.HTTPStatus() != 504 || e.Token() != "http_response_timeout" {
				t.Errorf("%v", err)
			}
			if d := time.Since(began); d > 3*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
	// A segment that trickles is no offence, however long it takes.
	o := newRaw(t, drip)
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) { c.Deadlines = Deadlines{Manifest: 50 * time.Millisecond} }, o.url)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	rd := a.Reader()
	defer rd.Close()
	buf, total := make([]byte, 1), 0
	for total < 30 {
		n, err := rd.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
}
