package dash

import (
	"time"

	"manifold/manifest"
)

// Period is what the MPD says of a Period, with its times on the timeline of
// the presentation (ISO/IEC 23009-1, 5.3.2).
type Period struct {
	ID string
	// Start is counted from the start of the presentation.
	Start time.Duration
	// Duration is 0 where it is not known yet.
	Duration time.Duration
	Sets     []Set
	Events   []Event
	// From and To enclose its element in the source.
	From, To int
}

// Set is an AdaptationSet.
type Set struct {
	// First and Count tell which of Renditions are its Representations.
	First, Count int
	// From and To enclose its element in the source.
	From, To int
}

// Event is an Event of an EventStream, as raw as it stands there: what its
// scheme means (SCTE 35, …) is for ssai to read.
type Event struct {
	// Scheme and Value are those of the stream: "urn:scte:scte35:2014:xml+bin".
	Scheme, Value string
	ID            string
	// Start is on the timeline of the presentation; Duration is 0 where it is
	// not said.
	Start, Duration time.Duration
	// Raw is the content of the element, or its @messageData.
	Raw []byte
	// From and To enclose the element in the source.
	From, To int
}

// event is an Event as the compiler leaves it.
type event struct {
	span
	content span
	stream  span // the start tag of its EventStream
	period  int32
}

// Periods gives the Periods in order. They are listed when first asked for,
// and not to be changed.
func (t *Template) Periods() []Period {
	t.listing.Do(t.list)
	return t.listed
}

func (t *Template) list() {
	all := make([]Period, len(t.periods))
	own := tags{scanner{src: t.src}}
	for i := range t.periods {
		p := &t.periods[i]
		n := &t.nodes[p.node]
		all[i] = Period{Start: p.start, Duration: p.duration, From: int(n.start), To: int(n.end)}
		for _, a := range own.of(span{n.start, n.tag}) {
			if string(t.text(a.name)) == "id" {
				all[i].ID = decode(t.text(a.value))
			}
		}
	}
	at, first := -1, 0
	for i := range t.nodes {
		switch n := &t.nodes[i]; n.ctx {
		case ctxPeriod:
			at++
		case ctxSet:
			all[at].Sets = append(all[at].Sets, Set{First: first, From: int(n.start), To: int(n.end)})
		case ctxRepresentation:
			sets := all[at].Sets
			sets[len(sets)-1].Count++
			first++
		}
	}
	var stream eventStream
	for i := range t.events {
		e := &t.events[i]
		if stream.tag != e.stream {
			stream.read(t, &own, e.stream)
		}
		all[e.period].Events = append(all[e.period].Events, stream.event(t, &own, e, all[e.period].Start))
	}
	t.listed = all
}

// eventStream is what an EventStream says of its Events (5.10.2.2).
type eventStream struct {
	tag               span
	scheme, value     string
	timescale, offset uint64
}

func (s *eventStream) read(t *Template, own *tags, tag span) {
	*s = eventStream{tag: tag, timescale: 1}
	for _, a := range own.of(tag) {
		v := t.text(a.value)
		switch string(t.text(a.name)) {
		case "schemeIdUri":
			s.scheme = decode(v)
		case "value":
			s.value = decode(v)
		case "timescale":
			n, _ := number(v)
			s.timescale = max(n, 1)
		case "presentationTimeOffset":
			s.offset, _ = number(v)
		}
	}
}

func (s *eventStream) event(t *Template, own *tags, e *event, start time.Duration) Event {
	out := Event{Scheme: s.scheme, Value: s.value, Raw: t.text(e.content), From: int(e.from), To: int(e.to)}
	at := uint64(0)
	for _, a := range own.of(span{e.from, e.content.from}) {
		v := t.text(a.value)
		switch string(t.text(a.name)) {
		case "id":
			out.ID = decode(v)
		case "presentationTime":
			at, _ = number(v)
		case "duration":
			n, _ := number(v)
			out.Duration = ticks(n, s.timescale)
		case "messageData":
			if len(out.Raw) == 0 {
				out.Raw = []byte(decode(v))
			}
		}
	}
	out.Start = since(start, at, s.offset, s.timescale)
	return out
}

// since gives the presentation time of a media time in a Period: its start and
// what has passed from the offset.
func since(start time.Duration, at, offset, timescale uint64) time.Duration {
	if at < offset {
		return start - ticks(offset-at, timescale)
	}
	return add(start, ticks(at-offset, timescale))
}

// maxListed bounds the segments that are listed of one Representation: S@r
// makes them cheap to claim.
const maxListed = 100_000

