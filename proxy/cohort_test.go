package proxy

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/exchange"
	"manifold/manifest"
	"manifold/session"
)

const livePlaylist = `#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:7
#EXTINF:6.000,
seg7.m4s
#EXTINF:6.000,
seg8.m4s
`

// public is a stage whose channel "open" has cohorts and no sessions.
func public(t *testing.T, change func(*Config)) *stage {
	s := newStage(t, func(c *Config) {
		c.Explain = []byte("tell me")
		open := &c.Channels[1]
		open.NoSessions = true
		open.Tiers = []TierConfig{{Name: "full"}, {Name: "small", Filter: manifest.Filter{MaxLines: 720}}}
		open.Cohorts = []CohortConfig{
			{Name: "all", Tier: "full"}, // comes last wherever it stands
			{Name: "box", Devices: []string{"tizen", "webos"}, Tier: "small"},
			{Name: "lan", MatchConfig: MatchConfig{Addresses: []string{"10.0.0.0/8"}}, Devices: []string{"hlsjs", "dashjs"}},
			{Name: "web-hls", Devices: []string{"hlsjs"}},
			{Name: "web-dash", Devices: []string{"dashjs"}},
		}
		if change != nil {
			change(c)
		}
	})
	s.publish("/live/master.m3u8", ladder)
	s.publish("/live/v360/index.m3u8", livePlaylist)
	s.publish("/live/manifest.mpd", ladderMPD)
	return s
}

// from asks as a viewer at an address does.
func (s *stage) from(addr, target string, header fields) response {
	s.t.Helper()
	ex := exchange.Acquire(context.Background(), nil)
	defer exchange.Release(ex)
	ex.Protocol, ex.TLS, ex.Method, ex.Host, ex.Header = exchange.HTTP2, true, "GET", "edge.example", header
	ex.Remote = netip.AddrPortFrom(netip.MustParseAddr(addr), 4000)
	if err := ex.SetTarget(target); err != nil {
		s.t.Fatal(err)
	}
	s.proxy.Serve(ex)
	res := response{status: ex.Status, body: string(ex.Content()), header: map[string]string{}}
	for _, f := range ex.Fields() {
		res.header[f.Name] = strings.Clone(f.Value)
	}
	return res
}

func TestEntryLeadsIntoTheCohort(t *testing.T) {
	s := public(t, nil)
	for _, c := range []struct{ addr, agent, device, cohort, lists string }{
		{"192.0.2.1", "x", "hlsjs", "web-hls", "en de v360 v720 v1080"},
		{"192.0.2.1", "x", "dashjs", "web-dash", "en de v360 v720 v1080"},
		{"10.1.2.3", "x", "hlsjs", "lan", "en de v360 v720 v1080"},
		{"192.0.2.1", "Mozilla Tizen 7", "", "box", "en de v360 v720"},
		{"192.0.2.1", "x", "shaka", "all", "en de v360 v720 v1080"},
		{"192.0.2.1", "nobody", "", "all", "en de v360 v720 v1080"},
	} {
		target := "/open/master.m3u8"
		if c.device != "" {
			target += "?device=" + c.device
		}
		res := s.from(c.addr, target, fields{"User-Agent": c.agent}).ok(t)
		addresses := regexp.MustCompile(`/open/~c\.([a-z-]+)/([a-z]+)/`).FindAllStringSubmatch(res.body, -1)
		if len(addresses) == 0 || strings.Contains(res.body, "~A") {
			t.Fatalf("%+v: %s", c, res.body)
		}
		var first []string
		for _, m := range addresses {
			if m[1] != c.cohort {
				t.Errorf("%+v: cohort %s", c, m[1])
			}
			if m[2] == addresses[0][2] {
				first = append(first, m[2])
			}
		}
		if want := len(strings.Fields(c.lists)); len(first) != want {
			t.Errorf("%+v: %d streams at the first pathway, want %d:\n%s", c, len(first), want, res.body)
		}
		if res.header["Cache-Control"] != "private, max-age=30" {
			t.Errorf("%+v: Cache-Control %q", c, res.header["Cache-Control"])
		}
		if steered := strings.Contains(res.body, `SERVER-URI="https://edge.example/.manifold/steer/open/~c.web-hls"`); steered != (c.cohort == "web-hls") {
			t.Errorf("%+v: steered %v\n%s", c, steered, res.body)
		}
	}
}

