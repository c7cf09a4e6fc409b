package dash

import (
	"math/bits"
	"slices"
	"time"

	"manifold/manifest"
)

// period is what the index knows of a Period.
type period struct {
	node            int32
	start, duration time.Duration
	started, timed  bool          // start, duration are written
	ended           bool          // its end is known
	next            time.Duration // where the next one starts, which ends a longer one; or 0
	early           bool          // it is announced: nothing tells yet when it starts
}

// info is what the index knows of one SegmentTemplate, SegmentList or
// SegmentBase; attributes that it does not have are those of the level above
// (ISO/IEC 23009-1, 5.3.9.1).
type info struct {
	node      int32
	period    int32
	timescale uint64
	duration  uint64 // @duration, 0 where there is none
	offset    uint64 // @presentationTimeOffset
	number    uint64 // @startNumber
	last      uint64 // @endNumber, where bounded
	bounded   bool
	count     uint64 // segments listed by a timeline or one by one
	inherited bool   // count and line are those of the level above
	line      span   // the S elements of its timeline
	// A last S that repeats until the Period ends: where it starts, and its
	// length; 0 where there is none.
	restAt, rest uint64
}

// timeline is the state of a SegmentTimeline being read (5.3.9.6).
type timeline struct {
	time    uint64 // where the next S starts
	count   uint64
	longest uint64
	restAt  uint64
	rest    uint64 // of an S that repeats until the next one, or the end
}

// maxCount bounds the counts of segments, which S@r makes cheap to inflate.
const maxCount = manifest.MaxCount

// add puts n segments of d after the others.
func (l *timeline) add(n, d uint64) {
	l.count = min(l.count+min(n, maxCount), maxCount)
	over, length := bits.Mul64(n, d)
	if over != 0 {
		length = 1<<64 - 1
	}
	l.time = sum(l.time, length)
}

// period takes the attributes of a Period.
func (c *compiler) period(o *open) {
	p := period{node: o.node}
	for _, a := range c.attrs {
		switch string(c.text(a.name)) {
		case "start":
			p.start, p.started = duration(c.text(a.value)), true
		case "duration":
			p.duration, p.timed = duration(c.text(a.value)), true
		}
	}
	c.t.periods = append(c.t.periods, p)
}

// segments takes the attributes of a SegmentTemplate, SegmentList or
// SegmentBase.
func (c *compiler) segments(o *open) {
	t := c.t
	in := info{timescale: 1, number: 1}
	for at := o.node; at >= 0; at = t.nodes[at].parent {
		if i := t.nodes[at].info; i >= 0 {
			in = t.infos[i]
			in.inherited = true
			break
		}
	}
	in.node, in.period = o.node, int32(len(t.periods)-1)
	for _, a := range c.attrs {
		n, ok := number(c.text(a.value))
		if !ok {
			continue
		}
		switch string(c.text(a.name)) {
		case "timescale":
			in.timescale = max(n, 1)
		case "duration":
			in.duration = n
		case "presentationTimeOffset":
			in.offset = n
		case "startNumber":
			in.number = n
		case "endNumber":
			in.last, in.bounded = n, true
		}
	}
	t.nodes[o.node].info = int32(len(t.infos))
	t.infos = append(t.infos, in)
}

// listed counts a SegmentURL.
func (c *compiler) listed() {
	n := len(c.t.infos)
	if n == 0 {
		return
	}
	in := &c.t.infos[n-1]
	if in.inherited {
		in.inherited, in.count, in.rest, in.line = false, 0, 0, span{}
	}
	in.count++
}

// span counts an S.
func (c *compiler) span() {
	l := &c.line
	var d, r uint64
	open := false
	for _, a := range c.attrs {
		if a.name.to != a.name.from+1 {
			continue
		}
		value := c.text(a.value)
		switch c.src[a.name.from] {
		case 't':
			if n, ok := number(value); ok {
				l.until(n)
				l.time = n
			}
		case 'd':
			d, _ = number(value)
		case 'r':
			if len(value) > 0 && value[0] == '-' {
				open = true
			} else {
				r, _ = number(value)
			}
		}
	}
	l.longest = max(l.longest, d)
	if open && d > 0 {
		l.restAt, l.rest = l.time, d
		return
	}
	l.add(min(r, maxCount)+1, d)
}

// until ends an S that repeats until the next one.
func (l *timeline) until(t uint64) {
	if l.rest > 0 && t > l.restAt {
		l.count = min(l.count+ceil(t-l.restAt, l.rest), maxCount)
	}
	l.rest = 0
}

