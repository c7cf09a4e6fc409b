package origin

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// TestStaleWhileRevalidate: the old one at once, the new one behind it.
func TestStaleWhileRevalidate(t *testing.T) {
	answer := make(chan struct{})
	first := true
	o := newScript(t, func(w http.ResponseWriter, req *http.Request) {
		if !first {
			<-answer
		}
		says(playlist, "Cache-Control: max-age=2, stale-while-revalidate=5")(w, req)
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.observe(g, "m.m3u8", live)
	first = false
	r.add(3 * time.Second)
	for range 5 {
		if res := r.must(g, Manifest, "m.m3u8"); res.state != Stale || res.cache != "manifold; hit; ttl=-1; detail=stale-while-revalidate" {
			t.Errorf("%+v", res)
		}
	}
	close(answer)
	r.settled()
	if n := o.requests.Load(); n != 2 {
		t.Errorf("%d origin requests, want 2", n)
	}
	if res := r.must(g, Manifest, "m.m3u8"); res.state != Hit {
		t.Errorf("%+v", res)
	}
}

// TestLiveIsNeverStalerThanATarget: one target duration beyond its freshness,
// whatever the header allows, unless the origin fails.
func TestLiveIsNeverStalerThanATarget(t *testing.T) {
	for name, lines := range map[string][]string{
		"by header": {"Cache-Control: max-age=3, stale-while-revalidate=600, stale-if-error=600"},
		"by policy": nil, // fresh for half a target: 3 s
	} {
		t.Run(name, func(t *testing.T) {
			o := newScript(t, says(playlist, lines...))
			r := newRig(t, Config{})
			g := r.group(func(c *GroupConfig) { c.Policy.StaleWhileRevalidate = time.Hour }, o.URL)
			r.observe(g, "m.m3u8", live)
			r.add(2990 * time.Millisecond)
			if res := r.must(g, Manifest, "m.m3u8"); res.state != Hit {
				t.Errorf("fresh: %+v", res)
			}
			r.add(6 * time.Second) // 8.99 s
			if res := r.must(g, Manifest, "m.m3u8"); res.state != Stale {
				t.Errorf("within a target: %+v", res)
			}
			r.settled()
			o.set(says(playlist+"#2\n", lines...))
			r.add(9010 * time.Millisecond)
			if res := r.must(g, Manifest, "m.m3u8"); res.state != Miss || res.body != playlist+"#2\n" {
				t.Errorf("beyond a target: %+v", res)
			}
		})
	}
}

// TestLiveIsFreshByHalfATarget: a player that asks now and then is not given
// what was fetched for the one before it, unless somebody wants it so.
func TestLiveIsFreshByHalfATarget(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*GroupConfig)
		lines  []string
		after  time.Duration
		want   State
	}{
		{"fresh", nil, nil, 2990 * time.Millisecond, Hit},
		{"half a target old", nil, nil, 3010 * time.Millisecond, Miss},
		{"shorter by header, before half a target", nil, []string{"Cache-Control: max-age=1"}, 2990 * time.Millisecond, Stale},
		{"shorter by header, after it", nil, []string{"Cache-Control: max-age=1"}, 3010 * time.Millisecond, Miss},
		{"longer by header", nil, []string{"Cache-Control: max-age=5"}, 5010 * time.Millisecond, Miss},
		{"by policy", func(c *GroupConfig) { c.Policy.StaleWhileRevalidate = time.Second }, nil, 3990 * time.Millisecond, Stale},
		{"never", func(c *GroupConfig) { c.Policy.StaleWhileRevalidate = -1 }, []string{"Cache-Control: max-age=1"}, 1010 * time.Millisecond, Miss},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newScript(t, says(playlist, c.lines...))
			r := newRig(t, Config{})
			g := r.group(c.change, o.URL)
			r.observe(g, "m.m3u8", live)
			o.set(says(playlist+"#2\n", c.lines...))
			r.add(c.after)
			if res := r.must(g, Manifest, "m.m3u8"); res.state != c.want || (res.body != playlist) != (c.want == Miss) {
				t.Errorf("%+v, want state %v", res, c.want)
			}
		})
	}
}

