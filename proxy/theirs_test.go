package proxy

import (
	"strings"
	"testing"

	"manifold/explain"
)

const steeredPlaylist = `#EXTM3U
#EXT-X-CONTENT-STEERING:SERVER-URI="/steer.json",PATHWAY-ID="one"
#EXT-X-STREAM-INF:BANDWIDTH=800000,PATHWAY-ID="one"
v360/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,PATHWAY-ID="two"
https://two.example/v360/index.m3u8
`

var steeredMPD = strings.Replace(mpd, "  <Period", `  <BaseURL serviceLocation="one">./</BaseURL>
  <BaseURL serviceLocation="two">https://two.example/</BaseURL>
  <ContentSteering defaultServiceLocation="one">https://steer.example/dash</ContentSteering>
  <Period`, 1)

func TestOriginsOwnSteering(t *testing.T) {
	const (
		ours   = "https://edge.example/.manifold/steer/news/~"
		theirs = "https://steer.example/dash"
	)
	for _, c := range []struct {
		what            string
		theirs          OriginSteering
		enabled         bool
		device          string
		ours, keeps     bool
		reason          explain.Reason
		pathways, lacks string
	}{
		{"replaced", OriginSteeringReplaced, true, "shaka", true, false, explain.PlanTheirsReplaced, "alpha beta gamma", "two.example"},
		{"replaced by none", OriginSteeringReplaced, false, "shaka", false, false, explain.PlanTheirsRemoved, "", "two.example"},
		{"replaced, player does not steer", OriginSteeringReplaced, true, "tizen", false, false, explain.PlanTheirsRemoved, "", "two.example"},
		{"kept", OriginSteeringKept, true, "shaka", false, true, explain.PlanTheirsKept, "one two", "gamma"},
		{"kept, ours is off", OriginSteeringKept, false, "shaka", false, true, explain.PlanTheirsKept, "one two", "gamma"},
		{"kept, player does not steer", OriginSteeringKept, true, "tizen", false, false, explain.PlanTheirsRemoved, "", "two.example"},
		{"removed", OriginSteeringRemoved, true, "shaka", false, false, explain.PlanTheirsRemoved, "", "two.example"},
	} {
		s := newStage(t, func(cfg *Config) {
			cfg.Channels[0].OriginSteering, cfg.Channels[0].Steering = c.theirs, c.enabled
		})
		s.publish("/live/master.m3u8", steeredPlaylist)
		s.publish("/live/manifest.mpd", steeredMPD)
		for _, name := range []string{"master.m3u8", "manifest.mpd"} {
			got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/news/" + name, Device: c.device})
			if err != nil || got.Status != 200 {
				t.Fatal(err, got.Status)
			}
			body := got.Body
			server := s.url + "/steer.json"
			if name == "manifest.mpd" {
				server = theirs
			}
			if strings.Contains(body, ours) != c.ours || strings.Contains(body, server) != c.keeps {
				t.Errorf("%s, %s: ours %v, theirs %v\n%s", c.what, name, c.ours, c.keeps, body)
			}
			if n := strings.Count(body, "CONTENT-STEERING") + strings.Count(body, "<ContentSteering"); n > 1 || (n == 1) != (c.ours || c.keeps) {
				t.Errorf("%s, %s: steering is declared %d times\n%s", c.what, name, n, body)
			}
			for _, id := range strings.Fields(c.pathways) {
				if !strings.Contains(body, `PATHWAY-ID="`+id+`"`) && !strings.Contains(body, `serviceLocation="`+id+`"`) {
					t.Errorf("%s, %s: pathway %s is not in\n%s", c.what, name, id, body)
				}
			}
			if c.keeps && !strings.Contains(body, "two.example") || strings.Contains(body, `"gamma"`) && c.lacks == "gamma" {
				t.Errorf("%s, %s:\n%s", c.what, name, body)
			}
			if !strings.Contains(reasons(got.Trace), string(c.reason)) {
				t.Errorf("%s, %s: %s", c.what, name, reasons(got.Trace))
			}
		}
	}
	// A manifest that declares none gets ours, whatever becomes of the origin's.
	for _, what := range []OriginSteering{OriginSteeringKept, OriginSteeringRemoved} {
		s := newStage(t, func(cfg *Config) { cfg.Channels[0].OriginSteering = what })
		for _, name := range []string{"master.m3u8", "manifest.mpd"} {
			if body := s.get("/news/" + name + "?device=shaka&token=" + s.viewerToken(nil)).ok(t).body; !strings.Contains(body, ours) {
				t.Errorf("%d, %s:\n%s", what, name, body)
			}
		}
	}
}