// Segments lists the segments of a Representation, by its place among
// Renditions: Start is on the timeline of the presentation, Sequence the
// segment's number, From and To enclose the S element that it comes from (0
// where there is none). all is false where there are more than 100,000, or
// where only a clock tells which there are: numbers in a live Period.
func (t *Template) Segments(rendition int) (list []manifest.Segment, all bool) {
	i := t.representation(rendition)
	if i < 0 {
		return nil, false
	}
	var in *info
	for at := i; at >= 0 && in == nil; at = t.nodes[at].parent {
		if k := t.nodes[at].info; k >= 0 {
			in = &t.infos[k]
		}
	}
	if in == nil || in.period < 0 {
		return nil, true
	}
	l := lister{t: t, in: in, p: &t.periods[in.period], number: in.number, all: true}
	switch {
	case in.line != span{}:
		l.timeline()
	case in.duration > 0:
		l.numbered()
	}
	return l.list, l.all
}

// representation finds the node of a Representation, or -1.
func (t *Template) representation(rendition int) int32 {
	for i := range t.nodes {
		if t.nodes[i].ctx == ctxRepresentation {
			if rendition == 0 {
				return int32(i)
			}
			rendition--
		}
	}
	return -1
}

// lister lists segments.
type lister struct {
	t      *Template
	in     *info
	p      *period
	list   []manifest.Segment
	number uint64
	all    bool
}

// put adds n segments of d from a media time, and gives where they end.
func (l *lister) put(n, at, d uint64, s span) uint64 {
	for ; n > 0; n-- {
		if len(l.list) == maxListed {
			l.all = false
			return at
		}
		l.list = append(l.list, manifest.Segment{
			Sequence: l.number, Start: since(l.p.start, at, l.in.offset, l.in.timescale), Duration: ticks(d, l.in.timescale),
			From: int(s.from), To: int(s.to),
		})
		l.number++
		at += d
	}
	return at
}

// timeline reads the S elements again. A timeline that its level inherits is
// the one that counts there.
func (l *lister) timeline() {
	s := scanner{src: l.t.src[:l.in.line.to], pos: int(l.in.line.from), depth: 1, rooted: true}
	s.attrs, s.decls = s.attrBuf[:0], s.declBuf[:0]
	var now, rest uint64
	var from span
	for l.all {
		tok, f := s.next()
		if f != nil || tok != tokOpen {
			if f == nil && tok == tokClose {
				continue
			}
			break // the end of the timeline
		}
		if s.closed {
			s.pop()
		}
		if string(s.text(s.local)) != "S" {
			continue
		}
		var d, r uint64
		open := false
		for _, a := range s.attrs {
			v := s.text(a.value)
			switch string(s.text(a.name)) {
			case "t":
				if n, ok := number(v); ok {
					if rest > 0 && n > now {
						l.put(ceil(n-now, rest), now, rest, from)
					}
					now, rest = n, 0
				}
			case "n":
				if n, ok := number(v); ok {
					l.number = n
				}
			case "d":
				d, _ = number(v)
			case "r":
				if open = len(v) > 0 && v[0] == '-'; !open {
					r, _ = number(v)
				}
			}
		}
		from = span{int32(s.start), int32(s.pos)}
		if open && d > 0 {
			rest = d
			continue
		}
		rest = 0
		now = l.put(min(r, maxCount)+1, now, d, from)
	}
	if rest == 0 || !l.all {
		return
	}
	// It repeats until the Period ends; where that is open, it stands for one.
	n := uint64(1)
	if end := l.in.offset + media(l.p.duration, l.in.timescale); l.p.duration > 0 && end >= now {
		n = ceil(end-now, rest)
	} else {
		l.all = false
	}
	l.put(n, now, rest, from)
}

// numbered lists what @duration says (5.3.9.5.3): the segments are counted from
// the start of the Period, and the last one ends with it.
func (l *lister) numbered() {
	length := media(l.p.duration, l.in.timescale)
	n := ceil(length, l.in.duration)
	if l.in.count > 0 {
		n = l.in.count
	} else if l.p.duration == 0 {
		l.all = false
		return
	}
	l.put(n, l.in.offset, l.in.duration, span{})
	if last := len(l.list) - 1; l.all && last >= 0 && l.p.duration > 0 {
		s := &l.list[last]
		if end := add(l.p.start, l.p.duration); s.Start < end && end-s.Start < s.Duration {
			s.Duration = end - s.Start
		}
	}
}
