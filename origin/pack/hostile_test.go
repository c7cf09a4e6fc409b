package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
	"pgregory.net/rapid"
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func box(typ string, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(payload)))
	return append(append(b, typ...), payload...)
}

func TestFeedRefuses(t *testing.T) {
	init := videoInit(t)
	frames := fragments(t, 0, 50, frameTicks, 50)
	moofEnd := bytes.Index(frames, []byte("mdat")) - 4
	// A run that says it has four thousand million samples of no size.
	bomb := bytes.Clone(frames[:moofEnd])
	trun := bytes.Index(bomb, []byte("trun"))
	binary.BigEndian.PutUint32(bomb[trun+8:], math.MaxUint32)
	far := fragments(t, 1<<40, 1, frameTicks, 1)
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "unexpected EOF", nil},
		{"text", "its size", []byte("<html>not a film</html>")},
		{"fragment first", `box "moof" where "ftyp"`, frames},
		{"header twice", `"ftyp"`, join(init[:24], init)},
		{"cut header", "unexpected EOF", init[:100]},
		{"cut fragment", "unexpected EOF", join(init, frames[:len(frames)-1])},
		{"mdat alone", `"mdat" where moof`, join(init, box("mdat"))},
		{"moof alone", "where mdat", join(init, frames[:moofEnd], frames)},
		{"moof at the end", "unexpected EOF", join(init, frames[:moofEnd])},
		{"zero size", "its size", join(init, []byte{0, 0, 0, 0, 'm', 'o', 'o', 'f'})},
		{"huge box", "its size", join(init, []byte{0x7f, 0, 0, 0, 'm', 'd', 'a', 't'})},
		{"huge long box", "its size", join(init, []byte{0, 0, 0, 1, 'm', 'd', 'a', 't', 0x7f, 0, 0, 0, 0, 0, 0, 0})},
		{"sample bomb", "samples", join(init, bomb, box("mdat"))},
		{"empty moof", "not one track", join(init, box("moof"), box("mdat"))},
		{"audio as video", "not H.264", audioInit(t, "eng")},
		{"begins late", "not at 0", join(init, fragments(t, 25600, 1, frameTicks, 1))},
		{"far away", "not at 0", join(init, far)},
		{"jump", "jumps", join(init, frames, fragments(t, 51*frameTicks, 1, frameTicks, 1))},
		{"overlap", "jumps", join(init, frames, frames)},
		{"no key frame", "key frame", join(init, fragments(t, 0, 60, frameTicks, 1000))},
		{"no first key frame", "key frame", join(init, fragments(t, 0, 50, frameTicks, 50)[len(fragments(t, 0, 1, frameTicks, 50)):])},
		{"empty interval", "no sample", join(init, fragments(t, 0, 3, 60000, 1))},
	}
	for _, tt := range tests {
		p := newPackager(t, config(true), newSink(), newClock().now)
		run, err := p.Begin(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		err = run.Feed(context.Background(), 0, bytes.NewReader(tt.data))
		if tt.name == "no first key frame" {
			tt.want = "key frame"
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "track v360") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Boxes that encoders put between fragments are passed over.
func TestFeedSkips(t *testing.T) {
	s := newSink()
	p := newPackager(t, Config{FrameRate: Rate{25, 1}, SegmentFrames: 50, Tracks: []Track{{Name: "v", Kind: Video}}}, s, newClock().now)
	long := append([]byte{0, 0, 0, 1, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 0, 0, 0, 20}, 1, 2, 3, 4)
	data := join(videoInit(t), box("styp", []byte("cmfs\x00\x00\x00\x00")...), box("prft", make([]byte, 20)...), long,
		fragments(t, 0, 50, frameTicks, 50), box("emsg", make([]byte, 30)...), box("mfra"))
	if err := play(t, p, "a", [][]byte{data}, true); err != nil {
		t.Fatal(err)
	}
	if err := p.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text := s.get("master.m3u8"); !strings.Contains(text, `CODECS="avc1.42C01E",RES`) || strings.Contains(text, "AUDIO") {
		t.Errorf("video alone gives\n%s", text)
	}
	checkMedia(t, s, "")
}

func TestUnevenTracks(t *testing.T) {
	p := newPackager(t, config(false), newSink(), newClock().now)
	tracks := streams(t, 9)
	tracks[3] = audio(t, 5)
	if err := play(t, p, "a", tracks, true); err == nil || !strings.Contains(err.Error(), "track audio-de has 3 segments, the video 5") {
		t.Errorf("a short track: %v", err)
	}
}

func TestValidate(t *testing.T) {
	if l := (&Config{}).Validate(); len(l) != 2 {
		t.Errorf("empty: %v", l)
	}
	good := config(true)
	if l := good.Validate(); l != nil {
		t.Errorf("good: %v", l)
	}
	tests := []struct {
		want   string
		change func(*Config)
	}{
		{"prefix:", func(c *Config) { c.Prefix = "/abs" }},
		{"prefix:", func(c *Config) { c.Prefix = "a/../b" }},
		{"frame_rate:", func(c *Config) { c.FrameRate = Rate{25, 0} }},
		{"segment_frames:", func(c *Config) { c.SegmentFrames = 0 }},
		{"segment_frames:", func(c *Config) { c.SegmentFrames = 5 }},
		{"segment_frames:", func(c *Config) { c.SegmentFrames = 25 * 31 }},
		{"window:", func(c *Config) { c.Window = 5 * time.Second }},
		{"delay:", func(c *Config) { c.Delay = -1 }},
		{"time:", func(c *Config) { c.Time = `x"y` }},
		{"tracks[0].name:", func(c *Config) { c.Tracks[0].Name = "V 360" }},
		{"tracks[1].name:", func(c *Config) { c.Tracks[1].Name = "v360" }},
		{"tracks[1].kind:", func(c *Config) { c.Tracks[1].Kind = 9 }},
		{"tracks[0].peak:", func(c *Config) { c.Tracks[0].Peak = 0 }},
		{"tracks[2].language:", func(c *Config) { c.Tracks[2].Language = "english language" }},
		{"tracks[2].label:", func(c *Config) { c.Tracks[2].Label = "a\"b" }},
		{"tracks[4].cues:", func(c *Config) { c.Tracks[4].Cues = nil }},
		{"tracks: there is no video", func(c *Config) { c.Tracks = c.Tracks[2:] }},
	}
	for _, tt := range tests {
		c := config(true)
		tt.change(&c)
		if l := c.Validate(); len(l) == 0 || !strings.Contains(l.Error(), tt.want) {
			t.Errorf("want %q, got %v", tt.want, l)
		}
		if _, err := New(c, newSink(), newClock().now); err == nil {
			t.Errorf("New took it: %s", tt.want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{"25": {25, 1}, "30000/1001": {30000, 1001}} {
		if r, err := ParseRate(text); err != nil || r != want || r.String() != text {
			t.Errorf("%s: %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "25/0", "x", "25/1/1", "99999999"} {
		if r, err := ParseRate(text); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}

// However the samples of a track are long, the segments hold all of them
// once, in order, each in the interval where it begins; the durations add up.
func TestGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{FrameRate: rapid.SampledFrom([]Rate{{25, 1}, {30000, 1001}, {24000, 1001}, {60, 1}}).Draw(t, "rate"),
			SegmentFrames: rapid.IntRange(24, 240).Draw(t, "frames")}
		scale := rapid.SampledFrom([]uint32{12800, 48000, 44100, 90000, 1000}).Draw(t, "scale")
		cut := &cutter{cfg: &c, kind: Audio, timescale: scale}
		var at, covered uint64
		var sum time.Duration
		var segments []segment
		for range rapid.IntRange(1, 2000).Draw(t, "samples") {
			d := scale / 50
			done, err := cut.add(mp4.FullSample{Sample: mp4.Sample{Dur: d}, DecodeTime: at})
			if err != nil {
				t.Fatal(err)
			}
			at += uint64(d)
			if done == nil {
				continue
			}
			first, last := done[0].DecodeTime, done[len(done)-1]
			i := int64(len(segments))
			s := segment{start: first, duration: last.DecodeTime + uint64(d) - first}
			if first != covered || first < c.boundary(i, scale) || last.DecodeTime >= c.boundary(i+1, scale) {
				t.Fatalf("segment %d is %+v", i, s)
			}
			covered = s.end()
			sum += extinf(s, scale)
			segments = append(segments, s)
		}
		if sum != mediaTime(covered, scale) {
			t.Fatalf("durations add up to %v, not %v", sum, mediaTime(covered, scale))
		}
	})
}

func TestCues(t *testing.T) {
	got := cleanCues([]Cue{
		{0, 3 * time.Second, " before \r\n\r\n\nthe segment "},
		{2500 * time.Millisecond, 4 * time.Second, "overlaps"},
		{4 * time.Second, 4 * time.Second, "no time"},
		{4 * time.Second, 5 * time.Second, "\n\n"},
		{5 * time.Second, 90 * time.Second, "00:01 --> 00:02"},
	}, 2*time.Second, 6*time.Second)
	want := "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n" +
		"\n00:00:02.000 --> 00:00:03.000\nbefore \nthe segment\n" +
		"\n00:00:03.000 --> 00:00:04.000\noverlaps\n" +
		"\n00:00:05.000 --> 00:00:06.000\n00:01 -> 00:02\n"
	if text := string(webVTT(got)); text != want {
		t.Errorf("got %q\nwant %q", text, want)
	}
	s := segment{start: 2 * 12800, duration: 4 * 12800}
	data, err := wvttSegment(7, s, 12800, got)
	if err != nil {
		t.Fatal(err)
	}
	file := parse(t, data)
	samples, err := file.Segments[0].Fragments[0].GetFullSamples(nil)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	end := s.start
	for _, sample := range samples {
		if sample.DecodeTime != end {
			t.Errorf("a gap at %d", end)
		}
		end += uint64(sample.Dur)
		kinds = append(kinds, string(sample.Data[4:8]))
	}
	if strings.Join(kinds, " ") != "vttc vttc vtte vttc" || end != s.end() {
		t.Errorf("samples %v until %d", kinds, end)
	}
}

func FuzzFeed(f *testing.F) {
	init := videoInit(f)
	f.Add(join(init, fragments(f, 0, 2, frameTicks, 50)))
	f.Add(join(init, fragments(f, 0, 2, 25000, 1)))
	f.Add(join(init, box("moof"), box("mdat")))
	f.Add(join(audioInit(f, "eng"), fragments(f, 0, 2, 1024, 0)))
	f.Add(init)
	f.Add(init[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []int{0, 2} {
			p := newPackager(t, config(true), newSink(), newClock().now)
			run, err := p.Begin(context.Background(), "")
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Feed(context.Background(), kind, bytes.NewReader(data)); errors.Is(err, io.EOF) {
				t.Errorf("a bare %v", err)
			}
		}
	})
}

func FuzzReadOld(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"7/init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00.000Z\n#EXTINF:2.000000,\n7/7.m4s\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := readOld(data)
		if o.next < 0 || o.discontinuities < 0 {
			t.Errorf("%+v", o)
		}
		for _, uri := range o.uris {
			if strings.Contains(uri, "..") || strings.Count(uri, "/") != 1 {
				t.Errorf("uri %q", uri)
			}
		}
	})
}
