package probe

import (
	"math/bits"
	"time"

	"manifold/steering"
)

// result is what one question came to.
type result uint8

const (
	good result = iota
	// lagging is quick enough not to be held against the target, and too slow
	// to speak for it: between the two thresholds nothing changes.
	lagging
	slow
	failed
)

// enough is the share of Slow that an answer must keep below to speak for its
// target.
const enough = 0.8

// judge sorts one answer.
func (t *Target) judge(took time.Duration, err error) result {
	switch {
	case err != nil:
		return failed
	case t.Slow <= 0:
		return good
	case took > t.Slow:
		return slow
	case float64(took) > enough*float64(t.Slow):
		return lagging
	}
	return good
}

// window is how many results are looked at together, and unsteady how many bad
// ones among them mean that a target works badly although it never fails
// several times in a row.
const (
	window   = 10
	unsteady = 4
)

// belief is what is believed of a target. It follows bad results quickly and
// good ones slowly: DownIn failures in a row mean down, as many slow answers
// and failures in a row, or unsteady of the last window, mean degraded; better
// again after UpIn good ones in a row, and never before CoolDown has passed.
type belief struct {
	health steering.Health
	since  time.Time
	// in a row
	failures, bad, good, answers int
	// last has a bit for each result, the newest the lowest: bad or not.
	last uint16
}

// count takes a result and tells whether the belief changed.
func (b *belief) count(t *Target, r result, now time.Time) bool {
	b.last <<= 1
	switch r {
	case good:
		b.good++
		b.answers++
		b.failures, b.bad = 0, 0
	case lagging:
		b.answers++
		b.failures, b.bad, b.good = 0, 0, 0
	case slow:
		b.bad++
		b.answers++
		b.failures, b.good = 0, 0
		b.last |= 1
	case failed:
		b.failures++
		b.bad++
		b.good, b.answers = 0, 0
		b.last |= 1
	}
	b.last &= 1<<window - 1
	next := b.next(t, now)
	if next == b.health {
		return false
	}
	*b = belief{health: next, since: now}
	return true
}

// next is what is to be believed now.
func (b *belief) next(t *Target, now time.Time) steering.Health {
	cooled := b.since.IsZero() || now.Sub(b.since) >= t.CoolDown
	switch {
	case b.failures >= t.DownIn:
		return steering.Down
	case b.health == steering.Healthy && (b.bad >= t.DownIn || bits.OnesCount16(b.last) >= unsteady):
		return steering.Degraded
	case b.health != steering.Healthy && cooled && b.good >= t.UpIn:
		return steering.Healthy
	case b.health == steering.Down && cooled && b.answers >= t.UpIn:
		return steering.Degraded
	}
	return b.health
}
