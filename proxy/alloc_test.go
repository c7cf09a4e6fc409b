//go:build !race

package proxy

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

// A warm request allocates nothing in Serve, whatever it asks for: what it
// needs lies in the pooled request and Exchange. The listener's own share is
// counted in proxy/benchmarks.
func TestServeDoesNotAllocate(t *testing.T) {
	s := newStage(t, func(c *Config) {
		bare := c.Channels[1]
		bare.Name, bare.Prefix, bare.NoSessions = "bare", "/bare", true
		bare.Cohorts = []CohortConfig{{Name: "dach", MatchConfig: MatchConfig{Countries: []string{"DE", "AT"}}}, {Name: "web", Devices: []string{"dashjs", "hlsjs"}, Tier: "small"}}
		bare.Tiers = []TierConfig{{Name: "full"}, {Name: "small", Filter: manifest.Filter{MaxLines: 720}}}
		c.Channels = append(c.Channels, bare)
		c.Channels[0].Tiers = bare.Tiers
	})
	entry := "/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)
	master := s.get(entry).ok(t)
	address := sessionURI.FindString(master.body)
	media := regexp.MustCompile(`(?m)^/news/~\S+/v360/index\.m3u8$`).FindString(master.body)
	session := strings.Split(address, "/")[2]
	mpdEntry := "/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(nil)
	mpd := regexp.MustCompile(`<Location>https://edge\.example([^<]+)<`).FindStringSubmatch(s.get(mpdEntry).ok(t).body)
	if media == "" || mpd == nil {
		t.Fatal("the stage's manifests hold no session addresses")
	}
	plain := fields{"User-Agent": "test"}
	gzip := fields{"User-Agent": "test", "Accept-Encoding": "gzip, deflate, br"}
	query := "?CMCD=bl%3D21300%2Csid%3D%226e2fb550-c457-11e9-bb97-0800200c9a66%22&_HLS_msn=9"
	for _, c := range []struct {
		what, target string
		header       fields
	}{
		{"media playlist", media, plain},
		{"media playlist, gzip", media, gzip},
		{"media playlist with CMCD", media + query, plain},
		{"multivariant playlist", "/news/" + session + "/-/master.m3u8", plain},
		{"multivariant playlist, gzip", "/news/" + session + "/-/master.m3u8", gzip},
		{"MPD", mpd[1], plain},
		{"MPD, gzip", mpd[1], gzip},
		{"steering answer", "/.manifold/steer/news/" + session + "?_HLS_pathway=%22beta%22&_HLS_throughput=5000000", plain},
		{"entry of a known token", entry, plain},
		{"entry of a known token, gzip", entry, gzip},
		{"entry of a known token in a header", "/news/master.m3u8?device=hlsjs", fields{"Authorization": "Bearer " + s.viewerToken(nil)}},
		{"entry of a channel without sessions", "/bare/manifest.mpd?device=dashjs", gzip},
		{"MPD of a cohort", "/bare/~c.web/alpha/manifest.mpd", gzip},
		{"multivariant playlist of a cohort", "/bare/~c.web/-/master.m3u8", plain},
		{"media playlist of a cohort", "/bare/~c.web/beta/v360/index.m3u8", gzip},
		{"steering answer of a cohort", "/.manifold/steer/bare/~c.web", plain},
		{"entry of a channel without tokens", "/open/manifest.mpd?device=dashjs", gzip},
	} {
		s.ask("GET", c.target, c.header).ok(t)
		if n := testing.AllocsPerRun(200, func() { s.serveOnly(c.target, c.header) }); n != 0 {
			t.Errorf("%s: %v allocations", c.what, n)
		}
	}
}

// So does one that is answered with the version before, because the origin's
// last cannot be served.
func TestStandInDoesNotAllocate(t *testing.T) {
	s := newStage(t, nil)
	const path, target = "/live/v360/index.m3u8", "/open/v360/index.m3u8"
	plain := fields{"User-Agent": "test"}
	for what, bad := range map[string]string{
		"unreadable": "#EXTM3U\n#EXTINF:6,\n#EXT-X-KEY:METHOD=\"\n",
		"went back":  strings.Replace(livePlaylist, "SEQUENCE:7", "SEQUENCE:1", 1),
	} {
		s.publish(path, livePlaylist)
		s.now = s.now.Add(10 * time.Minute)
		s.get(target).ok(t)
		s.publish(path, bad)
		s.now = s.now.Add(7 * time.Second)
		for range 3 {
			if res := s.get(target).ok(t); !strings.Contains(res.body, "SEQUENCE:7\n") {
				t.Fatalf("%s: %s", what, res.body)
			}
		}
		if n := testing.AllocsPerRun(200, func() { s.serveOnly(target, plain) }); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}
