package proxy

import (
	"slices"
	"time"

	"manifold/steering"
)

// A live MPD's publishTime names its version (ISO/IEC 23009-1, 5.3.1.2): what
// we write into it is part of that, so it is not older than our last change.
// The times of changes are those of the configuration and of the operators'
// words, never that of a process: edges that have the same give the same.
// Times are whole seconds, each change later than the one before, so that two
// in one second are two versions.

// situation is the conditions of a set's pathways and since when they hold.
type situation struct {
	steering.State
	// undrained is the state as if nothing were drained.
	undrained steering.State
	// changed is when they changed last, in Unix seconds; 0: never. ends are
	// when drains and overrides end by themselves, sorted.
	changed int64
	ends    []int64
	// absences are when pathways were drained, by pathway.
	absences []*absences
}

// since is when the last change was, of those that have come by now.
func (s *situation) since(now time.Time) int64 {
	at := s.changed
	for _, end := range s.ends {
		if end > now.Unix() {
			break
		}
		at = max(at, end)
	}
	return at
}

// wholeSecond is the first whole second that is not before t; 0 for the zero
// time.
func wholeSecond(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Second - 1).Unix()
}

// touch notes that the conditions of a set change, by a word that was given
// at a time (the zero time: now). Called with mu held, before publish.
func (c *Conditions) touch(s *pathwaySet, given time.Time) {
	now := c.now()
	if given.IsZero() {
		given = now
	}
	last := c.changed[s.name]
	if have := s.state.Load(); have != nil {
		last = max(last, have.since(now))
	}
	c.changed[s.name] = max(wholeSecond(given), last+1)
}

// ends lists when drains and overrides of a set end by themselves. Called with
// mu held.
func (c *Conditions) ends(s *pathwaySet) (list []int64) {
	for i := range s.pathways {
		if d, ok := c.drains[pathwayKey{s.name, s.pathways[i].ID}]; ok && !d.Until.IsZero() {
			list = append(list, wholeSecond(d.Until))
		}
	}
	for _, o := range c.overrides[s.name] {
		list = append(list, wholeSecond(o.Until))
	}
	slices.Sort(list)
	return list
}

// loaded tells on which side of its bounds a load lies: between them it
// changes little, and not what all viewers get.
func loaded(p *steering.Pathway, load float64) (short, over bool) {
	return p.Commit > 0 && load < p.Commit, p.Capacity > 0 && load > p.Capacity
}

// sinceOf is since when a new configuration holds: its own time, but never
// before that of the one that it takes the place of.
func (p *Proxy) sinceOf(cfg *Config) int64 {
	at := wholeSecond(cfg.Since)
	if old := p.current.Load(); old != nil && (at < old.since) {
		if cfg.Since.IsZero() {
			return old.since
		}
		return max(wholeSecond(p.now()), old.since+1)
	}
	return at
}
