package viewer

import (
	"strings"
	"testing"
	"time"
)

// A VOD is played to its end, live goes on, without a stall, by all players in
// both formats.
func TestPlays(t *testing.T) {
	for _, device := range Names() {
		for _, address := range []string{hlsURL, dashURL, "http://alpha.test/v0.m3u8"} {
			for _, live := range []bool{false, true} {
				t.Run(device+address[7:]+map[bool]string{true: " live", false: " VOD"}[live], func(t *testing.T) {
					s := &stream{live: live, length: 30}
					w := newWorld(t, s.serve)
					o := w.play(viewerOf(t, w, device, address, nil), 2*time.Minute)
					want := Ended
					if live {
						want = Left
					}
					if o.State != want || o.Stalls > 0 || o.Errors > 0 || o.Startup < 20*time.Millisecond || o.Startup > time.Second {
						t.Errorf("%+v", *o)
					}
					if !live && o.Played != time.Minute || live && (o.Played < 118*time.Second || o.Played > 2*time.Minute) {
						t.Errorf("played %s", o.Played)
					}
					if address != "http://alpha.test/v0.m3u8" && o.Bits/o.Filmed.Seconds() < 2.5e6 {
						t.Errorf("a mean rate of %.0f", o.Bits/o.Filmed.Seconds())
					}
				})
			}
		}
	}
}

// RFC 8216, section 6.3.4: after a target duration, half of one when nothing
// was new; ISO/IEC 23009-1: after minimumUpdatePeriod, at Location.
func TestReloads(t *testing.T) {
	s := &stream{live: true}
	w := newWorld(t, s.serve)
	o := w.play(viewerOf(t, w, "hlsjs", hlsURL, func(c *Config) { c.ABR, _ = NewABR("lowest") }), 21*time.Second)
	lists := w.sent(List)
	for i := 1; i < len(lists); i++ {
		if d := (lists[i].at - lists[i-1].at).Round(time.Millisecond); d != 2*time.Second || lists[i].Every != 2*time.Second {
			t.Errorf("reload %d after %s, every %s", i, d, lists[i].Every)
		}
	}
	if len(lists) != 11 || o.Errors > 0 {
		t.Errorf("%d reloads, %+v", len(lists), *o)
	}
	frozen := ""
	s.fail = func(w *world, r Request) (int, string, error) {
		if r.Kind != List {
			return 0, "", nil
		}
		if frozen == "" {
			frozen = s.playlist(w)
		}
		return 200, frozen, nil
	}
	w = newWorld(t, s.serve)
	w.play(viewerOf(t, w, "hlsjs", hlsURL, func(c *Config) { c.ABR, _ = NewABR("lowest") }), 10*time.Second)
	if lists = w.sent(List); (lists[3].at - lists[2].at).Round(10*time.Millisecond) != time.Second {
		t.Errorf("a playlist without news was reloaded after %s", lists[3].at-lists[2].at)
	}
	s.fail = nil
	w = newWorld(t, s.serve)
	w.play(viewerOf(t, w, "dashjs", dashURL, nil), 21*time.Second)
	updates := w.sent(Update)
	if len(updates) != 5 || updates[0].URL != "http://edge.test/session.mpd" || (updates[2].at-updates[1].at).Round(100*time.Millisecond) != 4*time.Second {
		t.Errorf("updates: %+v", updates)
	}
}

// Live begins so far from its edge as the stream or the player says.
func TestLiveDelay(t *testing.T) {
	for address, want := range map[string]time.Duration{hlsURL: 6 * time.Second, dashURL: 6 * time.Second} {
		s := &stream{live: true}
		w := newWorld(t, s.serve)
		w.play(viewerOf(t, w, "hlsjs", address, nil), 5*time.Second)
		first := w.sent(Media)[0].URL
		// 105 is the newest at the start: three of 2 s before its end is 98.
		if got := strings.TrimSuffix(first[strings.LastIndexByte(first, '/')+1:], ".m4s"); got != "98" && got != "196000" {
			t.Errorf("%s: began with %s, want %s from the edge", address, first, want)
		}
	}
}

