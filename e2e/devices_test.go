package e2e

import (
	"strings"
	"testing"
	"time"

	"manifold/internal/testkit/browser"
)

// Players that are not steered, each with its way to stay in its session: the
// conservative profile's HLS and DASH, and a player that entered at a media
// playlist and was sent to its session address, all of which a drain moves when
// they reload; and one that is not redirected, asks at the entry for ever, and is given the
// same session and the same CDN every time.
func (s *stage) devices(t *testing.T, b *browser.Browser) {
	began := time.Now()
	cases := []struct {
		watching
		entries, reloads func(n int) bool
	}{
		{watching{player: browser.HLSJS, device: "conservative", file: "master.m3u8"}, once, many},
		{watching{player: browser.DashJS, device: "conservative", file: "manifest.mpd"}, once, many},
		{watching{player: browser.HLSJS, device: "hlsjs", file: "v144/index.m3u8"}, once, many},
		{watching{player: browser.HLSJS, device: "conservative", file: "v144/index.m3u8", first: "beta", unnamed: true}, many, never},
	}
	var viewers []*viewer
	for _, c := range cases {
		viewers = append(viewers, s.watch(t, b, liveProgramme, c.watching))
	}
	moving, staying := viewers[:3], viewers[3:]
	for _, v := range viewers {
		v.WaitPlayed(5*time.Second, 60*time.Second)
	}
	for _, v := range moving {
		if n := s.served(began, v.session); n["alpha"] == 0 || len(n) != 1 {
			t.Errorf("%s: served by %v, want alpha alone", v.name, n)
		}
	}
	s.drainAlpha(t, moving)
	for _, v := range moving {
		undisturbed(t, v)
	}
	for _, v := range staying {
		if n := s.served(began, v.session); n["beta"] < 3 || len(n) != 1 {
			t.Errorf("%s: served by %v, want beta alone", v.name, n)
		}
	}
	for i, v := range viewers {
		t.Run(v.name, func(t *testing.T) {
			unbroken(t, v.Playback)
			list := v.Resources()
			s.overH3(t, list)
			entries, reloads := s.manifests(t, liveProgramme, list)
			if !cases[i].entries(entries) || !cases[i].reloads(reloads) {
				t.Errorf("asked %d times at the entry and %d times in the session", entries, reloads)
			}
			for _, r := range list {
				if strings.Contains(r.URL, "/.manifold/steer/") {
					t.Errorf("asked the steering server: %s", r.URL)
				}
			}
		})
	}
}

func once(n int) bool  { return n == 1 }
func many(n int) bool  { return n >= 3 }
func never(n int) bool { return n == 0 }
