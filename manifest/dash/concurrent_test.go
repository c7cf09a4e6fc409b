package dash

import (
	"bytes"
	"sync"
	"testing"

	"manifold/manifest"
)

// TestConcurrent holds that one template serves many goroutines, each with
// its own values, from the first use of each form on.
func TestConcurrent(t *testing.T) {
	all := corpus(t)
	for _, name := range []string{"live-timeline", "baseurl-levels-absolute", "live-events"} {
		tmpl := compile(t, all[name])
		alone := compile(t, all[name])
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				own := [][]byte{bytes.Repeat([]byte{'a' + byte(i)}, len(session)), values[1], []byte("x&y"), values[3]}
				for shapeName, shape := range shapes {
					plan := &manifest.Plan{Shape: shape, Path: "vod/manifest.mpd", Values: own}
					plain := tmpl.Append(nil, plan)
					if got := gunzip(t, tmpl.AppendGzip(nil, plan)); !bytes.Equal(got, plain) {
						t.Errorf("%s, %s: compressed and plain differ", name, shapeName)
					}
					if got := alone.render(&manifest.Plan{Shape: shape, Path: plan.Path}, shape.SlotLengths).Append(nil, [][]byte{own[0], own[1], []byte("x&amp;y"), own[3]}); !bytes.Equal(got, plain) {
						t.Errorf("%s, %s: got\n%s\nwant\n%s", name, shapeName, plain, got)
					}
				}
				if len(tmpl.Periods()) == 0 || tmpl.Cost() < int64(len(tmpl.Source())) {
					t.Errorf("%s: no Periods, or no cost", name)
				}
				tmpl.AppendGzip(nil, nil)
			}()
		}
		wg.Wait()
	}
}
