package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"manifold/origin"
)

func TestCounts(t *testing.T) {
	s := newStage(t, nil)
	token := s.viewerToken(nil)
	for range 3 {
		s.get("/news/master.m3u8?device=hlsjs&token=" + token).ok(t)
	}
	s.get("/news/master.m3u8")
	s.get("/nowhere")
	s.get("/open/manifest.mpd").ok(t)
	if err := s.proxy.Load(s.cfg); err != nil { // a reload keeps the counts
		t.Fatal(err)
	}
	if _, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/open/manifest.mpd"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	s.proxy.EachCount(func(c Count) {
		got = append(got, fmt.Sprintf("%s/%s/%s/%d=%d", c.Channel, c.Kind, c.Protocol, c.Class, c.Requests))
	})
	slices.Sort(got)
	const want = "/other/h2/4=1 news/multivariant/h2/2=3 news/other/h2/4=1 open/mpd/h2/2=1"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	var refused []string
	s.get("/open/broken.m3u8")
	s.get("/open/junk.mpd")
	s.ask("POST", "/open/master.m3u8", nil)
	s.proxy.EachRefusal(func(channel, stage string, n uint64) {
		refused = append(refused, fmt.Sprintf("%s/%s=%d", channel, stage, n))
	})
	slices.Sort(refused)
	if got, want := strings.Join(refused, " "), "/listen=1 /route=1 news/access=1 open/compile=1 open/fetch=1"; got != want {
		t.Errorf("refused: %s, want %s", got, want)
	}
	bytes := 0
	s.proxy.EachBytes(func(channel, kind string, n uint64) {
		if channel == "news" && kind == "multivariant" {
			bytes = int(n)
		}
	})
	if bytes == 0 {
		t.Error("no bytes were counted")
	}
	at := map[string]origin.GroupCounters{}
	s.proxy.EachShield(func(channel string, c origin.GroupCounters) { at[channel] = c })
	// broken.m3u8 and junk.mpd are asked for once, manifest.mpd twice.
	if c := at["open"]; len(at) != len(s.cfg.Channels) || c.Misses+c.Failed != 3 || c.Hits != 1 || c.OriginRequests < 3 || at["news"].Hits != 2 {
		t.Errorf("at the shield: %+v", at)
	}
}
