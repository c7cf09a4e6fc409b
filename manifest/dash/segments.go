package dash

import (
	"manifold/manifest"
)

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
