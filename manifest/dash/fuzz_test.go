package dash

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

// FuzzCompile holds for any input: no panic; an error has a place inside the
// input; what compiles renders to itself without a plan, and with any shape to
// something that compiles again into the same index.
func FuzzCompile(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	for _, c := range hostile() {
		if len(c.src) < 4096 {
			f.Add([]byte(c.src))
		}
	}
	for _, s := range []string{
		mpdTag + "<BaseURL>&#x2e;&#x2e;/..//a</BaseURL><Period/></MPD>",
		mpdTag + "<Location/><PatchLocation/><ContentSteering/><BaseURL/></MPD>",
		mpdTag + "<BaseURL><x/>a</BaseURL><Period><BaseURL serviceLocation='a' xmlns:q=''>/live/</BaseURL></Period></MPD>",
		mpdTag + "<Period><SegmentTemplate media=' /live/x?&amp; ' index='#'/></Period></MPD>",
		mpdTag + "<Period><SegmentList><SegmentTimeline><S d='1' r='-1'/><S t='9' d='0' r='1'/></SegmentTimeline></SegmentList></Period></MPD>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		kept := bytes.Clone(src)
		tmpl, err := Compile(src)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(src) || e.Text == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if out := tmpl.Append(nil, nil); !bytes.Equal(out, kept) {
			t.Fatalf("identity gives\n%q\nfor\n%q", out, kept)
		}
		reps := tmpl.Renditions()
		if len(reps) != tmpl.Index().Variants {
			t.Fatalf("%d renditions, the index has %d", len(reps), tmpl.Index().Variants)
		}
		for _, p := range tmpl.Periods() {
			for _, e := range p.Events {
				if e.From < p.From || e.To > p.To || e.From >= e.To {
					t.Fatalf("event %+v outside its Period %+v", e, p)
				}
			}
			for _, s := range p.Sets {
				if s.First+s.Count > len(reps) || s.From < p.From || s.To > p.To {
					t.Fatalf("set %+v outside its Period %+v", s, p)
				}
			}
		}
		checkTimeline(t, tmpl, len(src))
		for i := range min(len(reps), 3) {
			if list, _ := tmpl.Segments(i); len(list) > maxListed {
				t.Fatalf("%d segments", len(list))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(shapes)) {
			for _, path := range []string{"manifest.mpd", "a b/c&d/manifest.mpd"} {
				out := tmpl.Append(nil, &manifest.Plan{Shape: shapes[name], Path: path, Values: values})
				again, err := Compile(out)
				if err != nil {
					t.Fatalf("shape %s: %v in\n%q\nfor\n%q", name, err, out, kept)
				}
				was, is := *tmpl.Index(), *again.Index()
				if drops("", name) || strings.HasPrefix(name, "query") && is.Variants < was.Variants {
					continue
				}
				if was != is {
					t.Fatalf("shape %s: index %+v became %+v in\n%q\nfor\n%q", name, was, is, out, kept)
				}
			}
		}
		if !bytes.Equal(src, kept) {
			t.Fatal("the source was changed")
		}
	})
}

// checkTimeline holds that runs are no more than what lists them, and that any
// moment can be snapped.
func checkTimeline(t *testing.T, tmpl *Template, size int) {
	t.Helper()
	lines, runs := make(map[*manifest.Line]bool), 0
	for i, track := range tmpl.Timeline().Tracks {
		if track.Line == nil || track.Timescale == 0 || track.Len() > manifest.MaxCount {
			t.Fatalf("track %d: %+v", i, track)
		}
		if !lines[track.Line] {
			lines[track.Line] = true
			runs += len(track.Line.Runs)
		}
		n := 0
		for _, s := range track.Segments() {
			if n++; n > 100 {
				break
			}
			if s.Duration < 0 || s.From < 0 || s.To > size || s.From > s.To {
				t.Fatalf("track %d: %+v", i, s)
			}
		}
	}
	if runs > size {
		t.Fatalf("%d runs of %d bytes", runs, size)
	}
	p := tmpl.Presentation()
	v := p.View()
	for _, at := range []time.Duration{0, -1, time.Minute, manifest.Forever, -manifest.Forever} {
		for _, m := range []manifest.Moment{{Media: at}, {Date: time.Unix(0, 0).Add(at)}} {
			b, ok := v.Snap(m)
			if !ok {
				continue
			}
			if track := v.Track(b.Sibling); b.Media < track.Start || b.Media > track.End {
				t.Fatalf("%+v is snapped to %+v, outside its Period", m, b)
			}
			for i := range min(len(p.Siblings()), 8) {
				v.On(i, b)
			}
		}
	}
}
