package proxy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"manifold/device"
	"manifold/manifest"
)

const ladder = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",URI="en/index.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="Deutsch",LANGUAGE="de",URI="de/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,FRAME-RATE=25,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="aud"
v360/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,FRAME-RATE=50,CODECS="avc1.64001f,mp4a.40.2",AUDIO="aud"
v720/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1920x1080,FRAME-RATE=50,CODECS="hvc1.2.4.L123,mp4a.40.2",VIDEO-RANGE=PQ,AUDIO="aud"
v1080/index.m3u8
`

const ladderMPD = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" publishTime="2026-11-01T00:00:00Z" minimumUpdatePeriod="PT2S" availabilityStartTime="2026-01-01T00:00:00Z" profiles="urn:mpeg:dash:profile:isoff-live:2011">
  <Period id="1" start="PT0S">
    <AdaptationSet contentType="video">
      <SegmentTemplate timescale="1" duration="2" media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4"/>
      <Representation id="v360" bandwidth="800000" width="640" height="360" codecs="avc1.4d401e"/>
      <Representation id="v720" bandwidth="3000000" width="1280" height="720" codecs="avc1.64001f"/>
      <Representation id="v1080" bandwidth="6000000" width="1920" height="1080" codecs="hvc1.2.4.L123"/>
    </AdaptationSet>
    <AdaptationSet contentType="audio" lang="en">
      <SegmentTemplate timescale="1" duration="2" media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4"/>
      <Representation id="en" bandwidth="64000" codecs="mp4a.40.2"/>
    </AdaptationSet>
    <AdaptationSet contentType="audio" lang="de">
      <SegmentTemplate timescale="1" duration="2" media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4"/>
      <Representation id="de" bandwidth="64000" codecs="mp4a.40.2"/>
    </AdaptationSet>
  </Period>
</MPD>
`

// offered is a stage whose channel "news" has tiers and a ladder to filter.
func offered(t *testing.T, change func(*Config)) *stage {
	s := newStage(t, func(c *Config) {
		c.Sets[0].Pathways = c.Sets[0].Pathways[:1]
		c.Explain = []byte("tell me")
		c.Devices = []device.Profile{{Name: "small-box", MaxHeight: 360, RedundantVariants: true}, {Name: "sdr-box", SDROnly: true}, {Name: "avc-box", Codecs: []string{"avc1", "mp4a"}}}
		c.Channels[0].Tiers = []TierConfig{
			{Name: "basic", Filter: manifest.Filter{MaxLines: 720, Languages: []string{"en"}}},
			{Name: "gold"},
			{Name: "sport", Filter: manifest.Filter{MinLines: 720, Order: manifest.Descending}},
			{Name: "slow", Filter: manifest.Filter{MaxFrameRate: 30}},
			{Name: "thin", Filter: manifest.Filter{MaxBitrate: 100_000, Languages: []string{"fr"}}},
			{Name: "odd", Filter: manifest.Filter{Codecs: []string{"hvc1", "mp4a"}}},
		}
		if change != nil {
			change(c)
		}
	})
	s.publish("/live/master.m3u8", ladder)
	s.publish("/live/manifest.mpd", ladderMPD)
	return s
}

// listing gives the streams that an answer lists, in its order.
func listing(body string) string {
	var out []string
	for _, m := range regexp.MustCompile(`/alpha/(v?[a-z0-9]+)/index|<Representation id="([a-z0-9]+)"`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1]+m[2])
	}
	return strings.Join(out, " ")
}