// What caches may share is the same bytes for everybody, whatever they say of
// themselves and wherever they are.
func TestCohortAddressesAreTheSameForAll(t *testing.T) {
	s := public(t, func(c *Config) {
		c.Sets[0].Pathways[1].Only = []MatchConfig{{Countries: []string{"DE"}}}
	})
	for target, control := range map[string]string{
		"/open/~c.web-hls/alpha/v360/index.m3u8": "public, max-age=1", // fresh here for a second
		"/open/~c.web-dash/gamma/manifest.mpd":   "public, max-age=1",
		"/open/~c.box/-/master.m3u8":             "public, max-age=1",
		"/open/~c.gone/alpha/v360/index.m3u8":    "public, max-age=1",
	} {
		first := s.from("192.0.2.1", target, fields{"User-Agent": "a"}).ok(t)
		if first.header["Cache-Control"] != control || first.header["Vary"] != "Accept-Encoding" {
			t.Errorf("%s: header %v", target, first.header)
		}
		for _, addr := range []string{"10.0.0.1", "2001:db8::1", "203.0.113.200"} {
			for _, query := range []string{"", "?device=conservative", "?CMCD=sid%3D%22x%22", "?token=x.y.z"} {
				again := s.from(addr, target+query, fields{"User-Agent": "Mozilla Tizen", "Authorization": "Bearer x.y.z", "Cookie": "token=1"})
				if again.body != first.body || again.status != 200 || again.header["Cache-Control"] != control {
					t.Errorf("%s: %s with %q is answered by %d\n%s", target, addr, query, again.status, again.body)
				}
			}
		}
	}
}

// The lifetime is at most half the target duration, and at most what is left
// of the origin's.
func TestCohortLifetimes(t *testing.T) {
	s := public(t, nil)
	long := func(path, body string) {
		s.publish(path, body)
		s.mu.Lock()
		f := s.files[path]
		f.cacheControl = "max-age=600"
		s.files[path] = f
		s.mu.Unlock()
	}
	long("/live/v360/index.m3u8", livePlaylist)
	long("/live/short/index.m3u8", strings.Replace(livePlaylist, "DURATION:6", "DURATION:1", 1))
	long("/live/vod/index.m3u8", livePlaylist+"#EXT-X-ENDLIST\n")
	long("/live/master.m3u8", ladder)
	for target, want := range map[string]string{
		"/open/~c.all/alpha/v360/index.m3u8":  "public, max-age=3",
		"/open/~c.all/alpha/short/index.m3u8": "public, max-age=0",
		"/open/~c.all/alpha/vod/index.m3u8":   "public, max-age=3",
		"/open/~c.all/-/master.m3u8":          "public, max-age=1",
		"/open/master.m3u8":                   "private, max-age=30",
		"/open/v360/index.m3u8":               "private, no-store",
	} {
		s.get(target).ok(t) // the first one finds out what it is
		if got := s.get(target).ok(t).header["Cache-Control"]; got != want {
			t.Errorf("%s: Cache-Control %q, want %q", target, got, want)
		}
	}
	s.now = s.now.Add(5 * time.Second) // of the six that a live playlist is fresh
	if got := s.get("/open/~c.all/alpha/v360/index.m3u8").ok(t).header["Cache-Control"]; got != "public, max-age=1" {
		t.Errorf("near its end: %q", got)
	}
	if got := s.ask("GET", "/open/~c.all/-/master.m3u8", fields{explainHeader: "tell me"}).ok(t); got.header["Cache-Control"] != "private, no-store" {
		t.Errorf("an explained answer may be kept: %v", got.header)
	}
	if got := s.get("/open/~c.all/alpha/absent.m3u8"); got.status != 404 || got.header["Cache-Control"] != "no-store" {
		t.Errorf("an error: %+v", got)
	}
}

func TestCohortsSplitAtTheEntryAndStay(t *testing.T) {
	s := public(t, nil)
	location := regexp.MustCompile(`<Location>https://edge\.example(/open/~c\.web-dash/([a-z]+)/manifest\.mpd)</Location>`)
	seen := map[string]int{}
	for i := range 60 {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String()
		res := s.from(addr, "/open/manifest.mpd?device=dashjs", fields{"User-Agent": "x"}).ok(t)
		m := location.FindStringSubmatch(res.body)
		first := regexp.MustCompile(`<BaseURL serviceLocation="([a-z]+)"`).FindStringSubmatch(res.body)
		if m == nil || first[1] != m[2] {
			t.Fatal(res.body)
		}
		again := s.from("203.0.113.1", m[1], fields{}).ok(t)
		if stays := regexp.MustCompile(`<BaseURL serviceLocation="([a-z]+)"`).FindStringSubmatch(again.body); stays[1] != m[2] {
			t.Errorf("%s leads to %s first", m[1], stays[1])
		}
		// The steering server, asked by the same viewer, says the same.
		steer := regexp.MustCompile(`>https://edge\.example(/\.manifold/steer/open/[^<]+)<`).FindStringSubmatch(res.body)
		answer := s.from(addr, steer[1], fields{"User-Agent": "x"}).ok(t)
		if !strings.Contains(answer.body, `"PATHWAY-PRIORITY":["`+m[2]+`"`) || !strings.Contains(answer.body, `"RELOAD-URI":"https://edge.example`+steer[1]+`"`) || answer.header["Cache-Control"] != "no-store" {
			t.Errorf("the entry says %s, the steering server %s", m[2], answer.body)
		}
		seen[m[2]]++
	}
	if len(seen) != 3 {
		t.Errorf("60 viewers were sent to %v", seen)
	}
	// A drain moves shared answers too.
	if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "test", Why: "test"}); err != nil {
		t.Fatal(err)
	}
	if body := s.get("/open/~c.web-dash/alpha/manifest.mpd").ok(t).body; strings.Contains(strings.SplitAfter(body, "</BaseURL>")[0], "alpha") {
		t.Error(body)
	}
	if body := s.get("/open/~c.box/alpha/v360/index.m3u8").ok(t).body; strings.Contains(body, "a.example") {
		t.Error(body)
	}
}

