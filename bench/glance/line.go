package glance

import (
	"sort"
	"time"
)

// Line is the segments of one track, in the order of time.
type Line struct {
	Runs []Run
	// Open: the last run goes on for ever; segments are there when their end
	// has come (DASH, SegmentTemplate with duration).
	Open bool
}

// Run is a number of segments of equal length.
type Run struct {
	// At is where the first begins, Each how long each is.
	At, Each time.Duration
	N        int
	// Number is the first one's: media sequence number, or $Number$. Time and
	// Step are $Time$ of the first and from one to the next, in the units of
	// the timescale.
	Number, Time, Step uint64
}

// Segment is one of a line.
type Segment struct {
	At, Each     time.Duration
	Number, Time uint64
}

// End is where the segment ends.
func (s Segment) End() time.Duration { return s.At + s.Each }

// add appends a segment.
func (l *Line) add(s Segment, step uint64) {
	if n := len(l.Runs); n > 0 {
		r := &l.Runs[n-1]
		if r.Each == s.Each && r.Step == step && r.At+time.Duration(r.N)*r.Each == s.At && r.Number+uint64(r.N) == s.Number {
			r.N++
			return
		}
	}
	l.Runs = append(l.Runs, Run{At: s.At, Each: s.Each, N: 1, Number: s.Number, Time: s.Time, Step: step})
}

// Start is where the first segment begins.
func (l *Line) Start() time.Duration {
	if len(l.Runs) == 0 {
		return 0
	}
	return l.Runs[0].At
}

// End is where the last listed segment ends.
func (l *Line) End() time.Duration {
	if len(l.Runs) == 0 {
		return 0
	}
	r := &l.Runs[len(l.Runs)-1]
	return r.At + time.Duration(r.N)*r.Each
}

// Len is how many segments are listed.
func (l *Line) Len() int {
	n := 0
	for i := range l.Runs {
		n += l.Runs[i].N
	}
	return n
}

// Find gives the first segment that ends later than slack after t.
func (l *Line) Find(t, slack time.Duration) (Segment, bool) {
	t += slack
	i := sort.Search(len(l.Runs), func(i int) bool {
		r := &l.Runs[i]
		return l.Open && i == len(l.Runs)-1 || r.At+time.Duration(r.N)*r.Each > t
	})
	if i == len(l.Runs) {
		return Segment{}, false
	}
	r := &l.Runs[i]
	k := 0
	if t > r.At && r.Each > 0 {
		k = int((t - r.At) / r.Each)
	}
	return r.segment(k), true
}

// Numbered gives the segment with a number.
func (l *Line) Numbered(n uint64) (Segment, bool) {
	i := sort.Search(len(l.Runs), func(i int) bool { r := &l.Runs[i]; return r.Number+uint64(r.N) > n })
	if i == len(l.Runs) || n < l.Runs[i].Number {
		return Segment{}, false
	}
	return l.Runs[i].segment(int(n - l.Runs[i].Number)), true
}

func (r *Run) segment(k int) Segment {
	return Segment{At: r.At + time.Duration(k)*r.Each, Each: r.Each, Number: r.Number + uint64(k), Time: r.Time + uint64(k)*r.Step}
}
