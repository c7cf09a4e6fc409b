//go:build !race

package inspect

import (
	"log/slog"
	"testing"
	"time"

	"manifold/manifest"
	"manifold/manifest/hls"
)

// TestOfferAllocations asks that what is not sampled costs nothing.
func TestOfferAllocations(t *testing.T) {
	tm, err := hls.Compile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{Shape: testShapes["single"], Path: "a.m3u8", Values: testValues}
	out := tm.Append(nil, plan)
	on, err := NewShadow(ShadowConfig{Every: 1 << 30}, slog.New(slog.DiscardHandler), time.Now, func() uint64 { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(on.Close)
	for name, s := range map[string]*Shadow{"off": nil, "on": on} {
		if n := testing.AllocsPerRun(100, func() { s.Offer(tm.Kind(), tm.Source(), out, plan) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkOffer(b *testing.B) {
	tm, err := hls.Compile([]byte(small))
	if err != nil {
		b.Fatal(err)
	}
	plan := &manifest.Plan{Shape: testShapes["single"], Path: "a.m3u8", Values: testValues}
	out := tm.Append(nil, plan)
	on, err := NewShadow(ShadowConfig{Every: 1 << 30}, slog.New(slog.DiscardHandler), time.Now, func() uint64 { return 1 })
	if err != nil {
		b.Fatal(err)
	}
	defer on.Close()
	for name, s := range map[string]*Shadow{"off": nil, "not-sampled": on} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Offer(tm.Kind(), tm.Source(), out, plan)
			}
		})
	}
}
