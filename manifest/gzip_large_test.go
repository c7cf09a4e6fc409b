//go:build !race

package manifest

import (
	"fmt"
	"testing"
)

// The largest manifest there may be; the race detector would take long.
func TestGzipLargeText(t *testing.T) {
	hold(t, []int{64, 120}, func(b *Builder) {
		for i := 0; b.f.Size() < 8<<20; i++ {
			b.String(fmt.Sprintf("<S t=\"%d\" d=\"%d\"/>", i*9000, 9000+i*7919%13))
			if i%500 == 0 {
				b.Slot(1)
			}
			if i%7000 == 0 {
				b.Slot(0)
			}
		}
	})
}
