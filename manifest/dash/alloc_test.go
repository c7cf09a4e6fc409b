//go:build !race

package dash

import (
	"testing"

	"manifold/manifest"
)

// TestAllocations holds that rendering allocates nothing once the form is
// made, and that compiling allocates by the dozen, not by the element.
func TestAllocations(t *testing.T) {
	src := liveMPD(500)
	tmpl := compile(t, src)
	for name, shape := range shapes {
		plan := &manifest.Plan{Shape: shape, Path: "vod/manifest.mpd", Values: values}
		dst := tmpl.Append(nil, plan)
		if n := testing.AllocsPerRun(100, func() { dst = tmpl.Append(dst[:0], plan) }); n != 0 {
			t.Errorf("%s: Append allocates %v times", name, n)
		}
	}
	plan := &manifest.Plan{Shape: shapes["steered"], Path: "vod/manifest.mpd", Values: values}
	zipped := tmpl.AppendGzip(nil, plan)
	if n := testing.AllocsPerRun(100, func() { zipped = tmpl.AppendGzip(zipped[:0], plan) }); n != 0 {
		t.Errorf("AppendGzip allocates %v times", n)
	}
	if n := testing.AllocsPerRun(20, func() { compile(t, src) }); n > 40 {
		t.Errorf("Compile allocates %v times", n)
	}
}
