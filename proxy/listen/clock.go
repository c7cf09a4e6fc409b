package listen

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock is a coarse clock: what happens for every frame or answer reads it
// instead of the time.
type clock struct {
	now     func() time.Time
	seconds atomic.Int64 // since the listener began
	date    atomic.Pointer[[]string]
}

func (c *clock) init(now func() time.Time) {
	c.now = now
	c.seconds.Store(1) // so that 0 can mean "not running"
	c.setDate()
}

func (c *clock) setDate() {
	c.date.Store(&[]string{c.now().UTC().Format(http.TimeFormat)})
}

// run ticks once a second until stop is closed.
func (c *clock) run(stop <-chan struct{}, each func()) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.seconds.Add(1)
			c.setDate()
			each()
		case <-stop:
			return
		}
	}
}

// bucket is a token bucket on the coarse clock. It is not safe for concurrent
// use.
type bucket struct {
	tokens, burst float32
	perSecond     float32
	at            int64
}

func newBucket(burst, perSecond float32, at int64) bucket {
	return bucket{tokens: burst, burst: burst, perSecond: perSecond, at: at}
}

// earn puts n tokens into the bucket.
func (b *bucket) earn(n float32) { b.tokens = min(b.tokens+n, b.burst) }

// spend takes one token; false means that there was none.
func (b *bucket) spend(now int64) bool {
	if now != b.at {
		b.earn(float32(now-b.at) * b.perSecond)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
