package origin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTenThousandAtOnce is the promise of the house: one origin request for
// all who come at the same time.
func TestTenThousandAtOnce(t *testing.T) {
	for _, class := range []Class{Manifest, Segment} {
		t.Run(class.String(), func(t *testing.T) {
			viewers := map[Class]int{Manifest: 10_000, Segment: 2_000}[class]
			go1 := make(chan struct{})
			o := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
				<-go1
				w.Header().Set("Cache-Control", "max-age=60")
				_, _ = io.WriteString(w, playlist)
			})
			r := newRig(t, Config{})
			g := r.group(func(c *GroupConfig) { c.Deadlines.FirstByte = time.Minute; c.Deadlines.Manifest = time.Minute }, o.URL)
			var wg sync.WaitGroup
			var good atomic.Int64
			for range viewers {
				wg.Go(func() {
					if res, err := r.fetch(g, class, "x"); err == nil && res.body == playlist {
						good.Add(1)
					}
				})
			}
			r.waitFor(g, class, "x", viewers)
			close(go1)
			wg.Wait()
			if good.Load() != int64(viewers) || o.requests.Load() != 1 {
				t.Errorf("%d of %d viewers served by %d origin requests, want 1", good.Load(), viewers, o.requests.Load())
			}
			c := g.Counters()
			if c.Misses != 1 || c.Coalesced != int64(viewers-1) {
				t.Errorf("misses %d, coalesced %d", c.Misses, c.Coalesced)
			}
		})
	}
}

// TestFollowersSeeBytesAsTheyArrive: the origin sends the next chunk only when
// both viewers have the one before.
func TestFollowersSeeBytesAsTheyArrive(t *testing.T) {
	next := make(chan struct{})
	o := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", "video/mp4")
		for _, chunk := range []string{"moof1", "moof2", "moof3"} {
			_, _ = io.WriteString(w, chunk)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	open := func() (*Answer, io.ReadCloser) {
		a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s.m4s"})
		if err != nil {
			t.Fatal(err)
		}
		return a, a.Reader()
	}
	a1, leader := open()
	a2, follower := open()
	if a1.State() != Miss || a2.State() != Coalesced || a1.Size() != -1 {
		t.Errorf("states %v and %v, size %d", a1.State(), a2.State(), a1.Size())
	}
	if got := string(a2.AppendCacheStatus(nil)); got != "manifold; fwd=uri-miss; fwd-status=200; stored; collapsed; ttl=60" {
		t.Errorf("Cache-Status: %s", got)
	}
	buf := make([]byte, 100)
	for _, want := range []string{"moof1", "moof2", "moof3"} {
		for _, rd := range []io.Reader{leader, follower} {
			if n, err := rd.Read(buf); err != nil || string(buf[:n]) != want {
				t.Fatalf("read %q %v, want %q", buf[:n], err, want)
			}
		}
		next <- struct{}{}
	}
	for _, rd := range []io.ReadCloser{leader, follower} {
		if n, err := rd.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("the end is %d %v", n, err)
		}
		_ = rd.Close()
		_ = rd.Close() // twice does no harm
	}
	r.settled()
	if res := r.must(g, Segment, "s.m4s"); res.state != Hit || res.body != "moof1moof2moof3" {
		t.Errorf("%+v", res)
	}
}

// TestLeaderLeaves: the fill goes on for the follower, and for the cache.
func TestLeaderLeaves(t *testing.T) {
	for _, class := range []Class{Manifest, Segment} {
		t.Run(class.String(), func(t *testing.T) {
			answer := make(chan struct{})
			o := newScript(t, func(w http.ResponseWriter, req *http.Request) {
				select {
				case <-answer:
					says(playlist, "Cache-Control: max-age=60")(w, req)
				case <-req.Context().Done():
				}
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.URL)
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan error, 1)
			go func() {
				_, err := r.Fetch(ctx, &Request{Group: g, Class: class, Path: "x"})
				gone <- err
			}()
			r.waitFor(g, class, "x", 1)
			follower := make(chan got, 1)
			go func() { res, _ := r.fetch(g, class, "x"); follower <- res }()
			r.waitFor(g, class, "x", 2)
			leave()
			if err := <-gone; reason(err) != ErrCancelled || !errors.Is(err, context.Canceled) {
				t.Errorf("the leader got %v", err)
			}
			close(answer)
			if res := <-follower; res.body != playlist || res.state != Coalesced {
				t.Errorf("the follower got %+v", res)
			}
			if n := o.requests.Load(); n != 1 {
				t.Errorf("%d origin requests, want 1", n)
			}
		})
	}
}