func TestTiersAndDevicesFilter(t *testing.T) {
	s := offered(t, nil)
	for _, c := range []struct {
		tier, device string
		hls, dash    string
		reasons      string
	}{
		{"gold", "hlsjs", "en de v360 v720 v1080", "v360 v720 v1080 en de", "access.tier"},
		{"basic", "hlsjs", "en v360 v720", "v360 v720 en", "access.tier plan.filter"},
		{"", "hlsjs", "en v360 v720", "v360 v720 en", "access.tier-default plan.filter"},
		{"platinum", "hlsjs", "en v360 v720", "v360 v720 en", "access.tier-unknown plan.filter"},
		{"sport", "hlsjs", "en de v1080 v720", "v720 v1080 en de", "access.tier plan.filter"},
		{"slow", "hlsjs", "en de v360", "v360 v720 v1080 en de", "access.tier plan.filter"}, // the MPD says no frame rates
		{"gold", "small-box", "en de v360", "v360 en de", "access.tier plan.filter"},
		{"gold", "sdr-box", "en de v360 v720", "v360 v720 v1080 en de", "access.tier plan.filter"}, // nor the range
		{"gold", "avc-box", "en de v360 v720", "v360 v720 en de", "access.tier plan.filter"},
		// What fits nobody leaves the smallest picture, and audio as it is.
		{"thin", "hlsjs", "en de v360", "v360 en de", "access.tier plan.filter plan.filter-kept plan.filter-kept"},
		{"sport", "small-box", "en de v360", "v360 en de", "access.tier plan.filter plan.filter-kept"},
		{"odd", "avc-box", "en de v360", "v360 en de", "access.tier plan.filter plan.filter-kept"},
	} {
		claims := jwt.MapClaims{"jti": c.tier + c.device}
		if c.tier != "" {
			claims["tier"] = c.tier
		}
		query := "?device=" + c.device + "&token=" + s.viewerToken(claims)
		for format, want := range map[string]string{"master.m3u8": c.hls, "manifest.mpd": c.dash} {
			res := s.ask("GET", "/news/"+format+query, fields{explainHeader: "tell me"}).ok(t)
			if got := listing(res.body); got != want {
				t.Errorf("tier %q on %s, %s: lists %q, want %q", c.tier, c.device, format, got, want)
			}
			if format == "manifest.mpd" {
				continue // explained like the other
			}
			var told []string
			for _, reason := range strings.Fields(regexp.MustCompile(`"reason":"([^"]+)"|.`).ReplaceAllString(res.header[explainHeader], "$1 ")) {
				if strings.HasPrefix(reason, "access.tier") || strings.HasPrefix(reason, "plan.filter") {
					told = append(told, reason)
				}
			}
			if got := strings.Join(told, " "); got != c.reasons {
				t.Errorf("tier %q on %s: reasons %q, want %q", c.tier, c.device, got, c.reasons)
			}
		}
	}
	events := map[string]uint64{}
	s.proxy.EachEvent(func(channel, event string, n uint64) { events[channel+" "+event] = n })
	if events["news unknown_tier"] != 2 || events["open unknown_tier"] != 0 {
		t.Errorf("events %v", events)
	}
}

// A session says which tier its token named; what that tier offers is the
// configuration's, now.
func TestTierStaysWithTheSession(t *testing.T) {
	s := offered(t, nil)
	first := s.get("/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(jwt.MapClaims{"tier": "gold"})).ok(t)
	address := regexp.MustCompile(`<Location>https://edge\.example([^<]+)<`).FindStringSubmatch(first.body)[1]
	if got := listing(s.get(address).ok(t).body); got != "v360 v720 v1080 en de" {
		t.Errorf("gold lists %q", got)
	}
	s.cfg.Channels[0].Tiers[1].Filter.MaxLines = 720
	if err := s.proxy.Load(s.cfg); err != nil {
		t.Fatal(err)
	}
	if got := listing(s.get(address).ok(t).body); got != "v360 v720 en de" {
		t.Errorf("after a reload gold lists %q", got)
	}
	s.cfg.Channels[0].Tiers = s.cfg.Channels[0].Tiers[:1]
	if err := s.proxy.Load(s.cfg); err != nil {
		t.Fatal(err)
	}
	if got := listing(s.get(address).ok(t).body); got != "v360 v720 en" {
		t.Errorf("a tier that is gone lists %q", got)
	}
}

func TestDefaultTierByName(t *testing.T) {
	s := offered(t, func(c *Config) { c.Channels[0].DefaultTier = "gold" })
	res := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	if got := listing(res.body); got != "en de v360 v720 v1080" {
		t.Errorf("lists %q", got)
	}
}

func TestExplainNamesWhatIsLeftOut(t *testing.T) {
	s := offered(t, nil)
	got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/news/master.m3u8", Device: "sdr-box", Tier: "basic"})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := got.Trace.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tier basic, device sdr-box", "height to 720, SDR, languages en", "variant 1080p 6000 kbit/s PQ", "audio de"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
