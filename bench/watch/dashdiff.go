package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"manifold/bench/finding"
	"manifold/bench/read"
)

// period is what was published of a Period.
type period struct {
	id    string
	start time.Duration
	end   time.Duration // by duration or by what follows, or -1
	media time.Duration // where its listed media ended
	line  finding.Line
	reps  map[string]*representation
	event map[string]string // by stream and id
}

// representation is what was published of a Representation.
type representation struct {
	line      finding.Line
	says      string // codecs, size, bandwidth
	timescale uint64
	pto       uint64
	init      string
	segments  map[uint64]published // by time
	low, high uint64
}

type published struct {
	number, duration uint64
	uri              string
	reload           int
	line             finding.Line
}

// key is how a Period is known over updates.
func key(p *read.Period) string {
	if p.ID != "" {
		return p.ID
	}
	return fmt.Sprintf("#%d", p.Index)
}

func periodName(p *read.Period) string { return "Period " + key(p) }

// compare holds a version against what was published; older tells that it
// comes from an edge that is allowed to lag.
func (p *presentation) compare(m *read.MPD, digest string) (older bool) {
	was := p.prev
	if was == nil {
		return false
	}
	back := m.PublishSaid && m.Publish.Before(p.newest)
	if back && p.w.cfg.Edges > 1 && p.newest.Sub(m.Publish) <= 2*p.longest+time.Second {
		older = true
	}
	switch {
	case older:
	case back:
		p.say("dash-publish-back", "", fmt.Sprintf("publishTime went back from %s to %s", p.newest.UTC().Format(isoMillis), m.Publish.UTC().Format(isoMillis)), was.Line, m.Line)
	case m.PublishSaid && m.Publish.Equal(was.Publish) && digest != p.digest && m.Dynamic():
		p.say("dash-publish-same", "", fmt.Sprintf("the MPD differs from the one before and publishTime is %s in both", m.Publish.UTC().Format(isoMillis)), was.Line, m.Line)
	}
	if !m.AvailabilityStart.Equal(was.AvailabilityStart) && m.Dynamic() && was.Dynamic() {
		p.say("dash-availability-start-changed", "", fmt.Sprintf("availabilityStartTime was %s and is %s", was.AvailabilityStart.UTC().Format(isoMillis), m.AvailabilityStart.UTC().Format(isoMillis)), was.Line, m.Line)
	}
	switch {
	case !was.Dynamic() && m.Dynamic():
		p.say("dash-type-changed", "", "the MPD was static and is dynamic", was.Line, m.Line)
		return false
	case !was.Dynamic() && digest != p.digest && p.structure(m):
		p.say("dash-type-changed", "", "a static MPD changed", was.Line, m.Line)
	}
	p.periodsGone(m, older)
	for _, now := range m.Periods {
		if had := p.periods[key(now)]; had != nil {
			p.samePeriod(m, now, had)
		}
	}
	return older
}

// structure tells whether a static MPD differs in more than the order and the
// addresses of its pathways.
func (p *presentation) structure(m *read.MPD) bool {
	shape := func(m *read.MPD) string {
		var b strings.Builder
		for _, period := range m.Periods {
			fmt.Fprintf(&b, "%s %s %s;", period.ID, period.Start, period.End)
			for _, set := range period.Sets {
				for _, rep := range set.Reps {
					fmt.Fprintf(&b, "%s %d %d %v %s,", rep.ID, rep.Bandwidth, rep.Addressing.PTO, len(rep.Addressing.Entries), rep.Addressing.Media)
				}
			}
		}
		return b.String()
	}
	return shape(m) != shape(p.prev)
}

// periodsGone looks at the Periods that were there and are not now.
func (p *presentation) periodsGone(m *read.MPD, older bool) {
	now := map[string]*read.Period{}
	byStart := map[time.Duration]*read.Period{}
	for _, x := range m.Periods {
		now[key(x)] = x
		byStart[x.Start] = x
	}
	for _, had := range p.prev.Periods {
		k := key(had)
		if now[k] != nil {
			continue
		}
		record := p.periods[k]
		if same := byStart[had.Start]; same != nil && had.Start >= 0 && p.periods[key(same)] == nil {
			p.say("dash-period-id-changed", "Period "+k, fmt.Sprintf("the Period that starts at %s had id %q and has %q", had.Start, had.ID, same.ID), had.Line, same.Line)
			continue
		}
		if older || record == nil || !m.Dynamic() {
			continue
		}
		end := record.media
		if record.end >= 0 {
			end = min(record.end, end)
		}
		clock := p.clockOf(m)
		switch {
		case m.TimeShift < 0 && clock > end:
			p.w.add("dash-period-left-early", p.doc, p.prevN, evidence{where: "Period " + k, said: fmt.Sprintf("Period %s left, and without timeShiftBufferDepth all of the presentation stays available", k), before: []finding.Line{had.Line}})
		case clock < end || record.end < 0:
			p.w.add("dash-period-vanished", p.doc, p.prevN, evidence{where: "Period " + k, said: fmt.Sprintf("Period %s is gone, and its media ran until %s", k, end), before: []finding.Line{had.Line}})
		case clock-m.TimeShift+time.Second < end:
			p.w.add("dash-period-left-early", p.doc, p.prevN, evidence{where: "Period " + k, said: fmt.Sprintf("Period %s ended %s ago and left; timeShiftBufferDepth is %s", k, (clock - end).Round(time.Millisecond), m.TimeShift), before: []finding.Line{had.Line}})
		}
	}
}

