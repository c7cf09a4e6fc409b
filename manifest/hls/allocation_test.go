//go:build !race

package hls

import (
	"strings"
	"testing"

	"manifold/manifest"
)

func TestAppendAllocatesNothing(t *testing.T) {
	all := corpus(t)
	for _, name := range []string{"media-live-window.m3u8", "media-low-latency.m3u8", "multivariant-full.m3u8"} {
		tmpl, err := Compile(all[name])
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 64<<10)
		for of, plan := range map[string]*manifest.Plan{
			"identity": nil,
			"steered":  {Shape: shapes["steered"], Path: "v/index.m3u8", Values: values},
			"proxied":  {Shape: shapes["proxied"], Path: "v/index.m3u8", Values: values},
		} {
			dst = tmpl.AppendGzip(tmpl.Append(dst[:0], plan), plan) // makes the forms
			if n := testing.AllocsPerRun(100, func() { dst = tmpl.Append(dst[:0], plan) }); n != 0 {
				t.Errorf("%s, %s: Append allocates %v times", name, of, n)
			}
			if n := testing.AllocsPerRun(100, func() { dst = tmpl.AppendGzip(dst[:0], plan) }); n != 0 {
				t.Errorf("%s, %s: AppendGzip allocates %v times", name, of, n)
			}
		}
	}
}

// TestCompileAllocatesLittle: the template, its marks and its segments, not
// something for each line.
func TestCompileAllocatesLittle(t *testing.T) {
	parts := []byte("#EXTM3U\n" + strings.Repeat("#EXT-X-PART:DURATION=1,URI=\"a.mp4\"\n#EXT-X-KEY:METHOD=NONE\n", 500))
	for name, src := range map[string][]byte{"500 segments": vod(500), "500 parts": parts} {
		if n := testing.AllocsPerRun(20, func() {
			if _, err := Compile(src); err != nil {
				t.Fatal(err)
			}
		}); n > 8 {
			t.Errorf("Compile of %s allocates %v times", name, n)
		}
	}
}
