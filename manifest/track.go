package manifest

import (
	"iter"
	"math"
	"math/bits"
	"time"
	"unsafe"
)

// MaxCount bounds the segments of a run: S@r makes them cheap to claim, and a
// live Period without an end has no last number.
const MaxCount = 1 << 40

// Forever is the end of a Period whose end is not known.
const Forever = time.Duration(math.MaxInt64)

// Run is a number of segments of one length, one directly behind the other. A
// timeline is kept as runs: what repeats costs nothing.
type Run struct {
	// Media is where the first begins, Step how long each is, in ticks.
	Media, Step uint64
	// Count is how many there are, at most MaxCount.
	Count uint64
	// Number is that of the first. Unless Numbered, it is counted from
	// Track.First.
	Number   uint64
	Numbered bool
	// Open, on the last run of a line: the segments go on until the Period ends,
	// which Track.Rest counts.
	Open bool
	// Discontinuity says that the first has an EXT-X-DISCONTINUITY.
	Discontinuity bool
	// Shift is by how much the dates are ahead of the Track's epoch and the
	// media time.
	Shift time.Duration
	// From and To enclose in the source what lists them; 0 where nothing does.
	From, To int32
}

// Line is a list of runs, that several Tracks may share. It is immutable.
type Line struct {
	Runs []Run
	// inOrder says that no run begins before the one ahead of it ends: of media
	// times, of dates.
	inOrder [2]bool
}

// NewLine takes runs, which must not be changed afterwards. What would reach
// beyond the last tick that can be told is cut.
func NewLine(runs []Run) *Line {
	l := &Line{Runs: runs, inOrder: [2]bool{true, true}}
	for i := range runs {
		r := &runs[i]
		r.Count = min(r.Count, MaxCount, fitting(r))
		if i == 0 {
			continue
		}
		p := &runs[i-1]
		end := p.Media + p.Count*p.Step
		if r.Media < end {
			l.inOrder = [2]bool{}
		}
		if r.Shift < p.Shift {
			l.inOrder[1] = false
		}
	}
	return l
}

// fitting is how many segments of a run end at a tick that can be told.
func fitting(r *Run) uint64 {
	if r.Step == 0 {
		return 1
	}
	return (math.MaxUint64 - r.Media) / r.Step
}

// Track tells where the segments of one stream lie: exactly, in ticks, and on
// the timeline of the presentation. It is immutable once attached.
type Track struct {
	// Period is the index of its Period; 0 in HLS.
	Period int
	// The media time Offset is Start on the presentation's timeline: where the
	// Period starts. Timescale is in ticks per second, 1 or more.
	Timescale, Offset uint64
	Start             time.Duration
	// End is where the Period ends: boundaries behind it are there. Forever
	// where it is not known.
	End time.Duration
	// Epoch is the wall-clock time of 0 on the presentation's timeline; zero
	// where nothing tells it.
	Epoch time.Time
	// First is the number of the first segment, Discontinuities
	// EXT-X-DISCONTINUITY-SEQUENCE.
	First, Discontinuities uint64
	// Rest counts the segments of an open last run.
	Rest uint64
	// Live says that another version is to come, Open that only a clock tells
	// where the segments end.
	Live, Open bool
	// Cues counts the lines, and in-band streams, that speak of breaks.
	Cues int
	Line *Line
}

// TrackOf gives the track of a media playlist.
func TrackOf(x *Index, tl *Timeline) *Track {
	t := &Track{Timescale: uint64(time.Second), End: Forever, First: x.MediaSequence, Discontinuities: x.DiscontinuitySequence, Live: x.Live, Cues: len(tl.Cues)}
	if len(tl.Segments) > 0 {
		t.First, t.Epoch = tl.Segments[0].Sequence, tl.Segments[0].Date
	}
	var runs []Run
	for i := range tl.Segments {
		s := &tl.Segments[i]
		var shift time.Duration
		if !t.Epoch.IsZero() {
			shift = plus(max(s.Date.Sub(t.Epoch), -Forever), -s.Start)
		}
		if n := len(runs); n > 0 && !s.Discontinuity && s.Duration > 0 {
			if r := &runs[n-1]; r.Step == uint64(s.Duration) && r.Shift == shift {
				r.Count++
				r.To = int32(s.To)
				continue
			}
		}
		runs = append(runs, Run{Media: uint64(s.Start), Step: uint64(s.Duration), Count: 1, Number: s.Sequence - t.First,
			Discontinuity: s.Discontinuity, Shift: shift, From: int32(s.From), To: int32(s.To)})
	}
	t.Line = NewLine(runs[:len(runs):len(runs)])
	return t
}

// Cost is the memory in bytes that the track holds.
func (t *Track) Cost() int64 {
	return int64(unsafe.Sizeof(*t)+unsafe.Sizeof(*t.Line)) + int64(cap(t.Line.Runs))*int64(unsafe.Sizeof(Run{}))
}

// Dated says that the segments have wall-clock times.
func (t *Track) Dated() bool { return !t.Epoch.IsZero() }

// Segments gives the segments in order, each with its media time in ticks,
// made as they are asked for: there may be as many as a clock tells. Start is
// on the timeline of the presentation.
func (t *Track) Segments() iter.Seq2[uint64, Segment] {
	return func(yield func(uint64, Segment) bool) {
		for i := range t.Line.Runs {
			r := &t.Line.Runs[i]
			s := Segment{Duration: ticks(r.Step, t.Timescale), Discontinuity: r.Discontinuity, From: int(r.From), To: int(r.To)}
			for k := range t.count(i) {
				at := r.Media + k*r.Step
				s.Sequence, s.Start, s.Date = t.number(r, k), t.presented(at), t.date(t.presented(at), r)
				if !yield(at, s) {
					return
				}
				s.Discontinuity = false
			}
		}
	}
}

// Len counts the segments, to MaxCount.
func (t *Track) Len() uint64 {
	n := uint64(0)
	for i := range t.Line.Runs {
		n = min(n+t.count(i), MaxCount)
	}
	return n
}

// count is how many segments a run has.
func (t *Track) count(i int) uint64 {
	if r := &t.Line.Runs[i]; !r.Open {
		return r.Count
	}
	return min(t.Rest, MaxCount, fitting(&t.Line.Runs[i]))
}

func (t *Track) number(r *Run, k uint64) uint64 {
	if r.Numbered {
		return r.Number + k
	}
	return t.First + r.Number + k
}

// presented is a media time on the timeline of the presentation.
func (t *Track) presented(media uint64) time.Duration {
	if media < t.Offset {
		return t.Start - ticks(t.Offset-media, t.Timescale)
	}
	if at := t.Start + ticks(media-t.Offset, t.Timescale); at >= t.Start {
		return at
	}
	return Forever
}

// date is the wall-clock time of a presentation time inside a run.
func (t *Track) date(at time.Duration, r *Run) time.Time {
	if t.Epoch.IsZero() {
		return time.Time{}
	}
	return t.Epoch.Add(at).Add(r.Shift)
}

// ticks converts media time to time, saturating.
func ticks(n, timescale uint64) time.Duration {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	if hi >= timescale {
		return Forever
	}
	q, _ := bits.Div64(hi, lo, timescale)
	return time.Duration(min(q, math.MaxInt64))
}
