package origin

import (
	"sync/atomic"
	"time"

	"manifold/exchange"
)

// entry is a stored answer: headers and freshness of one exchange with the
// origin, over a version of the body. It is immutable but for the atomics; a
// 304 and a new answer make a new one.
type entry struct {
	key     string
	class   Class
	version *version

	// problem, where not nil, is a remembered error, and pass says that the
	// key's answers cannot be shared: nobody waits for another's.
	problem *Error
	pass    bool

	// at is where redirects led, a canonical path below the root: the base of
	// relative references (RFC 3986, section 5.1.3). Empty: as it was asked for.
	at string

	status       int
	fields       []exchange.Field
	contentType  string
	etag         string // as viewers see it
	originETag   string // as the origin sent it
	lastModified string
	cacheControl string

	// responded is when the answer came; age is what it was then (RFC 9111,
	// section 4.2.3: corrected_initial_age).
	responded time.Time
	age       time.Duration
	// lifetime is the explicit freshness, or unsaid; heuristic is the tenth
	// of the Last-Modified age, or 0.
	lifetime, heuristic time.Duration
	swr, sie            time.Duration // by header, or unsaid
	// validate: never without asking (no-cache); honest: never stale
	// (must-revalidate, proxy-revalidate, no-cache).
	validate, honest bool

	dead    atomic.Bool  // replaced; a lower floor may still hold it
	touched atomic.Bool  // asked for since it was queued
	quiet   atomic.Int64 // until when failing origins are left alone, UnixNano
}

// verdict is what an entry is good for at a moment.
type verdict uint8

const (
	gone     verdict = iota // ask the origin; nothing to fall back on
	onError                 // ask the origin; serve it if that fails
	whileAsk                // serve it and ask the origin behind
	fresh                   // serve it
)

// entryOverhead is what an entry weighs beside body and headers, in bytes:
// the structures, map slots and queue nodes.
const entryOverhead = 640

// cost is the entry's size in bytes.
func (e *entry) cost() int64 {
	n := int64(entryOverhead + 2*len(e.key))
	for i := range e.fields {
		n += int64(len(e.fields[i].Name) + len(e.fields[i].Value) + 32)
	}
	if e.version != nil {
		n += e.version.cost()
	}
	return n
}

// currentAge is current_age of RFC 9111, section 4.2.3. The age at arrival is
// corrected_age_value alone: every cache on the way speaks HTTP/1.1, and the
// apparent age would make the cache depend on two clocks that agree. While
// time.Time carries a monotonic reading, a jump of the wall clock changes
// nothing either.
func (e *entry) currentAge(now time.Time) time.Duration {
	return e.age + max(now.Sub(e.responded), 0)
}

// freshFor is the freshness lifetime.
func (e *entry) freshFor(p *Policy) time.Duration {
	if e.problem != nil || e.pass {
		return e.lifetime
	}
	var facts *Facts
	if e.version != nil {
		facts = e.version.facts.Load()
	}
	if e.overridden(p) {
		return p.Override
	}
	d := e.lifetime
	if d == unsaid {
		switch {
		case facts == nil && e.class == Manifest:
			d = p.ManifestTTL
		case facts != nil && facts.Live && e.class == Manifest:
			if d = facts.Target / 2; d <= 0 {
				d = p.ManifestTTL
			}
		case facts != nil && facts.Live:
			d = facts.Window + 3*facts.Target
		default:
			d = max(e.heuristic, p.LibraryTTL)
		}
	}
	if e.class == Manifest && facts != nil && facts.Live {
		if limit := or(p.LiveMax, facts.Target); limit > 0 {
			d = min(d, limit)
		}
	}
	return d
}

// overridden tells whether the operator's word stands for the origin's.
func (e *entry) overridden(p *Policy) bool { return e.class == Manifest && p.Override > 0 }

// staleFor is for how long beyond its freshness the entry is served while it
// is asked for (swr), and while the origin fails (sie).
func (e *entry) staleFor(p *Policy) (swr, sie time.Duration) {
	if e.problem != nil || e.pass || e.honest && !e.overridden(p) {
		return 0, 0
	}
	if e.class == Segment {
		swr, sie = p.SegmentStale, p.SegmentStale
	} else {
		swr, sie = p.StaleWhileRevalidate, p.StaleIfError
		if swr == 0 {
			swr = time.Minute
		}
	}
	var facts *Facts
	if e.version != nil {
		facts = e.version.facts.Load()
	}
	if e.class == Manifest && (facts == nil || facts.Live) {
		target := time.Second // not yet observed: as short as its freshness
		if facts != nil && facts.Target > 0 {
			target = facts.Target
		}
		// A player asks once a target duration: who answers it with what the
		// one before it had fetched is a segment late, always.
		if swr = target/2 - e.freshFor(p); p.StaleWhileRevalidate != 0 {
			swr = min(p.StaleWhileRevalidate, target)
		}
		if e.swr != unsaid {
			swr = min(e.swr, target)
		}
	} else if e.swr != unsaid {
		swr = e.swr
	}
	if e.sie != unsaid {
		sie = e.sie
	}
	return max(swr, 0), max(sie, 0)
}

// judge says what the entry is good for, and for how long it is fresh still
// (negative: for how long it has been stale).
func (e *entry) judge(now time.Time, p *Policy) (verdict, time.Duration) {
	if e.unreadable() {
		return e.judgeUnreadable(now, p)
	}
	ttl := e.freshFor(p) - e.currentAge(now)
	if e.validate && !e.overridden(p) {
		return gone, min(ttl, 0)
	}
	if ttl > 0 {
		return fresh, ttl
	}
	swr, sie := e.staleFor(p)
	switch {
	case -ttl < swr:
		return whileAsk, ttl
	case -ttl < sie:
		return onError, ttl
	}
	return gone, ttl
}

// live tells whether the entry belongs to a live window.
func (e *entry) live() bool {
	if e.version == nil {
		return false
	}
	facts := e.version.facts.Load()
	return facts != nil && facts.Live
}

// minKeep is for how long an entry with a validator is kept beyond use: a 304
// makes it good again.
const minKeep = 2 * time.Minute

// keepUntil is when the entry is of no more use. A segment of a live window
// leaves with the window, however long it might be fresh: a cache full of dead
// segments halves its hit ratio.
func (e *entry) keepUntil(p *Policy) time.Time {
	if e.class == Segment && e.live() {
		facts := e.version.facts.Load()
		return e.responded.Add(facts.Window + 3*facts.Target)
	}
	d := e.freshFor(p)
	swr, sie := e.staleFor(p)
	d += max(swr, sie)
	if e.problem == nil && !e.pass && (e.originETag != "" || e.lastModified != "") {
		d = max(d, minKeep)
	}
	return e.responded.Add(d - e.age)
}

// quietly tells that origins failed just now and are to be left alone.
func (e *entry) quietly(now time.Time) bool { return now.UnixNano() < e.quiet.Load() }
