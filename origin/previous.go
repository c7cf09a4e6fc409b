package origin

import (
	"errors"
	"fmt"
	"time"
)

// The version that was served last is kept beside its successor until that one
// has shown that it can be served itself. Until then viewers get the old one,
// as if the origin had failed: for as long as a stale answer may stand in for
// one (RFC 5861, section 4), and no longer.

// ErrWentBack is the fault of a live playlist whose media sequence number is
// below that of the one served before, as of an origin that is behind the one
// whose place it took. A player may not be shown it (RFC 8216, section 6.2.2:
// the number must never decrease): it would play again what it has played, or
// give up. An origin that began anew stays below for ever, so that this is
// held against a version only for a time (Policy.SequenceGuard).
var ErrWentBack = errors.New("the media sequence number went back")

// lastGood is the newest entry, of e and what was served in its place, that
// was compiled and served; nil where there is none.
func (e *entry) lastGood() *entry {
	v := e.version
	if v == nil {
		return nil
	}
	if p := v.previous.Load(); p != nil {
		return p
	}
	if o := v.compiled.Load(); o != nil && o.err == nil {
		return e
	}
	return nil
}

// succeed makes the version known as the successor of an entry.
func (v *version) succeed(known *entry) {
	good := known.lastGood()
	if good == nil || good.version == v {
		return
	}
	v.previous.Store(good)
	if good != known {
		v.behind.Store(known.version.behind.Load()) // it was behind already
	}
}

// compare notes whether a version that was just compiled may be served in the
// place of the one before it. v.mu is held.
func (v *version) compare(o *outcome, facts *Facts, now time.Time) {
	p := v.previous.Load()
	if p == nil || o.err != nil {
		return
	}
	was := p.version.facts.Load()
	if was != nil && was.Live && facts.Live && was.Sequenced && facts.Sequenced && facts.Sequence < was.Sequence {
		o.behind = fmt.Errorf("%w from %d to %d", ErrWentBack, was.Sequence, facts.Sequence)
		v.behind.CompareAndSwap(0, now.UnixNano())
		return
	}
	v.previous.Store(nil)
}

// fault is why a version is not to be served at a moment, if the one before it
// can be; nil: it is.
func (v *version) fault(o *outcome, p *Policy, now time.Time) error {
	if o.err != nil {
		return o.err
	}
	if o.behind == nil || now.Sub(time.Unix(0, v.behind.Load())) >= v.guard(p) {
		return nil
	}
	return o.behind
}

// guard is for how long the version is not believed, if it is behind.
func (v *version) guard(p *Policy) time.Duration {
	if facts := v.facts.Load(); p.SequenceGuard == 0 && facts != nil {
		return 3 * facts.Target
	}
	return p.SequenceGuard
}

// blame leaves the origin of a version alone that cannot be served in the
// place of the one before: while there is another origin, that one is asked.
func (v *version) blame(p *Policy, now time.Time) {
	o := v.compiled.Load()
	if v.previous.Load() == nil || v.source == nil || v.fault(o, p, now) == nil {
		return
	}
	v.source.leave(now.Add(min(max(v.guard(p), ejectFirst), ejectMost)))
}

// resort makes the answer that of the version before, where the last one
// cannot be served and the one before it still can. It gives the outcome that
// counts.
func (a *Answer) resort(o *outcome) *outcome {
	v, policy := a.entry.version, &a.group.cfg.Policy
	old := v.previous.Load()
	if old == nil {
		return o
	}
	fault := v.fault(o, policy, a.now)
	verdict, ttl := old.judge(a.now, policy)
	if fault == nil || verdict == gone {
		if o.err == nil {
			v.previous.Store(nil)
		}
		return o
	}
	a.entry, a.state, a.ttl = old, StaleError, min(ttl, 0)
	a.fault, a.faultFirst = fault, o.told.CompareAndSwap(false, true)
	a.group.counters.previous.Add(1)
	return old.version.compiled.Load()
}

// Fault tells why the answer is of an older version than the origin's last: an
// error of the Compile function, or [ErrWentBack]; nil where it is of the last
// one. It is known once Compiled was called. first is true for one answer of
// each version, so that it can be told once.
func (a *Answer) Fault() (err error, first bool) { return a.fault, a.faultFirst }

// unreadable tells whether the body could not be compiled.
func (e *entry) unreadable() bool {
	if e.version == nil {
		return false
	}
	o := e.version.compiled.Load()
	return o != nil && o.err != nil
}

// unreadableLife is how long an answer that nobody can read is taken to be the
// origin's word, whatever that says of its freshness: as long as an error is.
const unreadableLife = time.Second

// judgeUnreadable says what such an entry is good for: to be asked for anew,
// and while origins fail to lead to the version before it.
func (e *entry) judgeUnreadable(now time.Time, p *Policy) (verdict, time.Duration) {
	ttl := min(e.freshFor(p), unreadableLife) - e.currentAge(now)
	if ttl > 0 {
		return fresh, ttl
	}
	if old := e.version.previous.Load(); old != nil {
		if v, _ := old.judge(now, p); v != gone {
			return onError, ttl
		}
	}
	return gone, ttl
}
