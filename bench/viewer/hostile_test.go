package viewer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever a server sends, and when, a viewer ends or goes on: it asks neither
// without end nor without a pause.
func FuzzViewer(f *testing.F) {
	for i, device := range Names() {
		f.Add(uint64(i), device, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na\n", "<MPD type=\"dynamic\"><Period/></MPD>", ok)
		f.Add(uint64(i+10), device, "#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:0,\na\n#EXTINF:0.001,\nb\n", `<MPD type="dynamic" minimumUpdatePeriod="PT0S" timeShiftBufferDepth="PT0S" availabilityStartTime="2026-01-01T00:00:00Z"><Period start="PT0S" duration="PT1S"><AdaptationSet contentType="video"><SegmentTemplate duration="1" media="$Time$"/><Representation id="1" bandwidth="1"/></AdaptationSet></Period></MPD>`, "{}")
	}
	f.Fuzz(func(t *testing.T, seed uint64, device, playlist, mpd, steering string) {
		p := ProfileNamed(device)
		if p == nil {
			p = Profiles[seed%uint64(len(Profiles))]
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		s := &stream{live: seed%2 == 0, steered: seed%3 == 0, length: 10}
		w := newWorld(t, nil)
		w.serve = func(w *world, r Request) (int, string, error) {
			switch rng.IntN(12) {
			case 0:
				return []int{204, 302, 404, 410, 429, 500, 503}[rng.IntN(7)], "", nil
			case 1:
				return 0, "", errRefused
			case 2, 3, 4:
				switch r.Kind {
				case Steering:
					return 200, steering, nil
				case List:
					return 200, playlist, nil
				case Update:
					return 200, mpd, nil
				case Entry:
					return 200, []string{playlist, mpd}[rng.IntN(2)], nil
				}
			}
			return s.serve(w, r)
		}
		v := New(Config{URL: []string{hlsURL, dashURL}[seed/2%2], Profile: p, Seed: seed, Media: seed%5 == 0, Seek: time.Minute}, w)
		o := w.play(v, 3*time.Minute)
		if n := len(w.log); n > 20_000 {
			t.Fatalf("%d requests in three minutes: %+v", n, *o)
		}
		if o.Played < 0 || o.Stood < 0 || o.Played > 3*time.Minute || o.Stood > 3*time.Minute {
			t.Fatalf("%+v", *o)
		}
	})
}

func TestLibrary(t *testing.T) {
	var l Library
	for i := range 3 * generation {
		body := fmt.Appendf(nil, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n%d\n", i/2)
		if _, err := l.Read(List, body, nil, true); err != nil {
			t.Fatal(err)
		}
	}
	if reads, hits := l.Shared(); reads != 3*generation || hits != reads/2 {
		t.Errorf("%d of %d", hits, reads)
	}
	if n := len(l.new) + len(l.old); n > 2*generation {
		t.Errorf("%d documents are kept", n)
	}
	if _, err := l.Read(List, []byte("<html>"), nil, false); err == nil {
		t.Error("a page was read as a playlist")
	}
}
