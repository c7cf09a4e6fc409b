package manifest

import "time"

// View is what was known of a Presentation at one moment. It does not change,
// and nothing asked of it allocates.
type View struct {
	p         *Presentation
	version   uint64
	runs      int // of tracks attached one by one
	tracks    []*Track
	versions  []uint64
	cued      []bool
	reference []int32 // by Period
	omitted   int
}

// Version rises with every change of the Presentation.
func (v *View) Version() uint64 { return v.version }

// Track gives the track of a sibling, nil where it is not known.
func (v *View) Track(sibling int) *Track {
	if uint(sibling) >= uint(len(v.tracks)) {
		return nil
	}
	return v.tracks[sibling]
}

// Cued tells whether a sibling ever had a cue.
func (v *View) Cued(sibling int) bool { return uint(sibling) < uint(len(v.cued)) && v.cued[sibling] }

// Reference is the reference rendition of a Period, by the rule in rank.go; ok
// is false as long as no track is known that could be it.
func (v *View) Reference(period int) (sibling int, ok bool) {
	if uint(period) >= uint(len(v.reference)) || v.reference[period] < 0 {
		return 0, false
	}
	return int(v.reference[period]), true
}

// Moment is a point in a presentation.
type Moment struct {
	// Date is the wall-clock time; where it is zero, Media counts.
	Date time.Time
	// Media is the time on the presentation's timeline: in HLS from the first
	// segment that the reference rendition lists.
	Media time.Duration
}

// Alignment is how two renditions' timelines were brought together.
type Alignment uint8

// The alignments, best first.
const (
	// ByTimeline: they share one, as the Representations of a Period do.
	ByTimeline Alignment = iota
	// ByDate: both have EXT-X-PROGRAM-DATE-TIME.
	ByDate
	// ByDiscontinuity: a discontinuity of the same number is in both.
	ByDiscontinuity
	// BySequence: live, a segment of the same number is in both; packagers
	// number alike what they cut alike.
	BySequence
	// ByStart: both are taken to start together, as VOD does.
	ByStart
)

// String names the alignment as reports do.
func (a Alignment) String() string {
	switch a {
	case ByTimeline:
		return "timeline"
	case ByDate:
		return "date"
	case ByDiscontinuity:
		return "discontinuity"
	case BySequence:
		return "media sequence"
	}
	return "start"
}

// Boundary is where a segment begins, or the last of a stretch ends.
type Boundary struct {
	Sibling, Period int
	// Segment is the number of the segment that begins there, or would.
	Segment uint64
	// Media is the time on the presentation's timeline, in HLS from the first
	// segment that this sibling lists; Date the wall-clock time, or zero.
	Media time.Duration
	Date  time.Time
	// Shift is how much later the boundary is than what was asked for.
	Shift time.Duration
	// Outside says that what was asked for is before the first boundary listed
	// or behind the last: another version may have a nearer one.
	Outside bool
	By      Alignment

	run int // where it is among the sibling's runs
}

// Snap finds the boundary of the reference rendition that is nearest to a
// moment, the first of two, by dates where the moment has one. ok is false
// where no reference is known, or it has no dates and the moment has.
func (v *View) Snap(at Moment) (b Boundary, ok bool) {
	best := Forever
	for period, i := range v.reference {
		if i < 0 {
			continue
		}
		t := v.tracks[i]
		want, dated, can := t.want(at)
		if !can {
			continue
		}
		// Nothing in a Period is nearer than its ends are.
		if len(v.reference) > 1 && ok && max(distance(min(want, t.Start), t.Start), distance(max(want, t.End), t.End)) >= best {
			continue
		}
		p, found := t.nearest(want, dated)
		if !found || ok && p.far >= best {
			continue
		}
		best, ok = p.far, true
		b = t.boundary(p, want, dated)
		b.Sibling, b.Period = int(i), period
	}
	return b, ok
}

// Nearest finds the boundary of any sibling that is nearest to a time on the
// presentation's timeline, in HLS on the sibling's own.
func (v *View) Nearest(sibling int, media time.Duration) (b Boundary, ok bool) {
	t := v.Track(sibling)
	if t == nil {
		return b, false
	}
	media = max(media, -Forever)
	p, ok := t.nearest(media, false)
	if ok {
		b = t.boundary(p, media, false)
		b.Sibling, b.Period = sibling, t.Period
	}
	return b, ok
}

