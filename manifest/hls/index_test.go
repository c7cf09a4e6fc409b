package hls

import (
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

func TestTimeline(t *testing.T) {
	const src = `#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:100
#EXTINF:6,
100.ts
#EXT-X-DATERANGE:ID="a",START-DATE="2024-03-01T10:00:06Z"
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2024-03-01T11:00:00.250+0100
#EXT-X-CUE-OUT:30
#EXTINF:4.5,
101.ts
#EXT-X-GAP
#EXTINF:6,
102.ts
#EXT-X-CUE-IN
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="103.ts"
`
	tmpl, err := Compile([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	tl := tmpl.Timeline()
	at := time.Date(2024, 3, 1, 10, 0, 0, 250e6, time.UTC)
	want := []manifest.Segment{
		{Sequence: 100, Duration: 6 * time.Second, Date: at.Add(-6 * time.Second)},
		{Sequence: 101, Start: 6 * time.Second, Duration: 4500 * time.Millisecond, Date: at, Dated: true, Discontinuity: true},
		{Sequence: 102, Start: 10500 * time.Millisecond, Duration: 6 * time.Second, Date: at.Add(4500 * time.Millisecond), Gap: true},
	}
	lines := []string{"#EXTINF:6,\n100.ts\n", src[strings.Index(src, "#EXT-X-DATE"):strings.Index(src, "#EXT-X-GAP")], "#EXT-X-GAP\n#EXTINF:6,\n102.ts\n"}
	if len(tl.Segments) != len(want) {
		t.Fatalf("%d segments", len(tl.Segments))
	}
	for i, s := range tl.Segments {
		if text := src[s.From:s.To]; text != lines[i] {
			t.Errorf("segment %d is %q", i, text)
		}
		if !s.Date.Equal(want[i].Date) {
			t.Errorf("segment %d is of %v, want %v", i, s.Date, want[i].Date)
		}
		s.Date, want[i].Date, s.From, s.To = time.Time{}, time.Time{}, 0, 0
		if s != want[i] {
			t.Errorf("segment %d: %+v, want %+v", i, s, want[i])
		}
	}
	if src[tl.Tail:] != src[strings.Index(src, "#EXT-X-CUE-IN"):] {
		t.Errorf("the tail is %q", src[tl.Tail:])
	}
	cues := []struct {
		tag, raw string
		segment  int
	}{{"EXT-X-DATERANGE", `#EXT-X-DATERANGE:ID="a",START-DATE="2024-03-01T10:00:06Z"`, 1}, {"EXT-X-CUE-OUT", "#EXT-X-CUE-OUT:30", 1}, {"EXT-X-CUE-IN", "#EXT-X-CUE-IN", 3}}
	if len(tl.Cues) != len(cues) {
		t.Fatalf("%d cues", len(tl.Cues))
	}
	for i, c := range tl.Cues {
		if c.Tag != cues[i].tag || string(c.Raw) != cues[i].raw || c.Segment != cues[i].segment || !strings.HasPrefix(src[c.At:], cues[i].raw) {
			t.Errorf("cue %d: %+v %q", i, c, c.Raw)
		}
	}
	if tmpl.Timeline() != tl {
		t.Error("the timeline is made again")
	}
}

// TestTimelineOfCorpus: segments follow one another, in text and in time.
func TestTimelineOfCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		tmpl, err := Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		tl := tmpl.Timeline()
		if (tl == nil) != (tmpl.Kind() == manifest.HLSMultivariant) {
			t.Errorf("%s: timeline %v", name, tl)
		}
		if tl == nil {
			continue
		}
		var at int
		var start time.Duration
		for i, s := range tl.Segments {
			if s.From < at || s.To <= s.From || s.Start != start {
				t.Errorf("%s: segment %d: %+v", name, i, s)
			}
			at, start = s.To, s.Start+s.Duration
			if strings.HasPrefix(name, "ffmpeg-dash") && (s.Date.Year() != 2026 || !s.Dated) {
				t.Errorf("%s: segment %d is of %v", name, i, s.Date)
			}
		}
		if start != tmpl.Index().Window || tl.Tail < at {
			t.Errorf("%s: ends at %v, %d; window %v, tail %d", name, start, at, tmpl.Index().Window, tl.Tail)
		}
	}
}

// TestSkippedSegments: a delta update's first segment is numbered behind those
// it leaves out.
func TestSkippedSegments(t *testing.T) {
	tmpl, err := Compile(corpus(t)["media-delta.m3u8"])
	if err != nil {
		t.Fatal(err)
	}
	if s := tmpl.Timeline().Segments; s[0].Sequence != 269 || s[1].Sequence != 270 {
		t.Errorf("segments %+v", s)
	}
}

func TestDate(t *testing.T) {
	want := time.Date(2024, 3, 1, 10, 0, 0, 250e6, time.UTC)
	for _, s := range []string{"2024-03-01T10:00:00.25Z", "2024-03-01T11:00:00.250+01:00", "2024-03-01T05:00:00.250-0500", "2024-03-01T11:00:00.250000+01", "2024-03-01T10:00:00.250", "2024-03-01T10:00:00,250Z"} {
		if d, ok := date(s); !ok || !d.Equal(want) {
			t.Errorf("%q is %v, %v", s, d, ok)
		}
	}
	for _, s := range []string{"", "now", "2024-03-01", "2024-13-01T10:00:00Z"} {
		if d, ok := date(s); ok {
			t.Errorf("%q is %v", s, d)
		}
	}
}

func TestRenditions(t *testing.T) {
	all := corpus(t)
	tmpl, err := Compile(all["multivariant-full.m3u8"])
	if err != nil {
		t.Fatal(err)
	}
	got := tmpl.Renditions()
	want := map[int]manifest.Rendition{
		0: {Kind: manifest.Audio, URI: "audio/en/index.m3u8", Group: "aac", Name: "English", Language: "en", Default: true},
		2: {Kind: manifest.Subtitles, URI: "subs/en/index.m3u8", Group: "subs", Name: "English", Language: "en"},
		3: {Kind: manifest.ClosedCaptions, Group: "cc", Name: "CC1", Language: "en"},
		4: {Kind: manifest.Variant, URI: "v1080/index.m3u8", Bitrate: 6200000, Width: 1920, Height: 1080, FrameRate: 50, Codecs: "avc1.640028,mp4a.40.2", Range: "SDR"},
		8: {Kind: manifest.TrickPlay, URI: "tiles/index.m3u8", Bitrate: 20000, Width: 320, Height: 180, Codecs: "jpeg"},
	}
	if len(got) != 9 {
		t.Fatalf("%d renditions", len(got))
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("rendition %d: %+v, want %+v", i, got[i], w)
		}
	}
	steered, err := Compile(all["multivariant-steered-by-the-origin.m3u8"])
	if err != nil {
		t.Fatal(err)
	}
	if r := steered.Renditions()[3]; r.ID != "hi" || r.Pathway != "CDN-A" {
		t.Errorf("%+v", r)
	}
	media, err := Compile(all["media-vod-ts.m3u8"])
	if err != nil || media.Renditions() != nil {
		t.Errorf("%v, %v", media.Renditions(), err)
	}
}
