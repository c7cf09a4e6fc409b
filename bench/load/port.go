package load

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/viewer"
)

// port is the engine as its viewers see it.
type port engine

func (p *port) slot(v *viewer.Viewer) *slot { return p.slots[v.Config().ID] }

// Send implements viewer.Port.
func (p *port) Send(v *viewer.Viewer, r viewer.Request) {
	e := (*engine)(p)
	now := time.Now()
	var s *slot
	if id := v.Config().ID; id < len(e.slots) {
		s = e.slots[id]
	}
	f := &flight{slot: s, r: r, sent: now, due: e.cause}
	if f.due.IsZero() || f.due.After(now) {
		f.due = now
	}
	f.real = r.Kind.Document() || v.Config().Media
	s.flying = append(s.flying, f)
	if !f.real {
		first, done := s.link.Send(now, r.Bytes)
		f.first = first
		f.deliver = timer{slot: s, flight: f, answer: &viewer.Answer{ID: r.ID, Status: http.StatusOK, Bytes: r.Bytes, Begin: now, First: first, Done: done}}
		e.set(&f.deliver, done)
		if r.Kind == viewer.Media {
			e.counted(r.Pathway)
		}
		return
	}
	if r.Kind == viewer.Media {
		e.counted(r.Pathway)
	}
	if e.open >= e.s.InFlight {
		e.out.Generator.Queued++
		e.queue = append(e.queue, f)
		return
	}
	e.launch(f)
}

// launch begins a real request.
func (e *engine) launch(f *flight) {
	e.open++
	ctx, cancel := context.WithCancel(e.ctx)
	f.cancel = cancel
	if !f.r.Kind.Document() {
		f.progress = &client.Progress{}
	}
	keep := f.slot.v.Config().Media
	e.flying.Go(func() {
		defer cancel()
		a := e.fetch(ctx, f, keep)
		e.answers <- reply{f, a}
	})
}

// mediaTimeout is how long players let a segment take that keeps coming.
const mediaTimeout = 2 * time.Minute

// fetch makes a request and reads its answer; it runs beside the loop.
func (e *engine) fetch(ctx context.Context, f *flight, keep bool) viewer.Answer {
	req := client.Request{URL: f.r.URL, Progress: f.progress}
	if !f.r.Kind.Document() {
		req.Keep, req.Timeout = 1, mediaTimeout
	}
	res := f.slot.client.Do(ctx, req)
	a := viewer.Answer{ID: f.r.ID, Status: res.Status, Err: res.Err, URL: res.URL, Bytes: res.Wire, Begin: res.Begin,
		First: res.Begin.Add(res.FirstByte), Done: res.Begin.Add(res.Total)}
	if res.FirstByte == 0 {
		a.First = a.Done
	}
	if s := res.Header.Get("Retry-After"); s != "" {
		if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 86400 {
			a.RetryAfter = time.Duration(n) * time.Second
		}
	}
	if a.OK() && f.r.Kind.Document() {
		a.Doc, a.Err = e.library.Read(f.r.Kind, res.Body, res.URL, keep)
	}
	return a
}

// Cancel implements viewer.Port.
func (p *port) Cancel(v *viewer.Viewer, id uint32) {
	e := (*engine)(p)
	s := p.slot(v)
	for _, f := range s.flying {
		if f.r.ID != id {
			continue
		}
		f.gone = true
		if f.cancel != nil {
			f.cancel()
		}
		e.set(&f.deliver, time.Time{})
		if !f.r.Kind.Document() {
			s.link.Release(time.Now())
		}
		e.land(f)
		return
	}
}

// Progress implements viewer.Port.
func (p *port) Progress(v *viewer.Viewer, id uint32, now time.Time) (int64, time.Time) {
	s := p.slot(v)
	for _, f := range s.flying {
		if f.r.ID != id {
			continue
		}
		if f.progress != nil {
			return f.progress.Bytes()
		}
		return s.link.Arrived(f.first, now, f.r.Bytes), f.first
	}
	return 0, time.Time{}
}

// address is a viewer's own.
func (e *engine) address(g *group, id int) string {
	out := strings.ReplaceAll(g.URL, "{viewer}", strconv.Itoa(id))
	if g.Session != "cmcd" {
		return out
	}
	sid := `sid="bench-` + strconv.FormatUint(e.seed, 36) + "-" + strconv.Itoa(id) + `"`
	before, fragment, _ := strings.Cut(out, "#")
	sep := "?"
	if strings.Contains(before, "?") {
		sep = "&"
	}
	out = before + sep + "CMCD=" + url.QueryEscape(sid)
	if fragment != "" {
		out += "#" + fragment
	}
	return out
}
