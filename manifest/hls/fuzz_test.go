package hls

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"manifold/manifest"
)

// FuzzCompile: no input makes Compile panic; the template of what compiles
// gives its source back, and what it gives for any shape compiles again as the
// same kind of playlist, plain and compressed alike.
func FuzzCompile(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	// Each of these ends another library with a nil dereference.
	f.Add([]byte("#EXT-X-MAP:\n0"))
	f.Add([]byte("#EXT-X-KEY:\n00"))
	f.Add([]byte("#EXTM3U\n#EXT-X-MAP:\n0"))
	f.Add([]byte("#EXTM3U\n#EXT-X-KEY:\n00"))
	f.Fuzz(func(t *testing.T, src []byte) {
		checkCompile(t, src)
		if !bytes.HasPrefix(src, []byte("#EXTM3U")) {
			checkCompile(t, append([]byte("#EXTM3U\n"), src...))
		}
	})
}

func checkCompile(t *testing.T, src []byte) {
	before := bytes.Clone(src)
	tmpl, err := Compile(src)
	if err != nil {
		var at *Error
		if !errors.As(err, &at) || at.Line < 1 || at.Offset > len(src) {
			t.Fatalf("error %#v", err)
		}
		return
	}
	if !bytes.Equal(tmpl.Append(nil, nil), before) {
		t.Fatal("identity does not hold")
	}
	checkSegments(t, tmpl)
	checkTrack(t, tmpl)
	for name, shape := range shapes {
		plan := &manifest.Plan{Shape: shape, Path: "a b/index.m3u8", Values: values}
		out := tmpl.Append(nil, plan)
		again, err := Compile(out)
		if err != nil {
			if errors.Is(err, ErrBounds) && len(src) > 4<<10 {
				continue // the longer URLs are over a bound that the short ones were not
			}
			t.Fatalf("%s: %v\n%q", name, err, out)
		}
		if again.Kind() != tmpl.Kind() {
			if tmpl.Index().Variants == 0 {
				continue // the origin's steering tag, now gone, made it multivariant
			}
			t.Fatalf("%s: %v became %v", name, tmpl.Kind(), again.Kind())
		}
		if again.Index().Segments != tmpl.Index().Segments {
			t.Fatalf("%s: %d segments became %d\n%q", name, tmpl.Index().Segments, again.Index().Segments, out)
		}
		if len(src) < 1<<10 && name == "steered" && !bytes.Equal(gunzip(t, tmpl.AppendGzip(nil, plan)), out) {
			t.Fatalf("%s: gzip differs", name)
		}
	}
	if !bytes.Equal(src, before) {
		t.Fatal("the source was written to")
	}
}

// checkSegments checks that the blocks of the segments lie one behind the
// other and each ends with its URI.
func checkSegments(t *testing.T, tmpl *Template) {
	t.Helper()
	at := uint32(0)
	for i, s := range tmpl.segments {
		m := tmpl.marks[s.mark]
		if s.at < at || m.from < s.at || m.tag != tagInf || s.duration < 0 {
			t.Fatalf("segment %d: %+v at %+v", i, s, m)
		}
		at = m.to
	}
	if int(at) > tmpl.tail || tmpl.tail > len(tmpl.src) {
		t.Fatalf("the tail begins at %d of %d, the last segment ends at %d", tmpl.tail, len(tmpl.src), at)
	}
}

// checkTrack checks that the track has the timeline's segments, and that any
// moment can be snapped on it.
func checkTrack(t *testing.T, tmpl *Template) {
	t.Helper()
	track, tl := tmpl.Track(), tmpl.Timeline()
	if tl == nil {
		if track != nil {
			t.Fatal("a multivariant playlist has a track")
		}
		return
	}
	i := 0
	for _, s := range track.Segments() {
		if want := &tl.Segments[i]; s.Start != want.Start || s.Duration != want.Duration || s.Discontinuity != want.Discontinuity {
			t.Fatalf("segment %d is %+v in the track, %+v in the timeline", i, s, want)
		}
		i++
	}
	if i != len(tl.Segments) || len(track.Line.Runs) > i {
		t.Fatalf("%d of %d segments, %d runs", i, len(tl.Segments), len(track.Line.Runs))
	}
	p := manifest.NewPresentation([]manifest.Sibling{{}, {}}, nil, nil)
	if p.Attach(0, 1, track) != nil || p.Attach(1, 1, track) != nil {
		t.Fatal("not attached")
	}
	for _, at := range []manifest.Moment{{}, {Media: manifest.Forever}, {Date: time.Unix(0, 0)}, {Date: time.Unix(1<<40, 0)}} {
		if b, ok := p.Snap(at); ok {
			if o, ok := p.View().On(1, b); !ok || o.Media != b.Media && !track.Dated() {
				t.Fatalf("%+v on its twin is %+v", b, o)
			}
		}
	}
}

// FuzzPlain: the short way of resolving gives what the long one gives.
func FuzzPlain(f *testing.F) {
	for _, ref := range []string{"a.ts", "a/b.ts?x=./y", ".a", "a..b/c", "%2e/a", "x:y", "a/%2e", "/a", "?a", "{$a}", "a b", ""} {
		f.Add(ref)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		for _, path := range []string{"index.m3u8", "v/index.m3u8", "a b/%2e/c.m3u8"} {
			r := newResolver(&Template{src: []byte(ref)}, shapes["single"], path)
			under, ok := r.plain(0, uint32(len(ref)))
			if !ok {
				continue
			}
			if want, ok := manifest.Resolve(source, path, ref); !ok || want != under {
				t.Fatalf("%q in %q: %q, want %q, %v", ref, path, under, want, ok)
			}
		}
	})
}
