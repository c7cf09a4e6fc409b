package bubble

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// Many timers that expire at the same instant, fired by the bubble's loop and
// by those who wait for them: what the race detector of Go 1.26 does not
// survive on several processors.
func TestTimersOfOneInstant(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				one, other := time.NewTicker(time.Millisecond), time.NewTicker(time.Millisecond)
				defer one.Stop()
				defer other.Stop()
				for range 2000 {
					select {
					case <-one.C:
					case <-other.C:
					}
					time.AfterFunc(time.Millisecond, func() {})
				}
			})
		}
		wg.Wait()
		Wait()
	})
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("%d processors after the bubble, %d before", after, before)
	}
}

// The number of processors comes back with the last bubble, not the first.
func TestBubblesOverlap(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	enter()
	enter()
	leave()
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("%d processors while a bubble lives, want 1", n)
	}
	leave()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors after the last bubble, want %d", n, before)
	}
}