// TestOriginDies: the last good manifest until stale-if-error ends, no failed
// request before, and the dead origin is not asked for each.
func TestOriginDies(t *testing.T) {
	for name, dead := range map[string]http.HandlerFunc{
		"500": fails(500), "503": fails(503), "429": fails(429),
		"HTML with 200": says("<!DOCTYPE html><p>down for maintenance", "Content-Type: text/html"),
		"reset":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			o := newScript(t, says(playlist))
			r := newRig(t, Config{})
			g := r.group(nil, o.URL)
			r.observe(g, "m.m3u8", live)
			o.set(dead)
			asked := o.requests.Load()
			for range 600 { // a minute at ten a second
				r.add(100 * time.Millisecond)
				if res, err := r.fetch(g, Manifest, "m.m3u8"); err != nil || res.body != playlist {
					t.Fatalf("%+v %v", res, err)
				}
				r.settled()
			}
			if n := o.requests.Load() - asked; n > 150 || n < 20 {
				t.Errorf("the dead origin was asked %d times in a minute", n)
			}
			if g.Counters().StaleOnError == 0 {
				t.Error("nothing was counted as stale on error")
			}
			r.add(5 * time.Minute)
			if res, err := r.fetch(g, Manifest, "m.m3u8"); err == nil {
				t.Errorf("after stale-if-error: %+v", res)
			}
			o.set(says(playlist))
			r.add(time.Minute)
			if res := r.must(g, Manifest, "m.m3u8"); res.state != Miss {
				t.Errorf("after recovery: %+v", res)
			}
		})
	}
}

// TestMayNotBeStale: what forbids stale answers is obeyed, with an error.
func TestMayNotBeStale(t *testing.T) {
	for _, test := range []struct {
		header string
		policy Policy
		stale  bool
	}{
		{"max-age=2", Policy{}, true},
		{"max-age=2", Policy{StaleIfError: -1}, false},
		{"max-age=2, must-revalidate", Policy{}, false},
		{"max-age=2, proxy-revalidate", Policy{}, false},
		{"max-age=2, no-cache", Policy{}, false},
		{"s-maxage=2", Policy{}, true},
		{"s-maxage=2", Policy{Strict: true}, false},
		{"max-age=2, stale-if-error=5", Policy{}, false},
		{"max-age=2, stale-if-error=50", Policy{StaleIfError: -1}, true},
		{"max-age=2, must-revalidate, stale-if-error=50", Policy{}, false},
		{"no-store", Policy{Override: 2 * time.Second}, true},
		{"no-cache, must-revalidate", Policy{Override: 2 * time.Second}, true},
	} {
		o := newScript(t, says(playlist, "Cache-Control: "+test.header))
		r := newRig(t, Config{LibraryBytes: -1})
		g := r.group(func(c *GroupConfig) { c.Policy = test.policy }, o.URL)
		r.observe(g, "m.m3u8", live)
		o.set(fails(500))
		r.add(30 * time.Second)
		res, err := r.fetch(g, Manifest, "m.m3u8")
		if stale := err == nil && res.state == StaleError; stale != test.stale {
			t.Errorf("%s %+v: %+v %v, want stale: %v", test.header, test.policy, res, err, test.stale)
		}
		if err == nil && res.cache != "manifold; fwd=stale; ttl=-28; detail=stale-if-error" {
			t.Errorf("Cache-Status: %s", res.cache)
		}
	}
}

// TestOriginSlow: who may have the stale one does not wait for a slow origin
// longer than the group's patience, and the fill goes on.
func TestOriginSlow(t *testing.T) {
	answer := make(chan struct{})
	o := newScript(t, says(playlist))
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) { c.Deadlines.Patience = 20 * time.Millisecond }, o.URL)
	r.observe(g, "m.m3u8", live)
	o.set(func(w http.ResponseWriter, req *http.Request) {
		<-answer
		says(playlist+"#2\n")(w, req)
	})
	r.add(30 * time.Second)
	for range 3 {
		if res := r.must(g, Manifest, "m.m3u8"); res.state != StaleError || res.cache != "manifold; fwd=stale; ttl=-27; detail=origin-slow" {
			t.Errorf("%+v", res)
		}
		g.cfg.Deadlines.Patience = time.Hour // the first has waited for all others
	}
	close(answer)
	r.settled()
	if res := r.must(g, Manifest, "m.m3u8"); res.state != Hit || res.body != playlist+"#2\n" {
		t.Errorf("%+v", res)
	}
	if n := o.requests.Load(); n != 2 {
		t.Errorf("%d origin requests, want 2", n)
	}
}

