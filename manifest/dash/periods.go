package dash

import (
	"time"
)

// Period is what the MPD says of a Period, with its times on the timeline of
// the presentation (ISO/IEC 23009-1, 5.3.2).
type Period struct {
	ID string
	// Start is counted from the start of the presentation.
	Start time.Duration
	// Duration is 0 where it is not known yet. A next Period that starts before
	// ends this one earlier.
	Duration time.Duration
	// Early says that it is only announced: nothing tells yet when it starts.
	Early  bool
	Sets   []Set
	Events []Event
	// From and To enclose its element in the source.
	From, To int
}

// Set is an AdaptationSet.
type Set struct {
	// First and Count tell which of Renditions are its Representations.
	First, Count int
	// Inband are the event streams that its segments carry, those that only
	// some of its Representations have included.
	Inband []Inband
	// From and To enclose its element in the source.
	From, To int
}

// Inband is an InbandEventStream: events are in the segments, as emsg boxes.
type Inband struct {
	Scheme, Value string
	// Rendition is which of Renditions has it; -1 where all of the set do.
	Rendition int
	// From and To enclose its start tag in the source.
	From, To int
}

// inband is an InbandEventStream as the compiler leaves it.
type inband struct {
	node int32 // of its AdaptationSet or Representation
	span
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
		all[i] = Period{Start: p.start, Duration: p.duration, Early: p.early, From: int(n.start), To: int(n.end)}
		for _, a := range own.of(span{n.start, n.tag}) {
			if string(t.text(a.name)) == "id" {
				all[i].ID = decode(t.text(a.value))
			}
		}
	}
	at, first, in := -1, 0, 0
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
		for ; in < len(t.inband) && t.inband[in].node == int32(i); in++ {
			sets := all[at].Sets
			e := eventStream{}
			e.read(t, &own, t.inband[in].span)
			which := first - 1
			if t.nodes[i].ctx == ctxSet {
				which = -1
			}
			s := &sets[len(sets)-1]
			s.Inband = append(s.Inband, Inband{e.scheme, e.value, which, int(e.tag.from), int(e.tag.to)})
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