// clockOf is now on the presentation's own timeline.
func (p *presentation) clockOf(m *read.MPD) time.Duration {
	return p.w.cfg.Now().Sub(m.AvailabilityStart)
}

func (p *presentation) samePeriod(m *read.MPD, now *read.Period, had *period) {
	if now.Start != had.start && now.Start >= 0 && had.start >= 0 {
		p.say("dash-period-start-changed", periodName(now), fmt.Sprintf("start was %s and is %s", had.start, now.Start), had.line, now.Line)
	}
	seen := map[string]bool{}
	for _, set := range now.Sets {
		for _, rep := range set.Reps {
			seen[rep.ID] = true
			if r := had.reps[rep.ID]; r != nil {
				p.sameRepresentation(now, rep, r)
			} else {
				p.w.add("dash-representation-changed", p.doc, p.prevN, evidence{where: periodName(now), said: fmt.Sprintf("Representation %s was not in this Period before", rep.ID), after: []finding.Line{rep.Line}})
			}
		}
	}
	for id, r := range had.reps {
		if !seen[id] && len(now.Sets) > 0 {
			p.w.add("dash-representation-changed", p.doc, p.prevN, evidence{where: periodName(now), said: fmt.Sprintf("Representation %s is gone from this Period", id), before: []finding.Line{r.line}})
		}
	}
	for _, s := range now.Streams {
		for _, e := range s.Events {
			if e.ID == "" {
				continue
			}
			k := s.Scheme + " " + s.Value + " " + e.ID
			if was, ok := had.event[k]; ok && was != eventSays(e, p.w.tokens) {
				p.w.add("dash-event-changed", p.doc, p.prevN, evidence{where: periodName(now), said: fmt.Sprintf("event %s of %s was %q and is %q", e.ID, s.Scheme, was, eventSays(e, p.w.tokens)), after: []finding.Line{e.Line}})
			}
		}
	}
}

func eventSays(e read.Event, t *tokens) string {
	return e.Time + " " + e.Duration + " " + t.strip(e.Body)
}

func says(rep *read.Representation) string {
	return fmt.Sprintf("codecs %q, %sx%s, bandwidth %d, %s", rep.Codecs, rep.Width, rep.Height, rep.Bandwidth, rep.Mime)
}

func (p *presentation) sameRepresentation(now *read.Period, rep *read.Representation, had *representation) {
	where := periodName(now) + ", " + rep.ID
	a := rep.Addressing
	if s := says(rep); s != had.says {
		p.say("dash-representation-changed", where, fmt.Sprintf("was %s and is %s", had.says, s), had.line, rep.Line)
	}
	if a.Timescale != had.timescale {
		p.say("dash-representation-changed", where, fmt.Sprintf("the timescale was %d and is %d", had.timescale, a.Timescale), had.line, a.Line)
		return
	}
	if a.PTO != had.pto {
		p.say("dash-pto-changed", where, fmt.Sprintf("presentationTimeOffset was %d and is %d", had.pto, a.PTO), had.line, a.Line)
	}
	if init := p.w.tokens.strip(rep.InitURI()); init != had.init {
		p.say("dash-segment-uri-changed", where, fmt.Sprintf("the initialisation was %s and is %s", had.init, init), had.line, a.Line)
	}
	p.sameSegments(where, rep, had)
}

