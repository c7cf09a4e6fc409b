package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"manifold/bench/result"
	"manifold/bench/scenario"
	"manifold/bench/viewer"
	"manifold/internal/testkit/bubble"
	"manifold/internal/testkit/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hls, dash = "http://edge.test/master.m3u8", "http://edge.test/manifest.mpd"

// ran runs a scenario against the test stream, behind what change makes of it,
// on a simulated clock.
func ran(t *testing.T, text string, cfg fault.Config, change func(h http.Handler) http.Handler, o Options) *result.Run {
	t.Helper()
	s, err := scenario.Parse("test.yml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	var run *result.Run
	bubble.Test(t, func(t *testing.T) {
		cfg.Now = time.Now
		cfg.Epoch = time.Now().Add(-87 * time.Second)
		var h http.Handler = fault.New(cfg)
		if change != nil {
			h = change(h)
		}
		o.Transport = fault.Transport{Handler: h}
		if run, err = Run(t.Context(), s, o); err != nil {
			t.Fatal(err)
		}
	})
	return run
}

// A mixed audience on a clean stream: everybody plays, and what is counted is
// what was asked for.
func TestRun(t *testing.T) {
	var (
		mu   sync.Mutex
		seen = map[string]int64{}
		last Status
	)
	run := ran(t, `
name: mixed
url: `+hls+`
for: 60s
warmup: 10s
rounds: 2
arrivals: [{pattern: ramp, viewers: 30, for: 5s}, {pattern: constant, rate: 2/s, for: 5s}]
audience:
  - {device: hlsjs, share: 2}
  - {device: dashjs, url: "`+dash+`"}
  - {device: shaka, stay: 20s}
media: 20%
connections: {share: 4}
thresholds: [errors < 1%, startup.p95 < 2s, manifest.p99 < 1ms, segment.p50 < 1h]
`, fault.Config{Steered: true}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen[r.URL.Path]++
			mu.Unlock()
			wait(r, 5*time.Millisecond)
			h.ServeHTTP(w, r)
		})
	}, Options{Progress: func(s Status) { last = s }, Version: "v", Machine: "m"})
	all := run.All()
	if v := all.Viewers; v.Arrived != 80 || v.Started < 75 || v.Failed != 0 || v.Left != 80 || v.Most > 40 || v.Most < 30 {
		t.Errorf("viewers: %+v", v)
	}
	if e, _ := all.Figure("errors"); e != 0 {
		t.Errorf("errors: %v", e)
	}
	if p, _ := all.Figure("manifest.p50"); p < 0.005 || p > 0.0051 {
		t.Errorf("a manifest takes %v s", p)
	}
	q := all.Quality
	if q.Stalls > 0 || q.Segments < 3000 || q.Fetched == 0 || q.Fetched > q.Segments/2 || q.Played < 2500 {
		t.Errorf("quality: %+v", q)
	}
	for _, name := range []string{"playlist", "update", "steering", "segment"} {
		if c := all.Class(name); c == nil || c.Count == 0 || c.Said["200"] != c.Count {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if len(run.Rounds) != 2 || len(run.Rounds[1].Series) != 60 || run.Rounds[0].Seconds != 50 || all.Generator.Shared == 0 {
		t.Errorf("%d rounds, %+v", len(run.Rounds), run.Rounds[1])
	}
	held := map[string]bool{}
	for _, v := range run.Thresholds {
		held[v.Threshold] = v.Held
	}
	if !held["errors < 1%"] || !held["startup.p95 < 2s"] || held["manifest.p99 < 1ms"] || !held["segment.p50 < 1h"] || !run.Failed() {
		t.Errorf("thresholds: %+v", run.Thresholds)
	}
	if last.Round != 2 || last.At != time.Minute || !strings.Contains(run.Connections, "shared by 4") || seen["/master.m3u8"] == 0 {
		t.Errorf("%+v, %s", last, run.Connections)
	}
}

func wait(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// A target that stands still for ten seconds: the corrected latencies count the
// requests that could not be made meanwhile, the uncorrected ones do not.
func TestCoordinatedOmission(t *testing.T) {
	run := ran(t, "url: "+hls+"\nfor: 60s\narrivals: [{pattern: constant, viewers: 20, for: 2s}]\naudience: [{device: hlsjs}]\nconnections: {timeout: 20s}\n", fault.Config{}, func(h http.Handler) http.Handler {
		begin := time.Now()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if at := time.Since(begin); at > 30*time.Second && at < 40*time.Second {
				wait(r, 40*time.Second-at)
			}
			h.ServeHTTP(w, r)
		})
	}, Options{})
	c := run.Rounds[0].Class("playlist")
	// Of 60 s 10 stood: a tenth of the requests should have waited for seconds.
	if got := c.Latency.At(.9); got < 3*time.Second {
		t.Errorf("corrected p90 is %s", got)
	}
	if got := c.Service.At(.9); got > time.Second {
		t.Errorf("uncorrected p90 is %s", got)
	}
	if run.Saturated() {
		t.Errorf("a slow target is not a slow generator: %v", run.Rounds[0].Generator.Saturated)
	}
}

