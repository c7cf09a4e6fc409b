package read

import (
	"bytes"
	"time"

	"github.com/zencoder/go-dash/v3/mpd"

	"manifold/bench/finding"
)

// SecondMPD reads an MPD again with zencoder/go-dash and reports where the two
// readings differ. What that library is known not to keep (steering, service
// locations, event bodies, everything of other namespaces) is not compared.
func SecondMPD(body []byte, m *MPD) []Problem {
	if len(body) > secondLimit || hasSyntaxProblem(m.Problems) {
		return nil
	}
	var p problems
	var other *mpd.MPD
	err := guarded(func() (err error) {
		other, err = mpd.Read(bytes.NewReader(body))
		return err
	})
	if err != nil {
		p.add("views-differ", m.Line, "zencoder/go-dash cannot read this MPD: %v", err)
		return p
	}
	if len(other.Periods) != len(m.Periods) {
		p.add("views-differ", m.Line, "zencoder/go-dash sees %d Periods, the strict reader %d", len(other.Periods), len(m.Periods))
		return p
	}
	for i, period := range m.Periods {
		if !samePeriod(period, other.Periods[i], &p) {
			break
		}
	}
	return p
}

func samePeriod(a *Period, b *mpd.Period, p *problems) bool {
	count := len(*p)
	if b.ID != a.ID {
		p.add("views-differ", a.Line, "zencoder/go-dash reads the Period id %q, the strict reader %q", b.ID, a.ID)
	}
	if b.Start != nil && (time.Duration(*b.Start)-a.Start).Abs() > time.Millisecond {
		p.add("views-differ", a.Line, "zencoder/go-dash reads the start %s, the strict reader %s", time.Duration(*b.Start), a.Start)
	}
	if len(b.AdaptationSets) != len(a.Sets) {
		p.add("views-differ", a.Line, "zencoder/go-dash sees %d AdaptationSets, the strict reader %d", len(b.AdaptationSets), len(a.Sets))
		return false
	}
	for i, set := range a.Sets {
		other := b.AdaptationSets[i]
		if len(other.Representations) != len(set.Reps) {
			p.add("views-differ", set.Line, "zencoder/go-dash sees %d Representations, the strict reader %d", len(other.Representations), len(set.Reps))
			continue
		}
		for j, rep := range set.Reps {
			if id := other.Representations[j].ID; id == nil || *id != rep.ID {
				p.add("views-differ", rep.Line, "zencoder/go-dash and the strict reader disagree about the id of Representation %s", rep.ID)
			}
			sameTimeline(rep, b, other, other.Representations[j], p)
		}
	}
	return len(*p) == count
}

// sameTimeline compares what the nearest SegmentTemplate says.
func sameTimeline(rep *Representation, period *mpd.Period, set *mpd.AdaptationSet, other *mpd.Representation, p *problems) {
	t := other.SegmentTemplate
	if t == nil {
		t = set.SegmentTemplate
	}
	if t == nil {
		t = period.SegmentTemplate
	}
	a := rep.Addressing
	if t == nil || t.SegmentTimeline == nil || !a.Timeline {
		return
	}
	n, at := 0, uint64(0)
	for _, s := range t.SegmentTimeline.Segments {
		if s.StartTime != nil {
			at = *s.StartTime
		}
		repeat := 0
		if s.RepeatCount != nil {
			if repeat = *s.RepeatCount; repeat < 0 {
				return // open: each reader fills by its own rules
			}
		}
		n += repeat + 1
		at += uint64(repeat+1) * s.Duration
	}
	if n != len(a.Entries) {
		p.add("views-differ", lineAt(a), "zencoder/go-dash sees %d segments of Representation %s, the strict reader %d", n, rep.ID, len(a.Entries))
	} else if n > 0 {
		if last := a.Entries[n-1]; last.Time+last.Duration != at {
			p.add("views-differ", lineAt(a), "zencoder/go-dash lets the timeline of Representation %s end at %d, the strict reader at %d", rep.ID, at, last.Time+last.Duration)
		}
	}
	if t.Media != nil && *t.Media != a.Media {
		p.add("views-differ", lineAt(a), "zencoder/go-dash reads the template %q, the strict reader %q", *t.Media, a.Media)
	}
}

func lineAt(a *Addressing) finding.Line { return a.Line }
