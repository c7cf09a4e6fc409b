package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/demo"
	"manifold/internal/testkit/browser"
)

// served counts what each CDN sent to a player since a moment, by the CDNs'
// logs; session is the player's CMCD session id, empty for all players.
func (s *stage) served(since time.Time, session string) map[string]int {
	n := map[string]int{}
	for _, c := range s.demo.CDNs {
		for _, e := range c.Log(since) {
			if sent(e, session) {
				n[c.ID]++
			}
		}
	}
	return n
}

// sent tells whether a line of a log is a media object that arrived.
func sent(e demo.Entry, session string) bool {
	return e.Method == "GET" && (e.Status == 200 || e.Status == 206) && e.Path != "/" && (session == "" || e.Viewer == session)
}

// awaitServed waits until one of the CDNs that are wanted sends a player
// something, and tells which one did.
func (s *stage) awaitServed(t *testing.T, v *viewer, limit time.Duration, wanted func(cdn string) bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	found := make(chan string, len(s.demo.CDNs))
	waiting := 0
	for _, c := range s.demo.CDNs {
		if !wanted(c.ID) {
			continue
		}
		waiting++
		go func() {
			if _, err := c.Await(ctx, func(e demo.Entry) bool { return sent(e, v.session) }); err != nil {
				found <- ""
				return
			}
			found <- c.ID
		}()
	}
	for range waiting {
		if id := <-found; id != "" {
			return id
		}
	}
	t.Fatalf("%s: within %v it was not served as it should; served by %v; %v", v.name, limit, s.served(time.Now().Add(-limit), v.session), v.Report())
	return ""
}

// overH3 fails the test for every answer of the edge and the CDNs that came
// over anything but HTTP/3, and counts them by host.
func (s *stage) overH3(t *testing.T, list []browser.Resource) {
	t.Helper()
	n := map[string]int{}
	for _, r := range list {
		for _, host := range s.secureHosts() {
			if !ofHost(r, host) {
				continue
			}
			n[host]++
			if r.Protocol != "h3" {
				t.Errorf("%.100s over %q, want h3", r.URL, r.Protocol)
			}
		}
	}
	if edge := s.secureHosts()[0]; n[edge] == 0 || len(n) < 2 {
		t.Errorf("answers by host %v, want some of the edge and some of a CDN", n)
	}
}

// heart beats in the page every 50 ms and keeps the times in which a beat came
// late: then the machine was too busy to play, and no network is to blame.
const heart = `(() => {
	let last = performance.now();
	window.late = [];
	setInterval(() => {
		const now = performance.now();
		if (now - last > 150) late.push([last, now]);
		last = now;
	}, 50);
	return true;
})()`

// lateness is the times, in milliseconds of the page's clock, in which the page
// could not run.
type lateness [][2]float64

// within is how much of a time the page could not run.
func (l lateness) within(from, until float64) time.Duration {
	total := 0.0
	for _, span := range l {
		total += max(0, min(until, span[1])-max(from, span[0]))
	}
	return time.Duration(total * float64(time.Millisecond))
}

// tooSlow tells that the machine could not even show the pictures it had: one
// in 33 was dropped, where an idle machine drops one in 200.
func tooSlow(r browser.Report) bool { return r.Dropped*33 > r.Frames }

// unbroken fails the test for all that a viewer would have noticed: a picture
// that stands still for more than a quarter of a second, a jump, an error that
// ends it. Two things are not counted, which are a busy machine's and not the
// network's: times in which the page itself could not run, and, where pictures
// were dropped as well, short times in which it stood still with media at hand
// or at its very beginning.
func unbroken(t *testing.T, p *browser.Playback) browser.Report {
	t.Helper()
	r := p.Report()
	t.Log(r)
	late := browser.Eval[lateness](p.Page, "window.late")
	first := beginning(p)
	for _, g := range r.Gaps {
		from := float64(g.Since.Milliseconds())
		lost := g.Lost - late.within(from, from+float64(g.Lost.Milliseconds()))
		switch {
		case g.Lost == 0:
			t.Errorf("stands still at %v with %v buffered", g.Position, g.Ahead)
		case lost <= 250*time.Millisecond:
		case tooSlow(r) && g.Lost < 3*time.Second && (!g.Dry() || g.Position < first+time.Second):
		default:
			t.Errorf("stood still for %v, %v of it while the page ran, at %v with %v buffered", g.Lost, lost, g.Position, g.Ahead)
		}
	}
	for _, e := range p.Events() {
		var jump struct{ From, To, Played float64 }
		if e.Type != "jump" || json.Unmarshal(e.Data, &jump) != nil || jump.Played == 0 {
			continue // to where it begins is no jump
		}
		// A player's clock catches up after a time in which nothing could run.
		if caughtUp := late.within(e.At-2000, e.At).Seconds(); jump.To < jump.From || jump.To-jump.From > caughtUp {
			t.Errorf("jumped from %.3f s to %.3f s", jump.From, jump.To)
		}
	}
	for _, f := range r.Fatal() {
		t.Errorf("fatal: %v", f)
	}
	if len(late) > 0 {
		t.Logf("the page ran late %d times: %v", len(late), late[:min(5, len(late))])
	}
	return r
}

// beginning is where in the media a playback began.
func beginning(p *browser.Playback) time.Duration {
	for _, e := range p.Events() {
		var at struct{ Position, Played float64 }
		if e.Type == "progress" && json.Unmarshal(e.Data, &at) == nil && at.Played > 0 {
			return time.Duration((at.Position - at.Played) * float64(time.Second))
		}
	}
	return 0
}

// keepEvents writes what a player told, once its test has failed.
func keepEvents(t *testing.T, v *viewer) {
	t.Helper()
	if !t.Failed() {
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%v\n", v.Report())
	for _, e := range v.Events() {
		fmt.Fprintf(&text, "%s\n", e.Data)
	}
	name := evidence(t, strings.NewReplacer("/", "_", " ", "_").Replace(t.Name()+"_"+v.name)+".events")
	if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
		t.Logf("cannot keep the events: %v", err)
		return
	}
	t.Logf("events: %s", name)
}

// toTheEnd waits until a player stands at the end of its programme. (dash.js
// may stand there without the media element's word for it.)
func toTheEnd(t *testing.T, p *browser.Playback, limit time.Duration) {
	t.Helper()
	p.WaitEvent(0, limit, "end", func(e browser.Event) bool {
		var at struct{ Position, Duration float64 }
		return json.Unmarshal(e.Data, &at) == nil && at.Duration > 0 && at.Position > at.Duration-0.1
	})
}

// not gives a condition for awaitServed.
func not(cdns ...string) func(string) bool {
	return func(id string) bool { return !slices.Contains(cdns, id) }
}

func only(cdn string) func(string) bool { return func(id string) bool { return id == cdn } }
