package viewer

import (
	"strings"
	"testing"
	"time"
)

// steeredBy runs a player against a steering server that answers by f, for two
// minutes.
func steeredBy(t *testing.T, device string, f func(n int) (int, string)) (*world, *Outcome) {
	t.Helper()
	s := &stream{live: true, steered: true}
	n := 0
	s.fail = func(_ *world, r Request) (int, string, error) {
		if r.Kind != Steering {
			return 0, "", nil
		}
		n++
		status, body := f(n)
		return status, body, nil
	}
	address := hlsURL
	if device == "dashjs" {
		address = dashURL
	}
	w := newWorld(t, s.serve)
	o := w.play(viewerOf(t, w, device, address, nil), 2*time.Minute)
	if o.State != Left || o.Stalls > 0 {
		t.Errorf("%s: steering must not stop the picture: %+v", device, *o)
	}
	return w, o
}

const ok = `{"VERSION":1,"TTL":10,"RELOAD-URI":"http://edge.test/steer?2","PATHWAY-PRIORITY":["beta","alpha"]}`

// How players take what a steering server answers after a first good answer:
// how often they ask in two minutes, and whether they give up.
func TestSteeringTable(t *testing.T) {
	second := func(status int, body string) func(int) (int, string) {
		return func(n int) (int, string) {
			if n == 1 {
				return 200, ok
			}
			return status, body
		}
	}
	type want struct {
		polls int
		deaf  bool
	}
	for _, c := range []struct {
		name                 string
		answer               func(n int) (int, string)
		hlsjs, dashjs, shaka want
	}{
		{"always right", second(200, ok), want{12, false}, want{12, false}, want{12, false}},
		{"429", second(429, "Retry-After: 30s"), want{2, true}, want{5, false}, want{21, false}},
		{"410", second(410, ""), want{2, true}, want{2, true}, want{21, false}},
		{"404", second(404, ""), want{21, false}, want{2, true}, want{21, false}},
		{"503", second(503, ""), want{21, false}, want{12, false}, want{21, false}},
		{"503 from the start", func(int) (int, string) { return 503, "" }, want{2, false}, want{1, true}, want{2, false}},
		{"VERSION 2", second(200, `{"VERSION":2,"TTL":10,"PATHWAY-PRIORITY":["beta"]}`), want{2, true}, want{2, true}, want{2, true}},
		{"relative RELOAD-URI", func(int) (int, string) {
			return 200, `{"VERSION":1,"TTL":10,"RELOAD-URI":"/steer?rel","PATHWAY-PRIORITY":["beta"]}`
		}, want{12, false}, want{12, false}, want{1, true}},
		{"no TTL", func(int) (int, string) { return 200, `{"VERSION":1,"PATHWAY-PRIORITY":["beta"]}` }, want{1, false}, want{1, false}, want{1, false}},
	} {
		for device, x := range map[string]want{"hlsjs": c.hlsjs, "dashjs": c.dashjs, "shaka": c.shaka} {
			_, o := steeredBy(t, device, c.answer)
			if o.Polls != x.polls || o.Deaf != x.deaf {
				t.Errorf("%s, %s: %d polls, ended %v; want %d, %v", c.name, device, o.Polls, o.Deaf, x.polls, x.deaf)
			}
		}
	}
	if _, o := steeredBy(t, "conservative", second(200, ok)); o.Polls != 0 {
		t.Errorf("a player without steering asked %d times", o.Polls)
	}
}

// A first answer that names another pathway is obeyed; the parameters say where
// the player is and what it measured.
func TestObeys(t *testing.T) {
	for device, prefix := range map[string]string{"hlsjs": "_HLS_pathway=", "dashjs": "_DASH_pathway=%22"} {
		w, o := steeredBy(t, device, func(int) (int, string) { return 200, ok })
		if o.Steered != 1 || o.Moves != 1 {
			t.Errorf("%s: %d moves as steered of %d", device, o.Steered, o.Moves)
		}
		polls := w.sent(Steering)
		if !strings.Contains(polls[0].URL, prefix+"alpha") || strings.Contains(polls[0].URL, "throughput") {
			t.Errorf("%s asked first %s", device, polls[0].URL)
		}
		if u := polls[1].URL; !strings.HasPrefix(u, "http://edge.test/steer?2&") || !strings.Contains(u, prefix+"beta") || !strings.Contains(u, "throughput=") {
			t.Errorf("%s asked then %s", device, u)
		}
		last := w.sent(Media)
		if u := last[len(last)-1].URL; !strings.HasPrefix(u, "http://beta.test/") {
			t.Errorf("%s ends at %s", device, u)
		}
	}
}

