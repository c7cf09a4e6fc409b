//go:build !race

package manifest

import (
	"testing"
	"time"
)

func TestSnapDoesNotAllocate(t *testing.T) {
	p := present(t, listed(true, 7, 3, tenOClock, 0, 2000, 2000, -1, 2000, 2000), listed(true, 400, 3, time.Time{}, 0, 1980, -1, 2010, 2010))
	at := Moment{Date: tenOClock.Add(3 * time.Second)}
	if n := testing.AllocsPerRun(1000, func() {
		b, ok := p.Snap(at)
		o, can := p.View().On(1, b)
		if !ok || !can || o.By != ByDiscontinuity {
			t.Error(o)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
