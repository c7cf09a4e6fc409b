//go:build !race

package proxy

import (
	"testing"

	"manifold/manifest"
)

// weight is the cheapest of shadows.
type weight struct{ answers, bytes int }

func (c *weight) Offer(_ manifest.Kind, source, output []byte, plan *manifest.Plan) {
	c.answers++
	c.bytes += len(source) + len(output) + len(plan.Path)
}

// To tell a shadow costs a request no allocation, nor does it to tell nobody.
func TestOfferDoesNotAllocate(t *testing.T) {
	s := newStage(t, nil)
	entry := "/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)
	heard := &weight{}
	for what, shadow := range map[string]Shadow{"off": nil, "on": heard} {
		s.proxy.SetShadow(shadow)
		for _, header := range []fields{{"User-Agent": "test"}, {"User-Agent": "test", "Accept-Encoding": "gzip"}} {
			for _, target := range []string{entry, "/open/manifest.mpd?device=dashjs"} {
				s.ask("GET", target, header).ok(t)
				if n := testing.AllocsPerRun(200, func() { s.serveOnly(target, header) }); n != 0 {
					t.Errorf("%s: %s: %v allocations", what, target, n)
				}
			}
		}
	}
	if heard.answers < 800 || heard.bytes == 0 {
		t.Errorf("the shadow was told of %d answers", heard.answers)
	}
}
