package proxy

import (
	"slices"
	"time"

	"manifold/explain"
	"manifold/manifest"
)

// absence is a time in which a pathway was drained, in Unix seconds. until 0:
// its end is not known.
type absence struct{ from, until int64 }

// absences are those of one pathway, oldest first. They do not change once they
// are published; nil: there was none.
type absences struct{ list []absence }

// maxAbsences is how many drains of a pathway are remembered. They matter while
// the segments of their time are listed.
const maxAbsences = 16

// with is the absences with a drain that is set: one that goes on, or comes when
// the last is not over, is the same absence.
func (a *absences) with(d *Drain) *absences {
	next := absence{wholeSecond(d.Since), wholeSecond(d.Until)}
	list := a.copied()
	if n := len(list); n > 0 && (list[n-1].until == 0 || next.from <= list[n-1].until) {
		next.from = min(next.from, list[n-1].from)
		list = list[:n-1]
	}
	list = append(list, next)
	return &absences{list[max(0, len(list)-maxAbsences):]}
}

// endedBy is the absences when the last drain is undone.
func (a *absences) endedBy(now time.Time) *absences {
	list := a.copied()
	last := &list[len(list)-1]
	if end := wholeSecond(now); last.until == 0 || end < last.until {
		last.until = max(end, last.from)
	}
	return &absences{list}
}

func (a *absences) copied() []absence {
	if a == nil {
		return nil
	}
	return slices.Clone(a.list)
}

// of is the absences as a shape has them, with the index of the other pathway.
func (a *absences) of(other int) *manifest.Away {
	out := &manifest.Away{Pathway: other}
	for _, one := range a.list {
		i := manifest.Interval{From: time.Unix(one.from, 0)}
		if one.until != 0 {
			i.Until = time.Unix(one.until, 0)
		}
		out.Times = append(out.Times, i)
	}
	return out
}

// behind is how far the dates of a live playlist may be behind the clock to be
// trusted as the times at which its segments were published.
const behind = time.Minute

// show tells whether a live playlist may list both segments that were published
// in the absences and others, which its dates must tell: those of a playlist that
// has none, or has those of another day, say nothing of it.
func (a *absences) show(t template, now time.Time) bool {
	index := t.Index()
	media, ok := t.(*mediaTemplate)
	if a == nil || !ok || !index.Live || index.Segments == 0 {
		return false
	}
	list := media.Timeline().Segments
	first, last := &list[0], &list[len(list)-1]
	if late := now.Sub(last.Date.Add(last.Duration)); last.Date.IsZero() || late < -index.Target || late > behind {
		return false
	}
	began := first.Date.Add(first.Duration - index.Target).Unix() // publishing
	newest := a.list[len(a.list)-1]
	if newest.until == 0 {
		return began <= newest.from
	}
	return began <= newest.until
}

// traceAway tells of a media playlist with segments from two pathways.
func (r *request) traceAway(key *shapeKey) {
	newest := key.away.list[len(key.away.list)-1]
	detail := "after " + r.ch.cdns[key.order[0]].id + ", for segments published from " + time.Unix(newest.from, 0).UTC().Format(time.RFC3339)
	if newest.until != 0 {
		detail += " until " + time.Unix(newest.until, 0).UTC().Format(time.RFC3339)
	}
	r.trace.Plan(explain.PlanDrained, r.ch.cdns[key.order[1]].id, detail)
}