// TestEverybodyLeaves: a segment that nobody waits for and whose header never
// came is given up; the origin sees it.
func TestEverybodyLeaves(t *testing.T) {
	asked, given := make(chan struct{}), make(chan struct{})
	o := newScript(t, func(_ http.ResponseWriter, req *http.Request) {
		close(asked)
		<-req.Context().Done()
		close(given)
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.Fetch(ctx, &Request{Group: g, Class: Segment, Path: "x"})
	}()
	<-asked
	leave()
	<-done
	select {
	case <-given:
	case <-time.After(10 * time.Second):
		t.Error("the origin request was not given up")
	}
	r.settled()
	// And nothing of it is remembered.
	o.set(says("media"))
	if res := r.must(g, Segment, "x"); res.body != "media" {
		t.Errorf("%+v", res)
	}
}

// TestReaderLeavesInMidBody: what is on its way into the cache is finished.
func TestReaderLeavesInMidBody(t *testing.T) {
	rest := make(chan struct{})
	o := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-rest
		_, _ = io.WriteString(w, "later")
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Size() != 10 {
		t.Errorf("size %d, want the declared 10", a.Size())
	}
	a.Release()
	close(rest)
	r.settled()
	if res := r.must(g, Segment, "x"); res.state != Hit || res.body != "firstlater" {
		t.Errorf("%+v", res)
	}
}

// TestUncacheableReleasesFollowers: all who waited ask at the same time; none
// waits for another's answer.
func TestUncacheableReleasesFollowers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"private":   says(playlist, "Cache-Control: private"),
		"forbidden": fails(403),
	} {
		t.Run(name, func(t *testing.T) {
			const viewers = 20
			first := make(chan struct{})
			var arrived atomic.Int64
			all := make(chan struct{})
			o := newScript(t, func(w http.ResponseWriter, req *http.Request) {
				switch n := arrived.Add(1); {
				case n == 1:
					<-first
				case n == viewers:
					close(all)
				default:
					<-all // answered only when all others have asked as well
				}
				answer(w, req)
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.URL)
			var wg sync.WaitGroup
			var passed, forbidden atomic.Int64
			for range viewers {
				wg.Go(func() {
					res, err := r.fetch(g, Manifest, "x")
					if err == nil && res.state == Passed {
						passed.Add(1)
					}
					if e, ok := AsError(err); ok && e.Status == 403 && e.HTTPStatus() == 502 {
						forbidden.Add(1)
					}
				})
			}
			r.waitFor(g, Manifest, "x", viewers)
			close(first)
			wg.Wait()
			if passed.Load()+forbidden.Load() != viewers || o.requests.Load() != viewers {
				t.Errorf("%d passed, %d forbidden, %d origin requests; want %d", passed.Load(), forbidden.Load(), o.requests.Load(), viewers)
			}
		})
	}
}

