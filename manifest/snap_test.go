package manifest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var tenOClock = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// listed makes a track of HLS segments: a number is a duration in
// milliseconds, -1 a discontinuity before the next.
func listed(live bool, sequence, discontinuities uint64, date time.Time, cues int, lengths ...int) *Track {
	tl := &Timeline{Cues: make([]Cue, cues)}
	var start time.Duration
	joint := false
	for _, ms := range lengths {
		if ms < 0 {
			joint = true
			continue
		}
		d := time.Duration(ms) * time.Millisecond
		s := Segment{Sequence: sequence + uint64(len(tl.Segments)), Start: start, Duration: d, Discontinuity: joint, From: 10 * len(tl.Segments), To: 10*len(tl.Segments) + 10}
		if !date.IsZero() {
			s.Date = date.Add(start)
		}
		tl.Segments = append(tl.Segments, s)
		start, joint = start+d, false
	}
	return TrackOf(&Index{Kind: HLSMedia, Live: live, MediaSequence: sequence, DiscontinuitySequence: discontinuities}, tl)
}

func present(t testing.TB, tracks ...*Track) *Presentation {
	t.Helper()
	siblings := make([]Sibling, len(tracks))
	for i := range siblings {
		siblings[i].Rendition = Rendition{Kind: Variant, URI: fmt.Sprint(i), Height: 720, Bitrate: 1000 - i}
	}
	p := NewPresentation(siblings, nil, nil)
	for i, track := range tracks {
		if track == nil {
			continue
		}
		if err := p.Attach(i, 1, track); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestSnap(t *testing.T) {
	const s = time.Second
	none := time.Time{}
	for _, c := range []struct {
		name       string
		ref, other *Track
		at         Moment
		want       string // segment, time and shift; on the other
	}{
		{"the nearest is later", listed(false, 1, 0, none, 0, 4000, 4000, 4000), listed(false, 1, 0, none, 0, 4010, 4010, 3980), Moment{Media: 7 * s},
			"3 8s 1s; 3 8.02s 20ms start"},
		{"the nearest is earlier", listed(false, 1, 0, none, 0, 4000, 4000, 4000), listed(false, 1, 0, none, 0, 2000, 2000, 2000, 2000, 4000), Moment{Media: 9 * s},
			"3 8s -1s; 5 8s 0s start"},
		{"halfway is the earlier", listed(false, 1, 0, none, 0, 4000, 4000), nil, Moment{Media: 2 * s}, "1 0s -2s; none"},
		{"the others snap to what was snapped", listed(false, 1, 0, none, 0, 6000, 6000), listed(false, 1, 0, none, 0, 4000, 4000, 4000), Moment{Media: 4 * s},
			"2 6s 2s; 2 4s -2s start"},
		{"the end", listed(false, 1, 0, none, 0, 4000, 4000), listed(false, 1, 0, none, 0, 4000, 3900), Moment{Media: 8 * s}, "3 8s 0s; 3 7.9s -100ms start outside"},
		{"behind the end", listed(true, 1, 0, none, 0, 4000, 4000), listed(true, 1, 0, none, 0, 4000, 4000, 4000), Moment{Media: 11 * s}, "3 8s -3s outside; 3 8s 0s media sequence"},
		{"a segment ahead, by date", listed(true, 7, 0, tenOClock, 0, 2000, 2000, 2000), listed(true, 900, 0, tenOClock.Add(2*s), 0, 2000, 2000, 2000), Moment{Date: tenOClock.Add(5 * s)},
			"9 4s -1s; 901 2s 0s date"},
		{"a segment behind, by date", listed(true, 7, 0, tenOClock, 0, 2000, 2000, 2000), listed(true, 6, 0, tenOClock.Add(-2*s), 0, 2000, 2000, 2000), Moment{Date: tenOClock.Add(6 * s)},
			"10 6s 0s; 9 6s -2s date outside"},
		{"a segment ahead, by numbers", listed(true, 7, 0, none, 0, 2000, 2000, 2000), listed(true, 8, 0, none, 0, 2000, 2000, 2000), Moment{Media: 5 * s},
			"9 4s -1s; 9 2s 0s media sequence"},
		{"a segment ahead, by discontinuity", listed(true, 7, 3, none, 0, 2000, 2000, -1, 2000, 2000), listed(true, 400, 3, none, 0, 1980, -1, 2010, 2010), Moment{Media: 6100 * time.Millisecond},
			"10 6s -100ms; 402 3.99s 10ms discontinuity"},
		{"the discontinuity has gone from one", listed(true, 7, 3, none, 0, 2000, -1, 2000, 2000), listed(true, 8, 4, none, 0, 2000, 2000), Moment{Media: 4 * s},
			"9 4s 0s; 9 2s 0s media sequence"},
		{"drift ends at a discontinuity", listed(false, 0, 0, none, 0, 4000, 4000, -1, 5000, -1, 4000, 4000), listed(false, 0, 0, none, 0, 4090, 4090, -1, 5050, -1, 3990, 3990), Moment{Media: 17 * s},
			"4 17s 0s; 4 17.22s -10ms discontinuity"},
		{"before the first discontinuity", listed(false, 0, 0, none, 0, 4000, 4000, -1, 5000), listed(false, 0, 0, none, 0, 4000, 4500, -1, 5000), Moment{Media: 4 * s},
			"1 4s 0s; 1 4s 0s start"},
		{"a date where there are none", listed(false, 1, 0, none, 0, 4000), nil, Moment{Date: tenOClock}, "none"},
		{"dates on one only", listed(true, 5, 0, tenOClock, 0, 2000, 2000), listed(true, 6, 0, none, 0, 2000, 2000), Moment{Date: tenOClock.Add(2 * s)}, "6 2s 0s; 6 0s 0s media sequence"},
		{"no segments", listed(true, 5, 0, none, 0), nil, Moment{}, "none"},
	} {
		p := present(t, c.ref, c.other)
		v := p.View()
		b, ok := v.Snap(c.at)
		got := "none"
		if ok {
			got = boundaryText(b)
			if o, ok := v.On(1, b); ok {
				got += "; " + boundaryText(o)
			} else {
				got += "; none"
			}
			if same, ok := v.Nearest(b.Sibling, b.Media); !ok || same.Media != b.Media || same.Segment != b.Segment || same.Shift != 0 {
				t.Errorf("%s: nearest to itself is %+v", c.name, same)
			}
			if same, ok := v.On(b.Sibling, b); !ok || same.Media != b.Media || same.Shift != 0 {
				t.Errorf("%s: on itself it is %+v", c.name, same)
			}
		}
		if got != c.want && got != c.want+"; none" {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func boundaryText(b Boundary) string {
	text := fmt.Sprintf("%d %v %v", b.Segment, b.Media, b.Shift)
	if b.By != ByTimeline {
		text += " " + b.By.String()
	}
	if b.Outside {
		text += " outside"
	}
	return text
}

// TestSnapIsNearest: no boundary is nearer than what Snap and On give, and of
// several the first is given.
func TestSnapIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		track := func(name string) *Track {
			var runs []Run
			at := rapid.Uint64Range(0, 50).Draw(t, name+" first")
			tidy := rapid.Bool().Draw(t, name+" tidy")
			for range rapid.IntRange(1, 6).Draw(t, name+" runs") {
				r := Run{Media: at, Step: rapid.Uint64Range(0, 9).Draw(t, "step"), Count: rapid.Uint64Range(1, 5).Draw(t, "count"), Number: uint64(len(runs)) * 10}
				if !tidy {
					r.Shift = time.Duration(rapid.IntRange(-20, 20).Draw(t, "shift")) * time.Second
				}
				runs = append(runs, r)
				if at += r.Step * r.Count; rapid.Bool().Draw(t, "gap") {
					at += rapid.Uint64Range(0, 5).Draw(t, "wide")
				} else if !tidy {
					at -= min(at, rapid.Uint64Range(0, 12).Draw(t, "back"))
				}
			}
			return &Track{Timescale: rapid.SampledFrom([]uint64{1, 3, 7}).Draw(t, "timescale"), Offset: rapid.Uint64Range(0, 40).Draw(t, "offset"),
				Start: time.Duration(rapid.IntRange(0, 9).Draw(t, "start")) * time.Second, End: rapid.SampledFrom([]time.Duration{Forever, 20 * time.Second}).Draw(t, "end"),
				Epoch: tenOClock, Line: NewLine(runs)}
		}
		p := NewPresentation([]Sibling{{Rendition: Rendition{Kind: Video, Height: 1}}, {Rendition: Rendition{Kind: Audio}}}, nil, nil)
		tracks := []Track{*track("video"), *track("audio")}
		p.AttachAll(1, tracks)
		at := Moment{Media: time.Duration(rapid.IntRange(-20_000, 90_000).Draw(t, "at")) * time.Millisecond}
		dated := rapid.Bool().Draw(t, "dated")
		if dated {
			at = Moment{Date: tenOClock.Add(at.Media)}
		}
		b, ok := p.Snap(at)
		if !ok || b.Sibling != 0 {
			t.Fatalf("%+v, %v", b, ok)
		}
		want, far := nearestOf(&tracks[0], at)
		if b.Shift.Abs() != far || b.Media != want {
			t.Fatalf("snapped to %v, %v off; %v is %v off", b.Media, b.Shift, want, far)
		}
		o, ok := p.View().On(1, b)
		want, far = nearestOf(&tracks[1], Moment{Date: b.Date})
		if !ok || o.By != ByDate || o.Shift.Abs() != far || o.Media != want {
			t.Fatalf("on the other %+v; %v is %v off", o, want, far)
		}
	})
}

// nearestOf looks at all boundaries.
func nearestOf(t *Track, at Moment) (best, far time.Duration) {
	far = -1
	for i := range t.Line.Runs {
		r := &t.Line.Runs[i]
		for k := uint64(0); k <= r.Count; k++ {
			b := min(max(t.presented(r.Media+k*r.Step), t.Start), t.End)
			d := (b - at.Media).Abs()
			if !at.Date.IsZero() {
				d = t.Epoch.Add(b + r.Shift).Sub(at.Date).Abs()
			}
			if far < 0 || d < far {
				best, far = b, d
			}
		}
	}
	return best, far
}

// TestReferenceIsDeterministic: whatever the order in which tracks come, the
// reference and what is snapped are the same.
func TestReferenceIsDeterministic(t *testing.T) {
	siblings := []Sibling{
		{Rendition: Rendition{Kind: Audio, URI: "a", Bitrate: 9000}}, {Rendition: Rendition{Kind: TrickPlay, URI: "i", Height: 2160}},
		{Rendition: Rendition{Kind: Variant, URI: "sound", Codecs: "mp4a.40.2", Bitrate: 8000}}, {Rendition: Rendition{Kind: Variant, URI: "any", Bitrate: 9999}},
		{Rendition: Rendition{Kind: Variant, URI: "720", Codecs: "avc1.64001f,mp4a.40.2", Bitrate: 3000}}, {Rendition: Rendition{Kind: Variant, URI: "1080", Height: 1080, Bitrate: 6000}},
		{Rendition: Rendition{Kind: Variant, URI: "540", Height: 540, Bitrate: 2000}}, {Rendition: Rendition{Kind: Subtitles, URI: "s"}},
	}
	type arrival struct {
		sibling int
		version uint64
		track   *Track
	}
	arrivals := func(cued ...int) (all []arrival) {
		for i := range siblings {
			n := 0
			if slices.Contains(cued, i) {
				n = 1
			}
			all = append(all, arrival{i, 1, listed(true, 1, 0, tenOClock, n, 2000, 2000)}, arrival{i, 2, listed(true, 2, 0, tenOClock.Add(2*time.Second), 0, 2000, 2000)})
		}
		return all
	}
	for _, c := range []struct {
		name string
		all  []arrival
		want int
	}{
		{"the highest with pictures", arrivals(), 5},
		{"the highest that has a cue", arrivals(4, 6), 4},
		{"sound does not count by its cues", arrivals(0, 2), 5},
		{"sound alone", arrivals()[:2], 0},
		{"nothing but images", arrivals()[2:4], -1},
	} {
		for seed := range uint64(20) {
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(c.all), func(i, j int) { c.all[i], c.all[j] = c.all[j], c.all[i] })
			p := NewPresentation(siblings, nil, nil)
			var wg sync.WaitGroup
			for part := range slices.Chunk(c.all, 6) {
				wg.Go(func() {
					for _, a := range part {
						if err := p.Attach(a.sibling, a.version, a.track); err != nil {
							t.Error(err)
						}
						p.Snap(Moment{Date: tenOClock})
					}
				})
			}
			wg.Wait()
			got, ok := p.Reference()
			if !ok {
				got = -1
			}
			if got != c.want {
				t.Fatalf("%s, order %d: the reference is %d, want %d", c.name, seed, got, c.want)
			}
			if ok && p.View().Track(got).First != 2 {
				t.Fatalf("%s: an older version took the place of a newer one", c.name)
			}
		}
	}
}

func TestPresentationIsBounded(t *testing.T) {
	p := NewPresentation(make([]Sibling, MaxSiblings+7), nil, nil)
	if len(p.Siblings()) != MaxSiblings || p.Omitted() != 7 {
		t.Errorf("%d siblings, %d omitted", len(p.Siblings()), p.Omitted())
	}
	many := &Track{Timescale: 1, Line: NewLine(make([]Run, MaxRuns/2))}
	for i, want := range []error{nil, nil, ErrTooManyRuns, ErrTooManyRuns} {
		if err := p.Attach(i, 1, many); err != want {
			t.Errorf("track %d: %v", i, err)
		}
	}
	if err := p.Attach(1, 2, many); err != nil || p.View().Track(2) != nil {
		t.Errorf("a newer version: %v", err)
	}
	if err := p.Attach(MaxSiblings, 1, many); err == nil {
		t.Error("a sibling that there is not")
	}
}

func TestPlaylists(t *testing.T) {
	got := Playlists([]Rendition{{URI: "a", Group: "x", Pathway: "A"}, {Kind: ClosedCaptions}, {URI: "b", Pathway: "B"}, {URI: "a", Group: "y"}})
	p := NewPresentation(got, nil, nil)
	if len(got) != 2 || got[0].Rendition.Group != "x" || got[1].Rendition.URI != "b" || !slices.Equal(p.Pathways(), []string{"A", "B"}) {
		t.Errorf("%+v %v", got, p.Pathways())
	}
	if i, ok := p.Find("b"); i != 1 || !ok {
		t.Errorf("b is %d, %v", i, ok)
	}
	if _, ok := p.Find(""); ok {
		t.Error("no URI is found")
	}
}

// TestTrackOf: equal lengths are one run, whose parts are told as they were.
func TestTrackOf(t *testing.T) {
	track := listed(false, 40, 2, tenOClock, 3, 4000, 4000, 4000, 2000, -1, 4000, 4000, 0)
	if n := len(track.Line.Runs); n != 4 || track.Len() != 7 || track.Cues != 3 || track.First != 40 || track.Discontinuities != 2 {
		t.Fatalf("%d runs: %+v", n, track)
	}
	var all []string
	for media, s := range track.Segments() {
		all = append(all, fmt.Sprint(media/1e6, s.Sequence, s.Start, s.Duration, s.Date.Sub(tenOClock), s.Discontinuity))
	}
	want := []string{"0 40 0s 4s 0s false", "4000 41 4s 4s 4s false", "8000 42 8s 4s 8s false", "12000 43 12s 2s 12s false", "14000 44 14s 4s 14s true", "18000 45 18s 4s 18s false", "22000 46 22s 0s 22s false"}
	if !slices.Equal(all, want) {
		t.Errorf("got %q", all)
	}
	for range track.Segments() {
		break // it can be left
	}
}