// A network slower than the lowest quality makes the picture stand; one that
// slows down makes it worse, not still.
func TestSlowNetwork(t *testing.T) {
	s := &stream{length: 20}
	w := newWorld(t, s.serve)
	w.link.Trace = Trace{{time.Hour, 200_000}}
	o := w.play(viewerOf(t, w, "hlsjs", hlsURL, nil), 3*time.Minute)
	// 400 kbit/s over 200: forty seconds take eighty.
	if o.State != Ended || o.Stood < 30*time.Second || o.Stood > 45*time.Second || o.Startup < 4*time.Second || o.Startup > 5*time.Second {
		t.Errorf("too slow: %+v", *o)
	}
	for _, device := range Names() {
		s := &stream{length: 60}
		w := newWorld(t, s.serve)
		w.link.Trace = Trace{{10 * time.Second, 6e6}, {time.Hour, 1.5e6}}
		o := w.play(viewerOf(t, w, device, hlsURL, nil), 4*time.Minute)
		if o.State != Ended || o.Stood > 2*time.Second || o.Switches < 2 {
			t.Errorf("%s, slowing down: %+v", device, *o)
		}
	}
}

// A segment of a high quality that comes too slowly is broken off.
func TestAbandon(t *testing.T) {
	s := &stream{length: 40, each: 4 * time.Second}
	w := newWorld(t, s.serve)
	w.link.Trace = Trace{{8 * time.Second, 5e6}, {time.Hour, 450_000}}
	o := w.play(viewerOf(t, w, "hlsjs", hlsURL, nil), 5*time.Minute)
	if o.Abandoned == 0 || o.State != Ended {
		t.Errorf("%+v", *o)
	}
}

func TestSeekAndLeave(t *testing.T) {
	for _, address := range []string{hlsURL, dashURL} {
		for _, live := range []bool{true, false} {
			s := &stream{length: 600, live: live}
			w := newWorld(t, s.serve)
			o := w.play(viewerOf(t, w, "shaka", address, func(c *Config) { c.Seek, c.Stay = 20*time.Second, 3*time.Minute }), time.Hour)
			if o.State != Left || o.Seeks < 3 || o.Sought <= 0 || o.Sought > time.Duration(o.Seeks)*time.Second {
				t.Errorf("%s live %v: %+v", address, live, *o)
			}
		}
	}
}

// What cannot be played or fetched is given up, with a reason.
func TestGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		err    error
		why    string
	}{
		"HTML":         {200, "<html>", nil, "an HTML page"},
		"not found":    {404, "", nil, "status 404"},
		"refused":      {0, "", errRefused, "connection refused"},
		"no variant":   {200, "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\"\n", nil, "no variant"},
		"I-frames":     {200, "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"a\"\n", nil, "no variant"},
		"no Period":    {200, "<MPD></MPD>", nil, "no Period"},
		"nothing":      {200, "<MPD><Period/></MPD>", nil, "neither picture nor sound"},
		"empty answer": {200, "", nil, "without what was asked for"},
	} {
		w := newWorld(t, func(*world, Request) (int, string, error) { return c.status, c.body, c.err })
		o := w.play(viewerOf(t, w, "hlsjs", hlsURL, nil), time.Minute)
		if o.State != Failed || !strings.Contains(o.Why, c.why) {
			t.Errorf("%s: %s, %q", name, o.State, o.Why)
		}
	}
}

// The live window runs away from a viewer whose network stood still: it goes on
// at the live edge.
func TestJump(t *testing.T) {
	for _, address := range []string{hlsURL, dashURL} {
		s := &stream{live: true}
		w := newWorld(t, s.serve)
		s.fail = func(w *world, r Request) (int, string, error) {
			if d := w.since(); d > 10*time.Second && d < 60*time.Second {
				return 0, "", errRefused
			}
			return 0, "", nil
		}
		o := w.play(viewerOf(t, w, "shaka", address, nil), 2*time.Minute)
		if o.State != Left || o.Jumps == 0 || o.Stood < 40*time.Second || o.Played < 50*time.Second {
			t.Errorf("%s: %+v", address, *o)
		}
	}
}
