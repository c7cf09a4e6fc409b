package origin

import (
	"net/url"
	"sync"
	"time"
)

// source is one origin of a group and its health, as far as the shield's own
// requests show it (passive outlier ejection).
type source struct {
	OriginConfig
	root      *url.URL
	authority string

	mu       sync.Mutex
	failures int       // in a row
	ejected  time.Time // not asked before, unless nothing better is there
	trying   bool      // one request is finding out whether it is back
}

const (
	ejectAfter = 3
	ejectFirst = time.Second
	ejectMost  = 30 * time.Second
)

// admit says how well the origin may be asked: 2 as one that is well, 1 as
// the one trial of one that was ejected, 0 only for want of a better. A trial
// is to be ended by good or bad.
func (o *source) admit(now time.Time) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.failures < ejectAfter:
		return 2
	case !now.Before(o.ejected) && !o.trying:
		o.trying = true
		return 1
	}
	return 0
}

// good notes an answer.
func (o *source) good() {
	o.mu.Lock()
	o.failures, o.trying = 0, false
	o.mu.Unlock()
}

// bad notes a failure; jitter is in [0, 1).
func (o *source) bad(now time.Time, jitter float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures++
	o.trying = false
	if over := o.failures - ejectAfter; over >= 0 {
		d := min(ejectFirst<<min(over, 10), ejectMost)
		o.ejected = now.Add(d/2 + time.Duration(jitter*float64(d/2)))
	}
}

// leave sees to it that the origin is asked last for a while: what it sent
// could not be served.
func (o *source) leave(until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures, o.trying = max(o.failures, ejectAfter), false
	if until.After(o.ejected) {
		o.ejected = until
	}
}

// unsettled ends a trial that was given up.
func (o *source) unsettled() {
	o.mu.Lock()
	o.trying = false
	o.mu.Unlock()
}

// Health is what the shield thinks of an origin.
type Health struct {
	URL string
	// Failures counts the last failures in a row.
	Failures int
	// Ejected is until when the origin is only asked for want of a better one;
	// zero where it is well.
	Ejected time.Time
}

// Health tells the state of the group's origins, in their order.
func (g *Group) Health() []Health {
	out := make([]Health, len(g.origins))
	for i, o := range g.origins {
		o.mu.Lock()
		out[i] = Health{URL: o.root.String(), Failures: o.failures}
		if o.failures >= ejectAfter {
			out[i].Ejected = o.ejected
		}
		o.mu.Unlock()
	}
	return out
}

// pick chooses the origin to ask next, leaving out those of skip (a bit
// each), or nil where all were asked. Healthy ones come in their order, then
// one that is due for a trial, then whoever is expected back first.
func (g *Group) pick(now time.Time, skip uint64) (o *source, bit uint64) {
	var last *source
	var lastBit uint64
	var lastTime time.Time
	for i, s := range g.origins {
		b := uint64(1) << min(i, 63)
		if skip&b != 0 {
			continue
		}
		if s.admit(now) > 0 {
			return s, b
		}
		s.mu.Lock()
		due := s.ejected
		s.mu.Unlock()
		if last == nil || due.Before(lastTime) {
			last, lastBit, lastTime = s, b, due
		}
	}
	return last, lastBit
}

// budget bounds retries and hedges to a share of the requests, so that a
// failing origin is not asked twice as much as a healthy one: each request
// earns a fifth of a retry, and a reserve carries a quiet group.
type budget struct {
	mu     sync.Mutex
	tokens float64
	begun  bool
}

const (
	budgetShare   = 0.2
	budgetReserve = 10
)

// earn notes a first request.
func (b *budget) earn() {
	b.mu.Lock()
	if !b.begun {
		b.begun, b.tokens = true, budgetReserve
	}
	b.tokens = min(b.tokens+budgetShare, budgetReserve)
	b.mu.Unlock()
}

// take asks for one retry.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
