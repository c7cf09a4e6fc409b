package proxy

import (
	"regexp"
	"testing"
	"time"

	"manifold/explain"
	"manifold/steering"
)

var published = regexp.MustCompile(`publishTime="([^"]+)"`)

// publishTime is what the live MPD says of itself.
func (s *stage) publishTime() string {
	s.t.Helper()
	return published.FindStringSubmatch(s.get("/open/manifest.mpd?device=dashjs").ok(s.t).body)[1]
}

func TestPublishTimeRisesWithOurChanges(t *testing.T) {
	made := time.Date(2026, 11, 20, 8, 0, 0, 500, time.UTC)
	start := func() *stage {
		s := newStage(t, func(c *Config) {
			c.Since = made
			c.Sets[0].Pathways[0].Capacity = 100
		})
		s.publish("/live/manifest.mpd", ladderMPD) // published on 2026-11-01
		return s
	}
	s, twin := start(), start()
	twin.now = twin.now.Add(42 * time.Minute) // started later
	now := func(d time.Duration) string { return s.now.Add(d).Format(time.RFC3339) }
	conditions := s.proxy.Conditions()
	last := ""
	step := func(what, want string, change func() error) {
		t.Helper()
		if change != nil {
			if err := change(); err != nil {
				t.Fatal(err)
			}
		}
		got := s.publishTime()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		if got < last {
			t.Errorf("%s: it went back from %s", what, last)
		}
		last = got
	}
	step("the configuration", "2026-11-20T08:00:01Z", nil)
	if got := twin.publishTime(); got != last {
		t.Errorf("another edge says %s", got)
	}
	drain := &Drain{Who: "ops", Why: "test", Since: s.now.Add(-time.Minute), Until: s.now.Add(time.Hour)}
	step("a drain, as of its own time", now(-time.Minute), func() error { return conditions.SetDrain("public", "alpha", drain) })
	if err := twin.proxy.Conditions().SetDrain("public", "alpha", drain); err != nil || twin.publishTime() != last {
		t.Errorf("another edge that was told the same says %s", twin.publishTime())
	}
	step("the same drain again", last, func() error { return conditions.SetDrain("public", "alpha", drain) })
	step("a failure", now(0), func() error { return conditions.SetHealth("public", "beta", steering.Down, "test") })
	step("the same again", last, func() error { return conditions.SetHealth("public", "beta", steering.Down, "test") })
	step("another one in the same second", now(time.Second), func() error { return conditions.SetHealth("public", "beta", steering.Degraded, "test") })
	step("a load below its bound", last, func() error { return conditions.SetLoad("public", "alpha", 90) })
	step("a load above its bound", now(2*time.Second), func() error { return conditions.SetLoad("public", "alpha", 110) })
	step("a load that stays above", last, func() error { return conditions.SetLoad("public", "alpha", 120) })
	s.now = s.now.Add(10 * time.Second)
	step("an override", now(0), func() error {
		return conditions.AddOverride("public", Override{ID: "1", Pathway: "gamma", Who: "ops", Why: "test", Since: s.now, Until: s.now.Add(2 * time.Hour)})
	})
	s.now = s.now.Add(time.Hour - 10*time.Second)
	step("the drain ends by itself", now(0), nil)
	s.now = s.now.Add(time.Minute)
	step("nothing", last, nil)
	step("a drain that is told late", now(-time.Minute+time.Second), func() error {
		return conditions.SetDrain("public", "beta", &Drain{Who: "ops", Why: "test", Since: s.now.Add(-time.Hour)})
	})
	step("undone", now(0), func() error { return conditions.SetDrain("public", "beta", nil) })
	step("undone twice", last, func() error { return conditions.SetDrain("public", "beta", nil) })
	s.now = s.now.Add(time.Minute)
	step("the override is taken back", now(0), func() error { return conditions.RemoveOverride("public", "1") })
	step("the same configuration", last, func() error { return s.proxy.Load(s.cfg) })
	s.now = s.now.Add(time.Minute)
	s.cfg.Since = s.now.Add(-10 * time.Second)
	step("a new configuration", now(-10*time.Second), func() error { return s.proxy.Load(s.cfg) })
	s.cfg.Since = made
	step("the one before it again", now(0), func() error { return s.proxy.Load(s.cfg) })
	s.now = s.now.Add(time.Minute)
	s.cfg.Since = time.Time{}
	step("one without a time", last, func() error { return s.proxy.Load(s.cfg) })
}

func TestExplainTellsOfOurLastChange(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Since = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC) })
	for name, want := range map[string]bool{"manifest.mpd": true, "master.m3u8": false} {
		got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/open/" + name, Device: "dashjs"})
		if err != nil {
			t.Fatal(err)
		}
		told := false
		for _, e := range got.Trace.Entries {
			told = told || e.Reason == explain.PlanSince && e.Subject == "2026-11-20T08:00:00Z"
		}
		if told != want {
			t.Errorf("%s: %s", name, reasons(got.Trace))
		}
	}
}

// What the origin published later than our last change keeps its time, and so
// does a manifest that is not live.
func TestPublishTimeOfTheOriginStays(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Since = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC) })
	s.publish("/live/manifest.mpd", published.ReplaceAllString(ladderMPD, `publishTime="2026-11-23T11:59:59.5Z"`))
	if got := s.publishTime(); got != "2026-11-23T11:59:59.5Z" {
		t.Error(got)
	}
	vod := regexp.MustCompile(`type="dynamic"`).ReplaceAllString(ladderMPD, `type="static"`)
	s.publish("/live/manifest.mpd", vod)
	s.now = s.now.Add(10 * time.Second)
	if got := s.publishTime(); got != "2026-11-01T00:00:00Z" {
		t.Error(got)
	}
}
