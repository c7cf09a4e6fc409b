package manifest

import (
	"math/bits"
	"time"
)

// place is a boundary of a track: the beginning of the segment after k others
// of a run, or its end.
type place struct {
	run int
	k   uint64
	at  time.Duration // on the timeline of the presentation
	far time.Duration // how far it is from what was asked for
}

// nearest finds the boundary that is nearest to a time, the first of several:
// on the timeline of the presentation, or where dated is set on that of the
// dates, counted from the epoch. ok is false where there are no segments.
func (t *Track) nearest(want time.Duration, dated bool) (best place, ok bool) {
	runs := t.Line.Runs
	if len(runs) == 0 {
		return best, false
	}
	best.far = -1
	order := t.Line.inOrder[0]
	if dated {
		// What a Period's bounds cut is dated otherwise than its run says.
		order = order && t.Line.inOrder[1] && t.presented(runs[0].Media) >= t.Start && t.presented(runs[len(runs)-1].Media) <= t.End
	}
	if !order {
		for i := range runs {
			t.within(i, want, dated, &best)
		}
		return best, true
	}
	lo, hi := 0, len(runs) // the runs before lo begin before what is wanted
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if shifted(t.bounded(runs[mid].Media), &runs[mid], dated) < want {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for i := max(lo-1, 0); i < min(lo+1, len(runs)); i++ {
		t.within(i, want, dated, &best)
	}
	return best, true
}

// bounded is the time of a media time, within the bounds of the Period.
func (t *Track) bounded(media uint64) time.Duration {
	return min(max(t.presented(media), t.Start), t.End)
}

func shifted(at time.Duration, r *Run, dated bool) time.Duration {
	if !dated {
		return at
	}
	return plus(at, r.Shift)
}

// within looks for a nearer boundary in a run.
func (t *Track) within(i int, want time.Duration, dated bool, best *place) {
	r := &t.Line.Runs[i]
	local := want
	if dated {
		local = plus(want, -r.Shift)
	}
	n, k := t.count(i), uint64(0)
	if r.Step > 0 {
		if target := t.media(local); target > r.Media {
			k = (target - r.Media) / r.Step
		}
	} else {
		n = min(n, 1)
	}
	from := k - min(k, 1)
	for k = min(from, n); k <= n && k <= from+2; k++ {
		at := t.bounded(r.Media + k*r.Step)
		if far := distance(at, local); best.far < 0 || far < best.far {
			*best = place{i, k, at, far}
		}
	}
}

// media is the media time of a time on the timeline of the presentation.
func (t *Track) media(at time.Duration) uint64 {
	if at < t.Start {
		return t.Offset - min(t.Offset, count(distance(at, t.Start), t.Timescale))
	}
	sum, carry := bits.Add64(t.Offset, count(distance(at, t.Start), t.Timescale), 0)
	if carry != 0 {
		return 1<<64 - 1
	}
	return sum
}

// count converts time to ticks, saturating.
func count(d time.Duration, timescale uint64) uint64 {
	hi, lo := bits.Mul64(uint64(d), timescale)
	if hi >= uint64(time.Second) {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(time.Second))
	return q
}

// distance is |a - b|, saturating.
func distance(a, b time.Duration) time.Duration {
	if a < b {
		a, b = b, a
	}
	if d := a - b; d >= 0 {
		return d
	}
	return Forever
}

// plus is a + b, saturating.
func plus(a, b time.Duration) time.Duration {
	s := a + b
	switch {
	case b > 0 && s < a:
		return Forever
	case b < 0 && s > a:
		return -Forever
	}
	return s
}
