package viewer

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is a network and a server of functions, on a clock of its own.
type world struct {
	t      *testing.T
	now    time.Time
	serve  func(w *world, r Request) (status int, body string, err error)
	link   Link
	lib    Library
	events []*event
	log    []logged
}

type event struct {
	at    time.Time
	v     *Viewer
	a     Answer
	bytes int64
	first time.Time
}

type logged struct {
	at time.Duration
	Request
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const trip = 10 * time.Millisecond

func newWorld(t *testing.T, serve func(w *world, r Request) (int, string, error)) *world {
	return &world{t: t, now: epoch, serve: serve, link: Link{Trace: Trace{{time.Hour, 10e6}}, Trip: trip, Began: epoch}}
}

func (w *world) Send(v *Viewer, r Request) {
	w.log = append(w.log, logged{w.now.Sub(epoch), r})
	status, body, err := w.serve(w, r)
	a := Answer{ID: r.ID, Status: status, Err: err, Begin: w.now, Bytes: int64(len(body))}
	a.URL, _ = url.Parse(r.URL)
	if body != "" && r.Kind.Document() && status == 200 {
		if a.Doc, err = w.lib.Read(r.Kind, []byte(body), a.URL, true); err != nil {
			a.Err = err
		}
	}
	if strings.HasPrefix(body, "Retry-After: ") {
		a.RetryAfter, _ = time.ParseDuration(strings.TrimPrefix(body, "Retry-After: "))
	}
	first, done := w.now.Add(trip), w.now.Add(trip)
	if !r.Kind.Document() && status == 200 {
		a.Bytes = r.Bytes
		first, done = w.link.Send(w.now, r.Bytes)
	}
	a.First, a.Done = first, done
	w.events = append(w.events, &event{at: done, v: v, a: a, bytes: a.Bytes, first: first})
}

func (w *world) Cancel(_ *Viewer, id uint32) {
	w.events = slices.DeleteFunc(w.events, func(e *event) bool { return e.a.ID == id })
	w.link.Release(w.now)
}

func (w *world) Progress(_ *Viewer, id uint32, now time.Time) (int64, time.Time) {
	for _, e := range w.events {
		if e.a.ID == id {
			return w.link.Arrived(e.first, now, e.bytes), e.first
		}
	}
	return 0, time.Time{}
}

// play runs a viewer for a time.
func (w *world) play(v *Viewer, d time.Duration) *Outcome {
	w.t.Helper()
	end := epoch.Add(d)
	v.Start(w.now)
	for steps := 0; !v.Outcome().State.Over(); steps++ {
		if steps > 200_000 {
			w.t.Fatalf("the viewer goes round in circles at %s: %+v", w.now.Sub(epoch), *v.Outcome())
		}
		slices.SortStableFunc(w.events, func(a, b *event) int { return a.at.Compare(b.at) })
		at := v.Next()
		if len(w.events) > 0 && (at.IsZero() || w.events[0].at.Before(at)) {
			at = w.events[0].at
		}
		if at.IsZero() || at.After(end) {
			break
		}
		w.now = at
		if len(w.events) > 0 && !w.events[0].at.After(at) {
			e := w.events[0]
			w.events = w.events[1:]
			e.v.Answer(w.now, &e.a)
			continue
		}
		v.Wake(w.now)
	}
	w.now = end
	v.Leave(end)
	return v.Outcome()
}

// sent are the requests of a kind.
func (w *world) sent(k Kind) (out []logged) {
	for _, l := range w.log {
		if l.Kind == k {
			out = append(out, l)
		}
	}
	return out
}

// since is how long the world has been.
func (w *world) since() time.Duration { return w.now.Sub(epoch) }

var errRefused = errors.New("connect: connection refused")

func viewerOf(t *testing.T, w *world, device, address string, change func(c *Config)) *Viewer {
	t.Helper()
	c := Config{URL: address, Profile: ProfileNamed(device), Media: true, Seed: 1}
	if c.Profile == nil {
		t.Fatalf("no profile %s", device)
	}
	if change != nil {
		change(&c)
	}
	return New(c, w)
}
