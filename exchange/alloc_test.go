//go:build !race

package exchange

import (
	"context"
	"testing"
)

func TestExchangeAllocations(t *testing.T) {
	ctx, gate := context.Background(), &Gate{Limit: 1}
	n := testing.AllocsPerRun(1000, func() {
		ex := Acquire(ctx, gate)
		if ex.SetTarget("/news/~c2Vzc2lvbg/alpha/live/v%31.m3u8?_HLS_msn=3") != nil {
			t.Fatal("target refused")
		}
		ex.Status = 200
		ex.SetField("Content-Type", "application/vnd.apple.mpegurl")
		ex.SetField("Cache-Control", "no-store")
		ex.Body = append(ex.Body, "#EXTM3U\n"...)
		Release(ex)
	})
	if n != 0 {
		t.Errorf("%v allocations for one exchange, want 0", n)
	}
}