// What waits for others in flight counts from when it was due, and is said.
func TestInFlight(t *testing.T) {
	run := ran(t, "url: "+hls+"\nfor: 20s\nin_flight: 2\narrivals: [{pattern: constant, viewers: 40, for: 1s}]\n", fault.Config{VOD: true}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wait(r, 100*time.Millisecond)
			h.ServeHTTP(w, r)
		})
	}, Options{})
	g := run.Rounds[0].Generator
	if g.Queued == 0 || len(g.Saturated) != 1 || !strings.Contains(g.Saturated[0], "2 were in flight") {
		t.Errorf("%+v", g)
	}
	c := run.Rounds[0].Class("entry")
	if c.Latency.Max() < time.Second || c.Service.Max() > 150*time.Millisecond {
		t.Errorf("from due %s, from sent %s", c.Latency.Max(), c.Service.Max())
	}
}

// A generator without processors left says so.
func TestSaturation(t *testing.T) {
	used := time.Duration(0)
	run := ran(t, "url: "+hls+"\nfor: 20s\narrivals: [{pattern: constant, viewers: 2, for: 1s}]\n", fault.Config{}, nil, Options{CPU: func() time.Duration { used += time.Hour; return used }})
	if g := run.Rounds[0].Generator; len(g.Saturated) != 1 || g.CPUMean < 0.99 {
		t.Errorf("%+v", g)
	}
	var text strings.Builder
	if err := run.WriteText(&text); err != nil || !strings.Contains(text.String(), "SATURATED") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Errors are counted by what they were, and a failed target gives a result.
func TestErrors(t *testing.T) {
	run := ran(t, "url: "+dash+"\nfor: 60s\narrivals: [{pattern: poisson, viewers: 20, for: 5s}]\naudience: [{device: dashjs}]\nthresholds: [steering.p50 < 1s]\n", fault.Config{}, func(http.Handler) http.Handler {
		n := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch n++; n % 3 {
			case 0:
				http.Error(w, "", http.StatusServiceUnavailable)
			case 1:
				fmt.Fprint(w, "<html>")
			default:
				http.NotFound(w, r)
			}
		})
	}, Options{})
	r := run.Rounds[0]
	c := r.Class("entry")
	if c.Errors != c.Count || c.Said["503"] == 0 || c.Said["not what was asked for"] == 0 || c.Said["200"] > 0 {
		t.Errorf("%+v", c.Said)
	}
	if r.Viewers.Failed != r.Viewers.Arrived || len(r.Viewers.Why) == 0 {
		t.Errorf("%+v", r.Viewers)
	}
	if len(run.Thresholds) != 1 || run.Thresholds[0].Held || !run.Thresholds[0].Missing {
		t.Errorf("what was not measured does not hold: %+v", run.Thresholds)
	}
}

// The addresses that viewers are given tell them apart.
func TestAddress(t *testing.T) {
	e := &engine{seed: 35}
	g := &group{Group: &scenario.Group{URL: "http://e/{viewer}/m.m3u8?t=1#x", Session: "cmcd"}}
	if got := e.address(g, 7); got != "http://e/7/m.m3u8?t=1&CMCD=sid%3D%22bench-z-7%22#x" {
		t.Error(got)
	}
	g.Session = "none"
	if got := e.address(g, 7); got != "http://e/7/m.m3u8?t=1#x" {
		t.Error(got)
	}
}

// rival is a target of one live playlist that takes about a time.
func rival(seed uint64, base time.Duration) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		var mu sync.Mutex
		rng := rand.New(rand.NewPCG(seed, 1))
		begin := time.Now()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			d := time.Duration(float64(base) * math.Exp(0.1*rng.NormFloat64()))
			mu.Unlock()
			wait(r, d)
			n := int(time.Since(begin) / time.Second)
			fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", n)
			for i := range 6 {
				fmt.Fprintf(w, "#EXTINF:1,\n%d.ts\n", n+i)
			}
		})
	}
}

// A target slowed by a tenth is called slower in nine of ten comparisons, an
// equal one in none.
func TestCompareRuns(t *testing.T) {
	text := "url: http://rival.test/x.m3u8\nfor: 8s\nrounds: 4\narrivals: [{pattern: constant, viewers: 15, for: 1s}]\n"
	slower, wrong := 0, 0
	var before *result.Run
	for i := range uint64(10) {
		a := ran(t, text, fault.Config{}, rival(2*i, 20*time.Millisecond), Options{})
		b := ran(t, text, fault.Config{}, rival(2*i+1, 22*time.Millisecond), Options{})
		if result.Compare(a, b).Opinion == result.Slower {
			slower++
		}
		if before != nil {
			if x := result.Compare(before, a); x.Opinion != result.Same {
				wrong++
				t.Logf("equal runs: %+v", x.Lines)
			}
		}
		before = a
	}
	if slower < 9 || wrong > 0 {
		t.Errorf("slowed by 10 %%: called slower in %d of 10; equal: told apart in %d of 9", slower, wrong)
	}
}

// Every viewer's outcome is told once.
func TestEach(t *testing.T) {
	told := map[int]int{}
	run := ran(t, "url: "+hls+"\nfor: 90s\narrivals: [{pattern: constant, viewers: 9, for: 3s}]\naudience: [{device: shaka, seek: 30s}]\n", fault.Config{VOD: true}, nil, Options{Each: func(id int, o *viewer.Outcome) {
		told[id]++
		if o.State != viewer.Ended {
			t.Errorf("viewer %d %s", id, o.State)
		}
	}})
	if len(told) != 9 || run.Rounds[0].Viewers.Ended != 9 {
		t.Errorf("%v", told)
	}
}
