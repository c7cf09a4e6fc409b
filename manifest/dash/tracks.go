package dash

import (
	"time"

	"manifold/manifest"
)

// Timeline is where the Periods and the segments of an MPD lie.
type Timeline struct {
	// Periods are those of [Template.Periods], with their events.
	Periods []Period
	// Tracks are those of Renditions, one by one. A Representation of a Period
	// that is only announced has no runs.
	Tracks []manifest.Track
}

// Timeline gives where the segments lie. It is made when first asked for, and
// must not be changed. Its memory is linear in the MPD's: an S is one run
// however often it repeats, and Representations that share an addressing share
// its runs.
func (t *Template) Timeline() *Timeline {
	t.timing.Do(func() {
		l := liner{t: t, lines: make(map[int32]*manifest.Line), own: make([]*manifest.Line, len(t.infos)), whole: make([]*manifest.Line, len(t.periods))}
		t.timed = &Timeline{Periods: t.Periods(), Tracks: l.tracks()}
	})
	return t.timed
}

// Presentation gives the Representations of all Periods, known to each other
// with their tracks. The caller has it for himself.
func (t *Template) Presentation() *manifest.Presentation {
	tl, listed := t.Timeline(), t.first(manifest.MaxSiblings)
	siblings := make([]manifest.Sibling, len(listed))
	for i := range listed {
		siblings[i] = manifest.Sibling{Rendition: listed[i], Period: tl.Tracks[i].Period}
	}
	periods := make([]manifest.Period, len(t.periods))
	for i := range t.periods {
		p := &t.periods[i]
		periods[i] = manifest.Period{ID: tl.Periods[i].ID, Start: p.start, End: p.end(), Early: p.early}
	}
	p := manifest.NewPresentation(siblings, periods, t.Pathways())
	p.AttachAll(1, tl.Tracks)
	return p
}

// end is where the Period ends, manifest.Forever where that is not known.
func (p *period) end() time.Duration {
	switch {
	case !p.ended:
		return manifest.Forever
	case p.next > 0:
		return min(p.next, add(p.start, p.duration))
	}
	return add(p.start, p.duration)
}

