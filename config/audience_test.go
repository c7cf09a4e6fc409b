package config

import (
	"reflect"
	"testing"
	"time"

	"manifold/device"
	"manifold/manifest"
	"manifold/proxy"
	"manifold/steering"
)

// What a file says of the audience and of CDNs reaches the packages whole.
func TestAudience(t *testing.T) {
	cfg, err := Parse("", []byte(`
regions: {dach: [DE, AT, CH]}
devices:
  - {name: hlsjs, max_height: 1080, codecs: [avc1, mp4a], hdr: false}
  - {name: own-box, redirects: true}
pathways:
  main:
    - {id: a, base: "https://a.example", only: [{regions: [dach], countries: [FR], asns: [3320], addresses: [10.0.0.0/8]}], capacity: 7.5, commit: 2, health: degraded}
    - id: b
      base: https://b.example
      never: [{regions: [dach]}]
      prefer: [{addresses: ["2001:db8::/32"]}]
      probe: {url: "https://b.example/up", every: 1s, slow: 300ms, cool_down: 1m}
channels:
  - name: news
    origin: {urls: ["https://origin.example"], policy: {sequence_guard: 9s}}
    pathways: main
    steering: {dwell: 2m, origin: keep}
    default_tier: gold
    tiers:
      - {name: basic, min_height: 1, max_height: 720, min_bitrate: 2, max_bitrate: 3000000, max_frame_rate: 29.97, codecs: avc1, hdr: false, languages: [de, "*"], subtitles: [pt-BR], order: ascending, start_bitrate: 900000}
      - {name: gold, order: descending}
    cohorts:
      - {name: dach, regions: [dach], countries: [LI], asns: [1], addresses: [10.0.0.0/8], devices: [hlsjs, own-box], tiers: [basic, gold], tier: gold}
  - {name: open, origin: "https://origin.example", pathways: main, sessions: none, steering: {dwell: none, origin: remove}}
`))
	if err != nil {
		t.Fatal(err)
	}
	degraded := steering.Degraded
	dach := []string{"DE", "AT", "CH"}
	a, b := cfg.Proxy.Sets[0].Pathways[0], cfg.Proxy.Sets[0].Pathways[1]
	news, open := cfg.Proxy.Channels[0], cfg.Proxy.Channels[1]
	table, err := device.NewTable(cfg.Proxy.Devices)
	if err != nil {
		t.Fatal(err)
	}
	hlsjs, own := table.ByName("hlsjs"), table.ByName("own-box")
	for what, c := range map[string]struct{ got, want any }{
		"only":          {a.Only, []proxy.MatchConfig{{Countries: []string{"FR", "DE", "AT", "CH"}, ASNs: []uint32{3320}, Addresses: []string{"10.0.0.0/8"}}}},
		"capacity":      {a.Capacity, 7.5},
		"commit":        {a.Commit, 2.0},
		"health":        {a.Health, &degraded},
		"health, auto":  {b.Health, (*steering.Health)(nil)},
		"never":         {b.Never, []proxy.MatchConfig{{Countries: dach}}},
		"prefer":        {b.Prefer, []proxy.MatchConfig{{Addresses: []string{"2001:db8::/32"}}}},
		"slow":          {cfg.Probes[0].Slow, 300 * time.Millisecond},
		"cool-down":     {cfg.Probes[0].CoolDown, time.Minute},
		"guard":         {news.Origin.Policy.SequenceGuard, 9 * time.Second},
		"dwell":         {news.Dwell, 2 * time.Minute},
		"dwell, none":   {open.Dwell, time.Duration(-1)},
		"origin keep":   {news.OriginSteering, proxy.OriginSteeringKept},
		"origin remove": {open.OriginSteering, proxy.OriginSteeringRemoved},
		"default tier":  {news.DefaultTier, "gold"},
		"sessions":      {[]bool{news.NoSessions, open.NoSessions}, []bool{false, true}},
		"tiers": {news.Tiers, []proxy.TierConfig{
			{Name: "basic", Filter: manifest.Filter{
				MinLines: 1, MaxLines: 720, MinBitrate: 2, MaxBitrate: 3000000, MaxFrameRate: 29.97, Codecs: []string{"avc1"}, SDROnly: true,
				Languages: []string{"de", "*"}, Subtitles: []string{"pt-BR"}, Order: manifest.Ascending, StartBitrate: 900000,
			}},
			{Name: "gold", Filter: manifest.Filter{Order: manifest.Descending}},
		}},
		"cohorts": {news.Cohorts, []proxy.CohortConfig{{
			Name:        "dach",
			MatchConfig: proxy.MatchConfig{Countries: []string{"LI", "DE", "AT", "CH"}, ASNs: []uint32{1}, Addresses: []string{"10.0.0.0/8"}},
			Devices:     []string{"hlsjs", "own-box"}, Tiers: []string{"basic", "gold"}, Tier: "gold",
		}}},
		"device": {[]any{hlsjs.MaxHeight, hlsjs.Codecs, hlsjs.SDROnly}, []any{1080, []string{"avc1", "mp4a"}, true}},
		// What a file has no key for stays as it was shipped.
		"device, shipped": {[]any{hlsjs.Interstitials, hlsjs.Define, hlsjs.Steering, hlsjs.Evict}, []any{true, true, device.SteersHLS, 404}},
		"device, own":     {[]any{own.Redirects, own.SDROnly, own.Gzip, own.Interstitials}, []any{true, false, false, false}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", what, c.got, c.want)
		}
	}
}