// sameSegments: what was listed and should still be is there, with the same
// time, duration, number and address.
func (p *presentation) sameSegments(where string, rep *read.Representation, had *representation) {
	a := rep.Addressing
	if !a.Timeline && len(a.Entries) == 0 || len(had.segments) == 0 || len(a.Entries) == 0 {
		return
	}
	first := a.Entries[0].Time
	found := 0
	for _, e := range a.Entries {
		was, ok := had.segments[e.Time]
		switch {
		case !ok && e.Time < had.high && e.Time >= had.low:
			p.say("dash-segment-time-changed", where, fmt.Sprintf("a segment at t=%d, where none was listed before, and later ones were", e.Time), finding.Line{}, e.Line)
			return
		case !ok:
			continue
		}
		found++
		switch uri := p.addressOf(rep, e); {
		case e.Duration != was.duration:
			p.w.add("dash-segment-time-changed", p.doc, was.reload, evidence{where: where, said: fmt.Sprintf("the segment at t=%d had duration %d and has %d", e.Time, was.duration, e.Duration), before: []finding.Line{was.line}, after: []finding.Line{e.Line}})
			return
		case e.Number != was.number && strings.Contains(a.Media, "$Number"):
			p.w.add("dash-number-shifted", p.doc, was.reload, evidence{where: where, said: fmt.Sprintf("the segment at t=%d had number %d and has %d; startNumber is %d", e.Time, was.number, e.Number, a.StartNumber), before: []finding.Line{was.line}, after: []finding.Line{a.Line}})
			return
		case uri != was.uri:
			p.w.add("dash-segment-uri-changed", p.doc, was.reload, evidence{where: where, said: fmt.Sprintf("the segment at t=%d was %s and is %s", e.Time, was.uri, uri), before: []finding.Line{was.line}, after: []finding.Line{a.Line}})
			return
		}
	}
	// Every remembered segment from the first that is listed now must be there.
	want := 0
	for t := range had.segments {
		if t >= first {
			want++
		}
	}
	lag := 0
	if p.w.cfg.Edges > 1 {
		lag = 1
	}
	if want > found+lag {
		p.w.add("dash-segment-time-changed", p.doc, p.prevN, evidence{where: where, said: fmt.Sprintf("%d of the %d segments that were listed from t=%d on are gone", want-found, want, first), after: []finding.Line{a.Line}})
	}
}

// addressOf is where a segment is, without tokens: its address and its range.
func (p *presentation) addressOf(rep *read.Representation, e read.Entry) string {
	address := p.w.tokens.strip(rep.SegmentURI(e))
	if e.Range != "" {
		address += " " + e.Range
	}
	return address
}

// record remembers what a version published.
func (p *presentation) record(now *read.Period) (fresh map[string][]read.Entry) {
	k := key(now)
	had := p.periods[k]
	if had == nil {
		had = &period{id: k, reps: map[string]*representation{}, event: map[string]string{}}
		p.periods[k] = had
	}
	had.start, had.end, had.line = now.Start, now.End, now.Line
	fresh = map[string][]read.Entry{}
	for _, set := range now.Sets {
		for _, rep := range set.Reps {
			a := rep.Addressing
			r := had.reps[rep.ID]
			if r == nil {
				r = &representation{segments: map[uint64]published{}}
				had.reps[rep.ID] = r
			}
			r.line, r.says, r.timescale, r.pto, r.init = rep.Line, says(rep), a.Timescale, a.PTO, p.w.tokens.strip(rep.InitURI())
			for _, e := range a.Entries {
				if _, ok := r.segments[e.Time]; !ok {
					fresh[rep.ID] = append(fresh[rep.ID], e)
					r.segments[e.Time] = published{number: e.Number, duration: e.Duration, uri: p.addressOf(rep, e), reload: p.doc.version(), line: e.Line}
					r.high = max(r.high, e.Time)
				} else {
					was := r.segments[e.Time]
					was.number, was.duration, was.uri = e.Number, e.Duration, p.addressOf(rep, e)
					r.segments[e.Time] = was
				}
				had.media = max(had.media, now.Start+a.At(e)+a.Seconds(int64(e.Duration)))
			}
			if n := len(a.Entries); n > 0 {
				r.low = a.Entries[0].Time
				for t := range r.segments {
					if t < r.low && len(r.segments) > n+100 {
						delete(r.segments, t)
					}
				}
			}
		}
	}
	for _, s := range now.Streams {
		for _, e := range s.Events {
			if e.ID != "" && len(had.event) < 10_000 {
				had.event[s.Scheme+" "+s.Value+" "+e.ID] = eventSays(e, p.w.tokens)
			}
		}
	}
	return fresh
}

// prune forgets Periods that left long ago.
func (p *presentation) prune(m *read.MPD) {
	if len(p.periods) < len(m.Periods)+200 {
		return
	}
	keep := func(k string) bool {
		return slices.ContainsFunc(m.Periods, func(x *read.Period) bool { return key(x) == k })
	}
	for k := range p.periods {
		if !keep(k) {
			delete(p.periods, k)
		}
	}
}
