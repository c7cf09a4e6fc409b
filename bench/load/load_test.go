package load

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"manifold/bench/result"
	"manifold/bench/scenario"
	"manifold/bench/viewer"
	"manifold/internal/testkit/fault"
)

// ran runs a scenario against a stream, on a simulated clock.
func ran(t *testing.T, text string, cfg fault.Config, change func(h http.Handler) http.Handler, each func(int, *viewer.Outcome)) *result.Run {
	t.Helper()
	s, err := scenario.Parse("test.yml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	var run *result.Run
	synctest.Test(t, func(t *testing.T) {
		cfg.Now = time.Now
		cfg.Epoch = time.Now().Add(-87 * time.Second)
		var h http.Handler = fault.New(cfg)
		if change != nil {
			h = change(h)
		}
		if run, err = Run(t.Context(), s, Options{Transport: fault.Transport{Handler: h}, Each: each}); err != nil {
			t.Fatal(err)
		}
	})
	return run
}

func TestSmoke(t *testing.T) {
	for _, u := range []string{"http://edge.test/master.m3u8", "http://edge.test/manifest.mpd"} {
		for _, cfg := range []fault.Config{{}, {VOD: true}, {Steered: true}} {
			for _, d := range viewer.Names() {
				run := ran(t, "url: "+u+"\nfor: 90s\narrivals: [{pattern: constant, viewers: 4, for: 2s}]\nmedia: 50%\naudience: [{device: "+d+", session: none}]\n", cfg, nil, func(i int, o *viewer.Outcome) { t.Logf("%d %+v", i, *o) })
				for _, c := range run.Rounds[0].Requests {
					t.Logf("%s %s %v: %s %d %v", u, d, cfg.VOD, c.Name, c.Count, c.Said)
				}
			}
		}
	}
}