// Without RELOAD-URI the old address is kept, or the manifest's taken.
func TestReloadURI(t *testing.T) {
	for device, want := range map[string]string{"hlsjs": "steer?2", "shaka": "steer?2", "dashjs": "steer?_DASH"} {
		w, _ := steeredBy(t, device, func(n int) (int, string) {
			if n == 1 {
				return 200, ok
			}
			return 200, `{"VERSION":1,"TTL":10,"PATHWAY-PRIORITY":["beta"]}`
		})
		if u := w.sent(Steering)[3].URL; !strings.Contains(u, want) {
			t.Errorf("%s asked %s", device, u)
		}
	}
}

// queryBeforeStart: nothing is fetched before the answer.
func TestBeforeStart(t *testing.T) {
	s := &stream{live: true, steered: true, before: true, steer: ok}
	w := newWorld(t, s.serve)
	w.play(viewerOf(t, w, "dashjs", dashURL, nil), 10*time.Second)
	if first := w.sent(Media)[0]; first.at <= w.sent(Steering)[0].at || !strings.HasPrefix(first.URL, "http://beta.test/") {
		t.Errorf("first %s at %s, the question was at %s", first.URL, first.at, w.sent(Steering)[0].at)
	}
}

// What happens when the media of the first pathway fails after ten seconds: how
// long until the player leaves, and whether it comes back within two minutes.
func TestMediaFails(t *testing.T) {
	for _, c := range []struct {
		device string
		status int
		from   time.Duration
		to     time.Duration
		back   bool
	}{
		{"hlsjs", 503, 13 * time.Second, 15 * time.Second, false},
		{"hlsjs", 404, 0, 200 * time.Millisecond, false},
		{"hlsjs", 0, 0, 200 * time.Millisecond, false},
		{"dashjs", 503, time.Second, 3 * time.Second, true},
		{"dashjs", 404, time.Second, 3 * time.Second, true},
		{"shaka", 503, 0, 200 * time.Millisecond, true},
		{"shaka", 404, 0, 200 * time.Millisecond, true},
		{"conservative", 503, 4 * time.Second, 7 * time.Second, false},
	} {
		s := &stream{live: true, steered: c.device != "conservative"}
		s.fail = func(w *world, r Request) (int, string, error) {
			if d := w.since(); r.Kind != Media || !strings.HasPrefix(r.URL, "http://alpha.test/") || d < 10*time.Second || d > 30*time.Second {
				return 0, "", nil
			}
			if c.status == 0 {
				return 0, "", errRefused
			}
			return c.status, "", nil
		}
		address := hlsURL
		if c.device == "dashjs" {
			address = dashURL
		}
		w := newWorld(t, s.serve)
		o := w.play(viewerOf(t, w, c.device, address, nil), 2*time.Minute)
		var failed, left, back time.Duration
		for _, m := range w.sent(Media) {
			switch alpha := strings.HasPrefix(m.URL, "http://alpha.test/"); {
			case alpha && m.at >= 10*time.Second && failed == 0:
				failed = m.at
			case !alpha && failed > 0 && left == 0:
				left = m.at
			case alpha && left > 0 && m.at > 30*time.Second && back == 0:
				back = m.at
			}
		}
		if took := left - failed; left == 0 || took < c.from || took > c.to || (back > 0) != c.back || o.State != Left {
			t.Errorf("%s, %d: failed at %s, left at %s, back at %s; %+v", c.device, c.status, failed, left, back, *o)
		}
	}
}

// The priority lists one pathway, and that one fails: fatal for hls.js, not for
// the others.
func TestOneEntryPriority(t *testing.T) {
	for device, want := range map[string]State{"hlsjs": Failed, "dashjs": Left, "shaka": Left} {
		s := &stream{live: true, steered: true, steer: `{"VERSION":1,"TTL":10,"RELOAD-URI":"http://edge.test/steer","PATHWAY-PRIORITY":["alpha"]}`}
		s.fail = func(w *world, r Request) (int, string, error) {
			if r.Kind == Media && strings.HasPrefix(r.URL, "http://alpha.test/") && w.since() > 10*time.Second {
				return 404, "", nil
			}
			return 0, "", nil
		}
		address := hlsURL
		if device == "dashjs" {
			address = dashURL
		}
		w := newWorld(t, s.serve)
		if o := w.play(viewerOf(t, w, device, address, nil), 2*time.Minute); o.State != want {
			t.Errorf("%s: %s %q, want %s", device, o.State, o.Why, want)
		}
	}
}