// lined keeps what a timeline came to.
func (c *compiler) lined(o *open) {
	if len(c.t.infos) == 0 {
		return
	}
	in := &c.t.infos[len(c.t.infos)-1]
	in.line, in.inherited = span{o.tag, int32(c.start)}, false
	in.count, in.restAt, in.rest = c.line.count, c.line.restAt, c.line.rest
	c.t.longest = max(c.t.longest, ticks(c.line.longest, in.timescale))
}

func ceil(n, d uint64) uint64 { return min(n/d+min(n%d, 1), maxCount) }

// ticks converts media time to time, saturating.
func ticks(n, timescale uint64) time.Duration {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	if hi >= timescale {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, timescale)
	return time.Duration(min(q, 1<<63-1))
}

// media converts time to media time, rounded up and saturating.
func media(d time.Duration, timescale uint64) uint64 {
	if d <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(d), timescale)
	if hi >= uint64(time.Second) {
		return 1<<64 - 1
	}
	q, rest := bits.Div64(hi, lo, uint64(time.Second))
	return sum(q, min(rest, 1))
}

// sum is a + b, saturating.
func sum(a, b uint64) uint64 {
	s, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 1<<64 - 1
	}
	return s
}

// settle works out the Periods' times (5.3.2.1) and the sums of the index. A
// Period without @start begins where the one before it ends, by its @duration;
// without that, the first begins at 0, and in a live MPD it is one that is
// only announced (an Early Available Period).
func (t *Template) settle() {
	for i := range t.periods {
		p := &t.periods[i]
		if p.started {
			continue
		}
		switch {
		case i > 0 && t.periods[i-1].timed && !t.periods[i-1].early:
			p.start = add(t.periods[i-1].start, t.periods[i-1].duration)
		case t.index.Live:
			p.early = true
		case i > 0:
			p.start = t.periods[i-1].start
		}
	}
	for i := range t.periods {
		p := &t.periods[i]
		end, known := time.Duration(0), false
		if i+1 < len(t.periods) {
			end, known = t.periods[i+1].start, t.periods[i+1].started
		} else if t.length > 0 {
			end, known = t.length, true
		}
		switch {
		case p.early:
		case p.timed && i+1 < len(t.periods) && known && end > p.start:
			p.next = end
		case !p.timed && known:
			p.duration = max(0, end-p.start)
		}
		p.ended = !p.early && (p.timed || known)
	}
	// Those of an AdaptationSet may stand behind its Representations.
	slices.SortStableFunc(t.inband, func(a, b inband) int { return int(a.node - b.node) })
	x := &t.index
	x.Target = t.maxSegment
	if x.Target == 0 {
		x.Target = t.update
	}
	x.Window = t.length
	if x.Live && t.depth > 0 {
		x.Window = t.depth
	}
	most := make([]uint64, len(t.periods))
	for i := range t.infos {
		in := &t.infos[i]
		if in.period < 0 {
			continue
		}
		n, longest := t.count(in)
		most[in.period] = max(most[in.period], n)
		t.longest = max(t.longest, longest)
	}
	var all uint64
	for _, n := range most {
		all = min(all+n, maxCount)
	}
	x.Segments = int(all)
	if x.Target == 0 {
		x.Target = t.longest
	}
	if x.Window == 0 && !x.Live && len(t.periods) > 0 {
		last := t.periods[len(t.periods)-1]
		x.Window = add(last.start, last.duration)
	}
}

// count gives how many segments an info lists and, where @duration says it,
// how long they are. Of a live Period without an end, numbers stand for the
// time-shift buffer.
func (t *Template) count(in *info) (uint64, time.Duration) {
	p := &t.periods[in.period]
	length := p.duration
	if length == 0 && t.index.Live {
		length = t.depth
	}
	each := ticks(in.duration, in.timescale)
	switch {
	case in.rest > 0:
		end := sum(in.offset, media(p.duration, in.timescale))
		if p.duration == 0 || end < in.restAt {
			return in.count + 1, 0
		}
		return min(in.count+ceil(end-in.restAt, in.rest), maxCount), 0
	case in.line != span{}:
		return in.count, 0
	case in.count > 0:
		return in.count, each
	case in.duration > 0 && in.bounded:
		return in.upTo(), each
	case in.duration > 0:
		return ceil(media(length, in.timescale), in.duration), each
	}
	return 1, 0 // one file
}

// upTo counts the numbers to @endNumber.
func (in *info) upTo() uint64 {
	if in.last < in.number {
		return 0
	}
	return min(in.last-in.number, maxCount-1) + 1
}

func add(a, b time.Duration) time.Duration {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}