// TestLeaderFails: one retry for all, not one for each.
func TestLeaderFails(t *testing.T) {
	for _, class := range []Class{Manifest, Segment} {
		t.Run(class.String(), func(t *testing.T) {
			const viewers = 50
			broken := make(chan struct{})
			var requests atomic.Int64
			o := newRaw(t, func(c net.Conn, _ string, _ *raw) bool {
				if requests.Add(1) == 1 {
					<-broken
					return false // reset before a byte of the answer
				}
				return write(c, "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\n#EXTM3U\n")
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.url)
			var wg sync.WaitGroup
			var good atomic.Int64
			for range viewers {
				wg.Go(func() {
					if res, err := r.fetch(g, class, "x"); err == nil && res.body == "#EXTM3U\n" {
						good.Add(1)
					}
				})
			}
			r.waitFor(g, class, "x", viewers)
			close(broken)
			wg.Wait()
			if good.Load() != int64(viewers) || requests.Load() != 2 {
				t.Errorf("%d of %d served by %d requests, want 2", good.Load(), viewers, requests.Load())
			}
		})
	}
}

// TestSegmentTakenUpAgain: a body that broke off is continued by range, and the
// viewer notices nothing.
func TestSegmentTakenUpAgain(t *testing.T) {
	const whole = "0123456789abcdefghij"
	for name, second := range map[string]string{
		"206":              "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 8-19/20\r\nContent-Length: 12\r\n\r\n" + whole[8:],
		"206 in two parts": "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 8-11/20\r\nContent-Length: 4\r\n\r\n" + whole[8:12],
		"200":              "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 20\r\n\r\n" + whole,
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			var head atomic.Value
			o := newRaw(t, func(c net.Conn, h string, _ *raw) bool {
				if requests.Add(1) == 1 {
					write(c, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Length: 20\r\n\r\n"+whole[:8])
					return false
				}
				if head.Load() == nil {
					head.Store(h)
					return write(c, second)
				}
				return write(c, "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 12-19/20\r\nContent-Length: 8\r\n\r\n"+whole[12:])
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.url)
			a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s.m4s"})
			if err != nil {
				t.Fatal(err)
			}
			rd := a.Reader()
			body, err := io.ReadAll(rd)
			_ = rd.Close()
			if err != nil || string(body) != whole {
				t.Errorf("read %q, %v", body, err)
			}
			if h := head.Load().(string); !strings.Contains(h, "Range: bytes=8-\r\n") || !strings.Contains(h, "If-Range: \"v1\"\r\n") {
				t.Errorf("the second request is\n%s", h)
			}
			r.settled()
			if res := r.must(g, Segment, "s.m4s"); res.state != Hit || res.body != whole {
				t.Errorf("%+v", res)
			}
		})
	}
}

// TestBrokenSegmentIsNotKept: where it cannot be taken up again, readers get
// an error, not an end, and nothing is cached.
func TestBrokenSegmentIsNotKept(t *testing.T) {
	const begin = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
	for name, broken := range map[string]string{
		"short":              begin + "Content-Length: 20\r\n\r\n01234567",
		"chunked":            begin + "Transfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n",
		"weak tag":           begin + "ETag: W/\"v1\"\r\nContent-Length: 20\r\n\r\n01234567",
		"more than declared": begin + "ETag: \"v1\"\r\nContent-Length: 20\r\n\r\n01234567",
		"another version":    begin + "ETag: \"v1\"\r\nContent-Length: 20\r\n\r\n01234567",
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			o := newRaw(t, func(c net.Conn, head string, _ *raw) bool {
				if requests.Add(1) == 1 {
					write(c, broken)
					return false
				}
				if name == "more than declared" && strings.Contains(head, "Range:") {
					return write(c, "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 8-30/20\r\nContent-Length: 23\r\n\r\n01234567890123456789012")
				}
				if strings.Contains(head, "Range:") {
					return write(c, "HTTP/1.1 200 OK\r\nETag: \"v2\"\r\nContent-Length: 20\r\n\r\nABCDEFGHIJKLMNOPQRST")
				}
				return write(c, begin+"Content-Length: 5\r\n\r\nwhole")
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.url)
			a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s.m4s"})
			if err != nil {
				t.Fatal(err)
			}
			rd := a.Reader()
			body, err := io.ReadAll(rd)
			_ = rd.Close()
			if reason(err) != ErrIncomplete || string(body) != "01234567" {
				t.Errorf("read %q, %v", body, err)
			}
			r.settled()
			if res := r.must(g, Segment, "s.m4s"); res.body != "whole" {
				t.Errorf("after that: %+v", res)
			}
		})
	}
}