// TestStaleSegment: segments do not change; an old one is served while it is
// confirmed, and while the origin is gone.
func TestStaleSegment(t *testing.T) {
	o := newScript(t, says("media", "Cache-Control: max-age=10"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.must(g, Segment, "s.m4s")
	o.set(fails(500))
	r.add(time.Hour)
	for range 3 {
		if res := r.must(g, Segment, "s.m4s"); res.state != Stale || res.body != "media" {
			t.Errorf("%+v", res)
		}
		r.settled()
	}
	r.add(24 * time.Hour)
	if _, err := r.fetch(g, Segment, "s.m4s"); reason(err) != ErrStatus {
		t.Errorf("after a day: %v", err)
	}
}

// TestNegative says for how long errors are remembered.
func TestNegative(t *testing.T) {
	s := time.Second
	for _, test := range []struct {
		status int
		lines  []string
		live   bool
		at     time.Duration // still remembered
		after  time.Duration // not any more
		http   int
	}{
		{status: 404, at: 900 * time.Millisecond, after: s, http: 404},
		{status: 404, lines: []string{"Cache-Control: max-age=30"}, at: 29 * s, after: 30 * s, http: 404},
		{status: 404, lines: []string{"Cache-Control: max-age=3000"}, at: 59 * s, after: 60 * s, http: 404},
		{status: 404, lines: []string{"Cache-Control: max-age=30"}, live: true, at: 900 * time.Millisecond, after: s, http: 404},
		{status: 425, live: true, at: 900 * time.Millisecond, after: s, http: 425},
		{status: 410, at: 9 * time.Minute, after: 10 * time.Minute, http: 410},
		{status: 500, at: 0, after: s, http: 502},
		{status: 503, at: 0, after: s, http: 503},
		{status: 400, at: 900 * time.Millisecond, after: s, http: 502},
	} {
		answer := func(w http.ResponseWriter, req *http.Request) {
			for _, l := range test.lines {
				w.Header().Set("Cache-Control", l[len("Cache-Control: "):])
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, "an error page of the origin")
		}
		o := newScript(t, answer)
		r := newRig(t, Config{LibraryBytes: -1})
		g := r.group(nil, o.URL)
		if test.live {
			o.set(says(playlist))
			r.observe(g, "live/m.m3u8", live)
			o.set(answer)
		}
		base := o.requests.Load()
		for i, step := range []struct {
			add  time.Duration
			asks int64
		}{{0, 1}, {test.at, 1}, {test.after - test.at, 2}} {
			r.add(step.add)
			_, err := r.fetch(g, Segment, "live/v/s.m4s")
			e, ok := AsError(err)
			if !ok || e.Status != test.status || e.HTTPStatus() != test.http {
				t.Fatalf("%d: %v", test.status, err)
			}
			if n := o.requests.Load() - base; n != step.asks {
				t.Errorf("%d live=%v step %d: %d origin requests, want %d", test.status, test.live, i, n, step.asks)
			}
			if i == 1 && (e.State() != Negative || string(e.AppendCacheStatus(nil, "m")) != "m; hit; detail=negative") {
				t.Errorf("%d: state %v, %s", test.status, e.State(), e.AppendCacheStatus(nil, "m"))
			}
		}
	}
}

// TestGoneReplacesGood: a 404 is the origin's word, not its failure.
func TestGoneReplacesGood(t *testing.T) {
	o := newScript(t, says(playlist))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.observe(g, "m.m3u8", live)
	o.set(fails(404))
	r.add(30 * time.Second)
	if _, err := r.fetch(g, Manifest, "m.m3u8"); reason(err) != ErrStatus {
		t.Errorf("%v", err)
	}
}
