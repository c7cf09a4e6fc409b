//go:build !race

package origin

import "testing"

// TestHitAllocatesNothing: the shield is on the way of every viewer's request.
func TestHitAllocatesNothing(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=60"))
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) { c.Query = []string{"lang", "a"}; c.Headers = []string{"X-Tenant"} }, o.URL)
	var compile Compile = live
	hdr := headers{"X-Tenant": "blue"}
	dst := make([]byte, 0, 256)
	ctx := t.Context()
	hit := func(class Class) func() {
		return func() {
			a, err := r.Fetch(ctx, &Request{Group: g, Class: class, Path: "news/v720/index.m3u8", Query: "a=1&_HLS_msn=4&lang=de&x=y", Header: hdr})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Bytes(); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Compiled(compile); err != nil {
				t.Fatal(err)
			}
			dst = a.AppendCacheStatus(dst[:0])
			a.Release()
		}
	}
	for _, class := range []Class{Manifest, Segment} {
		f := hit(class)
		f()
		r.settled()
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("a hit of a %s allocates %v times", class, n)
		}
	}
	o.set(fails(404))
	missing := func() {
		if _, err := r.Fetch(ctx, &Request{Group: g, Class: Segment, Path: "missing.m4s"}); err == nil {
			t.Fatal("found")
		}
	}
	missing()
	if n := testing.AllocsPerRun(1000, missing); n != 0 {
		t.Errorf("a remembered 404 allocates %v times", n)
	}
}

func BenchmarkHit(b *testing.B) {
	o := newScript(b, says(playlist, "Cache-Control: max-age=60"))
	r := newRig(b, Config{})
	g := r.group(nil, o.URL)
	var compile Compile = live
	req := &Request{Group: g, Class: Manifest, Path: "news/v720/index.m3u8"}
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a, err := r.Fetch(ctx, req)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := a.Compiled(compile); err != nil {
				b.Error(err)
			}
			a.Release()
		}
	})
}