func TestCohortAddressTrustsTheEntry(t *testing.T) {
	s := public(t, func(c *Config) {
		for i := range c.Sets[0].Pathways {
			c.Sets[0].Pathways[i].Only = []MatchConfig{{Countries: []string{"DE"}}}
		}
	})
	if res := s.get("/open/master.m3u8"); res.status != 403 {
		t.Errorf("the entry let a viewer in whom no CDN may serve: %d", res.status)
	}
	if body := s.get("/open/~c.all/beta/v360/index.m3u8").ok(t).body; !strings.Contains(body, "https://b.example/") {
		t.Error(body)
	}
	if res := s.get("/open/~c.all/-/master.m3u8"); res.status != 403 {
		t.Errorf("nothing is known of the viewers, and they were let in: %d", res.status)
	}
}

func TestCohortAddressesAreForChannelsWithoutSessions(t *testing.T) {
	s := public(t, nil)
	for _, target := range []string{"/news/~c.all/alpha/v360/index.m3u8", "/.manifold/steer/news/~c.all", "/open/~c./alpha/v360/index.m3u8", "/open/~c.all/delta/v360/index.m3u8"} {
		if res := s.get(target); res.status != 404 && res.status != 401 {
			t.Errorf("%s: %d", target, res.status)
		}
	}
}

// A channel with sessions has cohorts too: they decide what is offered where
// the token does not.
func TestCohortsOfSessions(t *testing.T) {
	s := offered(t, func(c *Config) {
		c.Channels[0].DefaultTier = "gold"
		c.Channels[0].Cohorts = []CohortConfig{
			{Name: "premium", Tiers: []string{"sport"}},
			{Name: "far", MatchConfig: MatchConfig{Countries: []string{"NZ"}}, Tier: "basic"},
		}
	})
	for _, c := range []struct{ country, tier, lists, reasons string }{
		{"DE", "", "en de v360 v720 v1080", "access.tier-default"},
		{"NZ", "", "en v360 v720", "access.tier-cohort access.cohort"},
		{"NZ", "nonsense", "en v360 v720", "access.tier-cohort access.cohort"},
		{"NZ", "gold", "en de v360 v720 v1080", "access.tier access.cohort"},
		{"NZ", "sport", "en de v1080 v720", "access.tier access.cohort"},
	} {
		got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/news/master.m3u8", Device: "hlsjs", Country: session.CountryOf(c.country), Tier: c.tier})
		if err != nil {
			t.Fatal(err)
		}
		if lists := listing(got.Body); lists != c.lists || !strings.Contains(reasons(got.Trace), c.reasons) {
			t.Errorf("%+v: lists %q because of %s", c, lists, reasons(got.Trace))
		}
	}
	// The session remembers the cohort.
	res := s.get("/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(jwt.MapClaims{"tier": "sport"})).ok(t)
	at := regexp.MustCompile(`<Location>https://edge\.example([^<]+)<`).FindStringSubmatch(res.body)[1]
	told := s.ask("GET", at, fields{explainHeader: "tell me"}).ok(t).header[explainHeader]
	if !strings.Contains(told, `"access.cohort-session","subject":"premium"`) {
		t.Error(told)
	}
}

func TestExplainCohortAddresses(t *testing.T) {
	s := public(t, nil)
	for target, want := range map[string]string{
		"/open/master.m3u8?device=hlsjs":     "access.open access.tier-default access.cohort device.cohort",
		"/open/~c.all/alpha/manifest.mpd":    "choose.address choose.split choose.split",
		"/open/~c.box/-/master.m3u8":         "access.shared access.tier-cohort access.cohort-address device.cohort",
		"/open/~c.removed/-/master.m3u8":     "access.shared access.tier-cohort access.cohort-gone device.cohort",
		"/.manifold/steer/open/~c.web-hls":   "access.open access.tier-default access.cohort-address device.cohort",
		"/open/v360/index.m3u8?device=hlsjs": "plan.redirect",
	} {
		got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example" + target})
		if err != nil {
			t.Fatal(err)
		}
		if r := reasons(got.Trace); !strings.Contains(r, want) {
			t.Errorf("%s: %s", target, r)
		}
	}
	if res := s.get("/open/v360/index.m3u8?device=hlsjs"); res.status != 302 || !regexp.MustCompile(`^/open/~c\.web-hls/[a-z]+/v360/index\.m3u8$`).MatchString(res.header["Location"]) {
		t.Errorf("%+v", res)
	}
}