// Pathways gives the different service locations of the BaseURLs, in document
// order.
func (t *Template) Pathways() (all []string) {
	seen := make(map[string]bool)
	own := tags{scanner{src: t.src}}
	for i := range t.marks {
		m := &t.marks[i]
		if m.kind != markBase {
			continue
		}
		for _, a := range own.of(span{m.from, m.value.from}) {
			if string(t.text(a.name)) != "serviceLocation" {
				continue
			}
			if s := decode(t.text(a.value)); s != "" && !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// liner makes tracks.
type liner struct {
	t     *Template
	epoch time.Time
	lines map[int32]*manifest.Line // by where a SegmentTimeline begins
	own   []*manifest.Line         // of the numbers or the list of an info
	whole []*manifest.Line         // one segment, by Period
}

func (l *liner) tracks() []manifest.Track {
	t := l.t
	l.available()
	all := make([]manifest.Track, 0, t.index.Variants)
	inband := make([]int32, len(t.nodes)) // by node
	for i := range t.inband {
		inband[t.inband[i].node]++
	}
	period := -1
	for i := range t.nodes {
		switch n := &t.nodes[i]; n.ctx {
		case ctxPeriod:
			period++
		case ctxRepresentation:
			all = append(all, l.track(int32(i), period))
			all[len(all)-1].Cues = int(inband[i] + inband[n.parent])
		}
	}
	return all
}

// available reads @availabilityStartTime, the anchor of a live presentation's
// timeline on the clock (5.3.1.2, table 3).
func (l *liner) available() {
	if !l.t.index.Live {
		return
	}
	own := tags{scanner{src: l.t.src}}
	n := &l.t.nodes[0]
	for _, a := range own.of(span{n.start, n.tag}) {
		if string(l.t.text(a.name)) == "availabilityStartTime" {
			l.epoch, _ = dateTime(decode(l.t.text(a.value)))
		}
	}
}

// info is the addressing of a Representation: the nearest above it, or nil.
func (t *Template) info(at int32) *info {
	for ; at >= 0; at = t.nodes[at].parent {
		if k := t.nodes[at].info; k >= 0 {
			return &t.infos[k]
		}
	}
	return nil
}

// nothing is the line of what has no segments that could be told.
var nothing = manifest.NewLine(nil)

// track makes the track of the Representation of node i.
func (l *liner) track(i int32, period int) manifest.Track {
	p := &l.t.periods[period]
	t := manifest.Track{Period: period, Timescale: 1, Start: p.start, End: p.end(), Epoch: l.epoch, Live: l.t.index.Live, Line: nothing}
	if p.early {
		return t
	}
	in := l.t.info(i)
	if in == nil || in.line == (span{}) && in.duration == 0 && in.count <= 1 {
		l.single(&t, p, in, period)
		return t
	}
	t.Timescale, t.Offset, t.First = in.timescale, in.offset, in.number
	switch {
	case in.line != span{}:
		if t.Line = l.lines[in.line.from]; t.Line == nil {
			t.Line = l.timeline(in.line)
			l.lines[in.line.from] = t.Line
		}
		if n := len(t.Line.Runs); n > 0 && t.Line.Runs[n-1].Open {
			t.Rest, t.Open = l.rest(p, in, t.Line.Runs[n-1].Media, t.Line.Runs[n-1].Step)
		}
	case in.duration > 0:
		k := l.t.number(in)
		if l.own[k] == nil {
			l.own[k] = manifest.NewLine(l.numbered(p, in))
		}
		t.Line, t.Open = l.own[k], in.count == 0 && !in.bounded && !p.ended
	}
	return t
}

// number is the place of an info among the infos.
func (t *Template) number(in *info) int32 { return t.nodes[in.node].info }

// single is a Representation that is one segment, as long as its Period
// (5.3.9.2): a SegmentBase, a SegmentList of one, or a base URL alone.
func (l *liner) single(t *manifest.Track, p *period, in *info, period int) {
	t.Timescale, t.First = uint64(time.Second), 1
	if in != nil {
		// The line, in ticks of a nanosecond from 0, is that of the whole Period.
		t.First = in.number
	}
	if !p.ended {
		t.Open = true
		return
	}
	if l.whole[period] == nil {
		l.whole[period] = manifest.NewLine([]manifest.Run{{Step: uint64(p.duration), Count: 1}})
	}
	t.Line = l.whole[period]
}

// rest counts the segments of an S that repeats until the Period ends.
func (l *liner) rest(p *period, in *info, at, each uint64) (n uint64, open bool) {
	if !p.ended {
		return manifest.MaxCount, true
	}
	if end := sum(in.offset, media(p.duration, in.timescale)); end > at {
		return ceil(end-at, each), false
	}
	return 0, false
}

// numbered is what @duration says (5.3.9.5.3): the segments are counted from
// the start of the Period, and the last one ends with it.
func (l *liner) numbered(p *period, in *info) []manifest.Run {
	length, n := media(p.duration, in.timescale), uint64(manifest.MaxCount)
	switch {
	case in.count > 0:
		n = in.count
	case in.bounded:
		n = in.upTo()
	case p.ended:
		n = ceil(length, in.duration)
	}
	run := manifest.Run{Media: in.offset, Step: in.duration, Count: n}
	if n == 0 {
		return nil
	}
	// before is where the last one begins; it saturates where that is beyond
	// every clock.
	before := manifest.NewLine([]manifest.Run{{Step: in.duration, Count: n}}).Runs[0].Count
	if full := (before - 1) * in.duration; p.ended && before == n && length > full && length-full < in.duration {
		last := manifest.Run{Media: sum(in.offset, full), Step: length - full, Count: 1, Number: n - 1}
		if run.Count--; n == 1 {
			return []manifest.Run{last}
		}
		return []manifest.Run{run, last}
	}
	return []manifest.Run{run}
}

// timeline reads the S elements again (5.3.9.6). A timeline that its level
// inherits is the one that counts there.
func (l *liner) timeline(line span) *manifest.Line {
	s := scanner{src: l.t.src[:line.to], pos: int(line.from), depth: 1, rooted: true}
	s.attrs, s.decls = s.attrBuf[:0], s.declBuf[:0]
	var runs []manifest.Run
	var now, number uint64 // where the next S begins, and its number
	numbered := false
	for {
		tok, f := s.next()
		if f == nil && tok == tokClose {
			continue
		}
		if f != nil || tok != tokOpen {
			break // the end of the timeline
		}
		if s.closed {
			s.pop()
		}
		if string(s.text(s.local)) != "S" {
			continue
		}
		e := readS(&s)
		if n := len(runs); n > 0 && runs[n-1].Open {
			// The S before repeats until here; without a time, it is one.
			last := &runs[n-1]
			last.Open, last.Count = false, 1
			if e.timed && e.t > last.Media {
				last.Count = ceil(e.t-last.Media, last.Step)
			}
			number += last.Count
			now = sum(last.Media, last.Count*last.Step)
		}
		if e.timed {
			now = e.t
		}
		if e.numbered {
			number, numbered = e.n, true
		}
		if e.d == 0 {
			number = sum(number, e.repeats)
			continue // it has no length: nothing begins or ends here
		}
		run := manifest.Run{Media: now, Step: e.d, Count: e.repeats, Number: number, Numbered: numbered, Open: e.open, From: int32(s.start), To: int32(s.pos)}
		if e.open {
			run.Count = 1
		} else {
			if length := (1<<64 - 1 - now) / e.d; length < run.Count {
				now = 1<<64 - 1
			} else {
				now += run.Count * e.d
			}
			number = sum(number, run.Count)
		}
		runs = append(runs, run)
	}
	return manifest.NewLine(runs[:len(runs):len(runs)])
}

// sElement is an S.
type sElement struct {
	t, n, d         uint64
	repeats         uint64 // how many segments it stands for
	timed, numbered bool
	open            bool // it repeats until the next one, or the Period's end
}

func readS(s *scanner) (e sElement) {
	e.repeats = 1
	for _, a := range s.attrs {
		v := s.text(a.value)
		switch string(s.text(a.name)) {
		case "t":
			e.t, e.timed = number(v)
		case "n":
			e.n, e.numbered = number(v)
		case "d":
			e.d, _ = number(v)
		case "r":
			if e.open = len(v) > 0 && v[0] == '-'; !e.open {
				r, _ := number(v)
				e.repeats = min(r, maxCount-1) + 1
			}
		}
	}
	e.open = e.open && e.d > 0
	return e
}
