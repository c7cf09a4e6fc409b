package viewer

import (
	"math"
	"time"
)

// Trace is how fast a network is over time, again from its beginning when it is
// over. An empty one has no end to its speed.
type Trace []Step

// Step is a time of one speed, in bits/s.
type Step struct {
	For  time.Duration
	Bits float64
}

// length is how long the trace is until it repeats.
func (t Trace) length() (d time.Duration) {
	for _, s := range t {
		d += s.For
	}
	return d
}

// walk calls f for each stretch of equal speed from a time on, until f says
// that it has enough.
func (t Trace) walk(from time.Duration, f func(bits float64, d time.Duration) bool) {
	const most = 1_000_000 // stretches: a trace that stands still for ever ends somewhere
	whole := t.length()
	if whole <= 0 {
		return
	}
	from %= whole
	for range most {
		for _, s := range t {
			if from >= s.For {
				from -= s.For
				continue
			}
			if !f(s.Bits, s.For-from) {
				return
			}
			from = 0
		}
	}
}

// Link is one viewer's network: a round trip, and then one answer after the
// other at the speed of the trace.
type Link struct {
	Trace Trace
	Trip  time.Duration
	// Began is when the trace began.
	Began time.Time

	free time.Time
}

// Send is when the first and the last byte of an answer come that is asked for
// now.
func (l *Link) Send(now time.Time, bytes int64) (first, done time.Time) {
	first = now.Add(l.Trip)
	if first.Before(l.free) {
		first = l.free
	}
	done = first
	if len(l.Trace) > 0 {
		bits := 8 * float64(bytes)
		l.Trace.walk(first.Sub(l.Began), func(speed float64, d time.Duration) bool {
			if can := speed * d.Seconds(); can < bits {
				bits -= can
				done = done.Add(d)
				return true
			}
			done = done.Add(time.Duration(bits / speed * float64(time.Second)))
			return false
		})
	}
	l.free = done
	return first, done
}

// Arrived is how much of an answer that began at first is there now.
func (l *Link) Arrived(first, now time.Time, bytes int64) int64 {
	if !now.After(first) {
		return 0
	}
	left, bits := now.Sub(first), 0.0
	l.Trace.walk(first.Sub(l.Began), func(speed float64, d time.Duration) bool {
		d = min(d, left)
		bits += speed * d.Seconds()
		left -= d
		return left > 0
	})
	return min(bytes, int64(math.Round(bits/8)))
}

// Release gives the link back when an answer is broken off.
func (l *Link) Release(now time.Time) {
	if l.free.After(now) {
		l.free = now
	}
}
