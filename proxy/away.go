package proxy

import (
	"time"

	"manifold/explain"
	"manifold/manifest"
)

// absence is a time in which a pathway was drained, in Unix seconds. from 0:
// never; until 0: its end is not known.
type absence struct{ from, until int64 }

func absenceOf(d *Drain) absence { return absence{wholeSecond(d.Since), wholeSecond(d.Until)} }

// endedBy is the absence of a drain that is undone.
func (a absence) endedBy(now time.Time) absence {
	if end := wholeSecond(now); a.until == 0 || end < a.until {
		a.until = max(end, a.from)
	}
	return a
}

// of is the absence as a shape has it, with the index of the other pathway.
func (a absence) of(other int) manifest.Away {
	out := manifest.Away{From: time.Unix(a.from, 0), Pathway: other}
	if a.until != 0 {
		out.Until = time.Unix(a.until, 0)
	}
	return out
}

// behind is how far the dates of a live playlist may be behind the clock to be
// trusted as the times at which its segments were published.
const behind = time.Minute

// shows tells whether a live playlist may list both segments that were published
// in the absence and others, which its dates must tell: those of a playlist that
// has none, or has those of another day, say nothing of it.
func (a absence) shows(t template, now time.Time) bool {
	index := t.Index()
	media, ok := t.(*mediaTemplate)
	if a.from == 0 || !ok || !index.Live || index.Segments == 0 {
		return false
	}
	list := media.Timeline().Segments
	first, last := &list[0], &list[len(list)-1]
	if late := now.Sub(last.Date.Add(last.Duration)); last.Date.IsZero() || late < -index.Target || late > behind {
		return false
	}
	away := a.of(0)
	if a.until != 0 && first.Date.Add(-index.Target).After(away.Until) {
		return false
	}
	return a.until != 0 || !away.Has(first.Date.Add(first.Duration), index.Target)
}

// traceAway tells of a media playlist with segments from two pathways.
func (r *request) traceAway(key *shapeKey) {
	if r.trace == nil {
		return
	}
	detail := "after " + r.ch.cdns[key.order[0]].id + ", for segments published from " + time.Unix(key.away.from, 0).UTC().Format(time.RFC3339)
	if key.away.until != 0 {
		detail += " until " + time.Unix(key.away.until, 0).UTC().Format(time.RFC3339)
	}
	r.trace.Plan(explain.PlanDrained, r.ch.cdns[key.order[1]].id, detail)
}
