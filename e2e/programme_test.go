package e2e

import (
	"testing"
	"time"

	"manifold/demo"
	"manifold/internal/testkit/browser"
)

// programme is one of the demo's channels, and how it is watched.
type programme struct {
	channel string
	live    bool
	buffer  time.Duration // that the player keeps ahead
	delay   time.Duration // behind the live edge
}

var (
	vodProgramme  = programme{channel: "vod", buffer: 15 * time.Second}
	liveProgramme = programme{channel: "live", live: true, buffer: 10 * time.Second, delay: 20 * time.Second}
)

// vodLength is that of the demo's VOD programme.
const vodLength = 2 * time.Minute

// players are the three that steer, each with what it is known as.
var players = []struct {
	player       browser.Player
	device, file string
}{
	{browser.HLSJS, "hlsjs", "master.m3u8"},
	{browser.DashJS, "dashjs", "manifest.mpd"},
	{browser.Shaka, "shaka", "manifest.mpd"},
}

// programme has all three players watch one programme over HTTP/3 while alpha,
// their first choice, is drained, taken back, and then taken down.
func (s *stage) programme(t *testing.T, b *browser.Browser, p programme) {
	began := time.Now()
	var viewers []*viewer
	for _, c := range players {
		viewers = append(viewers, s.watch(t, b, p, watching{player: c.player, device: c.device, file: c.file}))
	}
	for _, v := range viewers {
		v.WaitPlayed(3*time.Second, 60*time.Second)
		if n := s.served(began, v.session); n["alpha"] == 0 || len(n) != 1 {
			t.Errorf("%s: served by %v, want alpha alone", v.name, n)
		}
	}
	s.drainAlpha(t, viewers)
	for _, v := range viewers {
		s.awaitServed(t, v, 40*time.Second, only("alpha")) // back again
	}

	if p.live {
		s.awaitWindow(t, time.Minute)
	}
	played := make([]time.Duration, len(viewers))
	for i, v := range viewers {
		r := v.Report()
		played[i] = r.Played
		undisturbed(t, v)
	}
	down := time.Now()
	if err := s.demo.CDN("alpha").SetFault(demo.Fault{Refuse: true}); err != nil {
		t.Fatal(err)
	}
	for i, v := range viewers {
		// All that was buffered before the outage is played, and more.
		v.WaitPlayed(played[i]+p.buffer+4*time.Second, 90*time.Second)
		n := s.served(down, v.session)
		t.Logf("%s: since the outage served by %v", v.name, n)
		if n["beta"]+n["gamma"] < 3 {
			t.Errorf("%s: served by %v in the outage, want the others to serve on", v.name, n)
		}
	}
	s.recover(t, "alpha")

	for _, v := range viewers {
		t.Run(v.name, func(t *testing.T) {
			r := unbroken(t, v.Playback)
			s.overH3(t, v.Resources())
			if !p.live {
				return
			}
			if r.Behind < p.delay-4*time.Second {
				t.Errorf("%v behind the live edge, want about %v", r.Behind, p.delay)
			}
			entries, reloads := s.manifests(t, p, v.Resources())
			if entries != 1 || reloads < 5 {
				t.Errorf("asked %d times at the entry and %d times in the session, want once and many times", entries, reloads)
			}
		})
	}
	if p.live {
		return
	}
	for _, v := range viewers {
		v.Seek(vodLength - 3*time.Second)
	}
	for _, v := range viewers {
		toTheEnd(t, v.Playback, 30*time.Second)
		if fatal := v.Report().Fatal(); len(fatal) > 0 {
			t.Errorf("%s: fatal: %v", v.name, fatal)
		}
	}
}

// undisturbed fails the test for the errors of a player that was no more than
// moved. Stalls are looked at elsewhere; an aborted request is how hls.js leaves
// a CDN.
func undisturbed(t *testing.T, v *viewer) {
	t.Helper()
	for _, f := range v.Report().Failures {
		if f.Code != "bufferStalledError" && f.Code != "aborted" {
			t.Errorf("%s: an error, and nothing was wrong: %.300v", v.name, f)
		}
	}
}

// drainAlpha drains alpha until all viewers have moved, and takes it back.
func (s *stage) drainAlpha(t *testing.T, viewers []*viewer) {
	t.Helper()
	s.drain(t, "alpha", true)
	defer s.drain(t, "alpha", false) // also when a viewer does not move
	for _, v := range viewers {
		moved := s.awaitServed(t, v, 30*time.Second, not("alpha"))
		s.awaitServed(t, v, 20*time.Second, only(moved)) // sound may be a segment behind the picture
		since := time.Now()
		s.awaitServed(t, v, 20*time.Second, only(moved))
		if n := s.served(since, v.session); n["alpha"] > 0 {
			t.Errorf("%s: moved by the drain, and still served by %v", v.name, n)
		}
	}
}

// A player's way from HTTP/2 to HTTP/3 as on a first visit: the edge offers it
// by Alt-Svc, nothing is forced.
func (s *stage) altSvc(t *testing.T) {
	b := browser.Start(t, browser.Options{SPKI: []string{s.demo.SPKI()}, UpgradeQUIC: []string{"localhost"}})
	v := s.watch(t, b, liveProgramme, watching{player: browser.HLSJS, device: "hlsjs", file: "master.m3u8"})
	v.WaitPlayed(6*time.Second, 60*time.Second)
	unbroken(t, v.Playback)
	for _, host := range s.secureHosts()[:2] { // the edge and alpha
		n := map[string]int{}
		last := ""
		for _, r := range v.Resources() {
			if ofHost(r, host) {
				n[r.Protocol]++
				last = r.Protocol
			}
		}
		if n["h2"] == 0 || n["h3"] == 0 || len(n) != 2 || last != "h3" {
			t.Errorf("%s: answers by protocol %v, the last over %q; want some over h2, then h3", host, n, last)
		}
	}
}
