//go:build !race

package dash

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

// TestHostile holds that time and memory are bounded whatever the input is.
// The time is a generous multiple of what it takes, for slow machines.
func TestHostile(t *testing.T) {
	for name, c := range hostile() {
		t.Run(name, func(t *testing.T) {
			src := []byte(c.src)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			tmpl, err := Compile(src)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("compiling allocated %d MiB", used>>20)
			}
			if took > 5*time.Second {
				t.Errorf("compiling took %v", took)
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 6000 {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&before)
			start = time.Now()
			if p := tmpl.Presentation(); len(p.Siblings()) > manifest.MaxSiblings {
				t.Errorf("%d siblings", len(p.Siblings()))
			} else {
				p.Snap(manifest.Moment{Media: time.Minute})
			}
			took = time.Since(start)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 || took > 5*time.Second {
				t.Errorf("the presentation took %d MiB and %v", used>>20, took)
			}
			for _, shape := range []string{"steered", "query", "filtered"} {
				start := time.Now()
				out := tmpl.Append(nil, &manifest.Plan{Shape: shapes[shape], Path: "vod/manifest.mpd", Values: values})
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("%s: rendering took %v", shape, took)
				}
				if len(out) > 64<<20 {
					t.Errorf("%s: the output has %d MiB", shape, len(out)>>20)
				}
			}
		})
	}
}