// want is a moment on a track's timeline. Where all Periods share an epoch,
// dates are nothing but another way to say it.
func (t *Track) want(at Moment) (want time.Duration, dated, ok bool) {
	if at.Date.IsZero() {
		return max(at.Media, -Forever), false, true
	}
	if !t.Dated() {
		return 0, false, false
	}
	return max(at.Date.Sub(t.Epoch), -Forever), true, true
}

// On finds the boundary of another sibling that is nearest to a boundary of
// the reference rendition. Shift is against that one. ok is false where the
// sibling's track is not known, has no segments, or is of another Period.
func (v *View) On(sibling int, b Boundary) (Boundary, bool) {
	t, ref := v.Track(sibling), v.Track(b.Sibling)
	if t == nil || ref == nil || t.Period != ref.Period {
		return Boundary{}, false
	}
	want, dated, by := b.Media, false, ByTimeline
	switch {
	case len(v.p.periods) > 0 || sibling == b.Sibling:
	case t.Dated() && ref.Dated():
		want, dated, by = max(b.Date.Sub(t.Epoch), -Forever), true, ByDate
	default:
		var ahead time.Duration
		ahead, by = t.align(ref, b.run)
		want = plus(b.Media, ahead)
	}
	p, ok := t.nearest(want, dated)
	if !ok {
		return Boundary{}, false
	}
	other := t.boundary(p, want, dated)
	other.Sibling, other.Period, other.By = sibling, b.Period, by
	return other, true
}

// boundary tells of a place what a decision needs.
func (t *Track) boundary(p place, want time.Duration, dated bool) Boundary {
	r := &t.Line.Runs[p.run]
	b := Boundary{Media: p.at, Date: t.date(p.at, r), Shift: plus(shifted(p.at, r, dated), -want), Segment: t.number(r, p.k), run: p.run}
	last := p.run == len(t.Line.Runs)-1
	b.Outside = b.Shift > 0 && p.run == 0 && p.k == 0 || b.Shift < 0 && last && p.k == t.count(p.run)
	if !last && p.k == t.count(p.run) && t.Line.Runs[p.run+1].Media == r.Media+p.k*r.Step {
		// The next run begins where this one ends.
		b.run++
		b.Segment = t.number(&t.Line.Runs[p.run+1], 0)
	}
	return b
}

// align gives by how much the time of t is ahead of that of ref, seen from a
// run of ref, where there are no dates. Between two discontinuities streams
// share a timeline, so that the discontinuity before counts; where that is not
// in both windows, the nearest that is.
func (t *Track) align(ref *Track, run int) (ahead time.Duration, by Alignment) {
	number, at := ref.Discontinuities, 0
	best, found := 0, -1 // of ref's runs, of t's
	runs, i, mine := ref.Line.Runs, -1, t.Discontinuities
	by = ByStart
	if !t.Live && !ref.Live && mine == number && len(t.Line.Runs) > 0 {
		found = 0 // they start together
	}
	for at = range runs {
		if !runs[at].Discontinuity {
			continue
		}
		number++
		if found >= 0 && at > run {
			break // what was found is at or before the run
		}
		for mine < number && i+1 < len(t.Line.Runs) {
			if i++; t.Line.Runs[i].Discontinuity {
				mine++
			}
		}
		if mine == number && i >= 0 && t.Line.Runs[i].Discontinuity {
			best, found, by = at, i, ByDiscontinuity
			if at >= run {
				break
			}
		}
	}
	switch {
	case found >= 0:
		return t.presented(t.Line.Runs[found].Media) - ref.presented(runs[best].Media), by
	case t.Live && ref.Live:
		if mine, theirs, ok := t.common(ref); ok {
			return mine - theirs, BySequence
		}
	}
	return 0, ByStart
}

// common finds where the first segment number that is in both begins in each.
func (t *Track) common(other *Track) (mine, theirs time.Duration, ok bool) {
	first := max(t.First, other.First)
	if mine, ok = t.begins(first); ok {
		theirs, ok = other.begins(first)
	}
	return mine, theirs, ok
}

// begins finds where the segment of a number begins, or would behind the last.
func (t *Track) begins(number uint64) (time.Duration, bool) {
	for i := range t.Line.Runs {
		r := &t.Line.Runs[i]
		if first := t.number(r, 0); number >= first && number-first < t.count(i) {
			return t.presented(r.Media + (number-first)*r.Step), true
		}
	}
	return 0, false
}
