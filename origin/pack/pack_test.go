package pack

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
)

// sink keeps objects and everything that was ever put.
type sink struct {
	mu      sync.Mutex
	objects map[string][]byte
	history map[string][][]byte
	order   []string
	deleted []string
	refuse  func(name string) error
}

func newSink() *sink { return &sink{objects: map[string][]byte{}, history: map[string][][]byte{}} }

func (s *sink) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		if err := s.refuse(name); err != nil {
			return err
		}
	}
	s.objects[name] = data
	s.history[name] = append(s.history[name], data)
	s.order = append(s.order, name)
	return nil
}

func (s *sink) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[name]; !ok {
		return fs.ErrNotExist
	}
	delete(s.objects, name)
	s.deleted = append(s.deleted, name)
	return nil
}

func (s *sink) get(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.objects[name])
}

// readable is a sink that is also a Getter.
type readable struct{ *sink }

func (r readable) Get(_ context.Context, name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, ok := r.objects[name]
	if !ok {
		return nil, fmt.Errorf("no %s: %w", name, fs.ErrNotExist)
	}
	return data, nil
}

// clock is a time that moves when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

const (
	videoScale = 12800 // as FFmpeg has it at 25 frames a second
	frameTicks = videoScale / 25
)

// A parameter set of x264 for 640x360 at 25 frames a second, and its picture
// parameters.
const (
	spsHex = "6742c01eda0280bfe5c044000003000400000300c83c58ba80"
	ppsHex = "68ce3c80"
)

func videoInit(t testing.TB) []byte {
	t.Helper()
	sps, _ := hex.DecodeString(spsHex)
	pps, _ := hex.DecodeString(ppsHex)
	init := mp4.CreateEmptyInit()
	trak := init.AddEmptyTrack(videoScale, "video", "und")
	if err := trak.SetAVCDescriptor("avc1", [][]byte{sps}, [][]byte{pps}, true); err != nil {
		t.Fatal(err)
	}
	return encode(t, init)
}

func audioInit(t testing.TB, language string) []byte {
	t.Helper()
	init := mp4.CreateEmptyInit()
	if err := init.AddEmptyTrack(48000, "audio", language).SetAACDescriptor(2, 48000); err != nil {
		t.Fatal(err)
	}
	return encode(t, init)
}

func encode(t testing.TB, box interface{ Encode(io.Writer) error }) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := box.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fragments are n samples of a duration from start on, one fragment each;
// every gop-th is a key frame (gop 0: all are).
func fragments(t testing.TB, start uint64, n int, ticks uint32, gop int) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		frag, err := mp4.CreateFragment(uint32(i+1), 1)
		if err != nil {
			t.Fatal(err)
		}
		flags := mp4.SyncSampleFlags
		if gop > 0 && i%gop != 0 {
			flags = mp4.NonSyncSampleFlags
		}
		data := bytes.Repeat([]byte{byte(i)}, 100+i%7)
		frag.AddFullSample(mp4.FullSample{Sample: mp4.Sample{Flags: flags, Dur: ticks, Size: uint32(len(data))},
			DecodeTime: start + uint64(i)*uint64(ticks), Data: data})
		b.Write(encode(t, frag))
	}
	return b.Bytes()
}

func video(t testing.TB, seconds float64) []byte {
	return append(videoInit(t), fragments(t, 0, int(seconds*25), frameTicks, 50)...)
}

// audio is AAC of at least that length.
func audio(t testing.TB, seconds float64) []byte {
	return append(audioInit(t, "eng"), fragments(t, 0, int(seconds*48000/1024)+1, 1024, 0)...)
}

type second struct{}

func (second) Cues(start, end time.Duration, wall time.Time) []Cue {
	var cues []Cue
	for at := start; at < end; at += time.Second {
		text := "at " + at.String()
		if !wall.IsZero() {
			text += " " + wall.Add(at-start).Format("15:04:05.000")
		}
		cues = append(cues, Cue{at, at + time.Second, text})
	}
	return cues
}

func config(live bool) Config {
	return Config{Prefix: "p/x", Live: live, FrameRate: Rate{25, 1}, SegmentFrames: 50, Window: 10 * time.Second, Tracks: []Track{
		{Name: "v360", Kind: Video, Peak: 1_200_000, Average: 800_000},
		{Name: "v240", Kind: Video, Peak: 600_000, Average: 400_000},
		{Name: "audio-en", Kind: Audio, Language: "en", Label: "English", Peak: 70_000, Average: 64_000},
		{Name: "audio-de", Kind: Audio, Language: "de", Label: "Deutsch & mehr", Peak: 70_000, Average: 64_000},
		{Name: "text-en", Kind: Text, Language: "en", Cues: second{}},
	}}
}

func newPackager(t testing.TB, cfg Config, s Sink, now func() time.Time) *Packager {
	t.Helper()
	p, err := New(cfg, s, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// streams are the tracks of config for that long.
func streams(t testing.TB, seconds float64) [][]byte {
	v, a := video(t, seconds), audio(t, seconds)
	return [][]byte{v, v, a, a}
}

// play runs one life of the encoder.
func play(t testing.TB, p *Packager, version string, tracks [][]byte, complete bool) error {
	t.Helper()
	ctx := context.Background()
	run, err := p.Begin(ctx, version)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(tracks))
	var wg sync.WaitGroup
	for i, data := range tracks {
		wg.Go(func() { errs[i] = run.Feed(ctx, i, bytes.NewReader(data)) })
	}
	wg.Wait()
	err = errors.Join(errs...)
	return errors.Join(err, run.End(ctx, complete && err == nil))
}

func TestVOD(t *testing.T) {
	s := newSink()
	p := newPackager(t, config(false), s, newClock().now)
	if err := play(t, p, "abc", streams(t, 9), true); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Ready():
		t.Error("ready before the end")
	default:
	}
	if err := p.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-p.Ready()
	for _, name := range []string{"master.m3u8", "manifest.mpd", "v360/index.m3u8", "audio-en/index.m3u8", "text-en/index.m3u8", "text-en/abc/2.vtt"} {
		golden(t, "vod/"+name, s.get("p/x/"+name))
	}
	if st := p.Status(); !st.Ended || !st.Ready || st.Listed != 5 || st.Media != 9*time.Second || !st.Edge.IsZero() {
		t.Errorf("%+v", st)
	}
	checkMedia(t, s, "p/x")
}

func TestLiveGolden(t *testing.T) {
	s := newSink()
	clock := newClock()
	p := newPackager(t, config(true), s, clock.now)
	if err := play(t, p, "", streams(t, 8), false); err != nil {
		t.Fatal(err)
	}
	clock.move(11 * time.Second)
	if err := play(t, p, "", streams(t, 6), true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"master.m3u8", "manifest.mpd", "v360/index.m3u8", "audio-de/index.m3u8", "text-en/index.m3u8", "text-en/97264803/97264803.vtt"} {
		golden(t, "live/"+name, s.get("p/x/"+name))
	}
	checkMedia(t, s, "p/x")
	if err := p.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	golden(t, "live/ended.mpd", s.get("p/x/manifest.mpd"))
	if text := s.get("p/x/audio-en/index.m3u8"); !strings.HasSuffix(text, ".m4s\n#EXT-X-ENDLIST\n") {
		t.Errorf("no end in:\n%s", text)
	}
	if _, err := p.Begin(context.Background(), ""); err == nil {
		t.Error("a finished presentation began a run")
	}
}

// A player that comes early must find enough to start three target durations
// from the end.
func TestLiveIsShownFromThreeSegmentsOn(t *testing.T) {
	s := newSink()
	p := newPackager(t, config(true), s, newClock().now)
	if err := play(t, p, "", streams(t, 5.9), false); err != nil {
		t.Fatal(err)
	}
	if _, shown := s.objects["p/x/master.m3u8"]; shown || p.Status().Ready {
		t.Error("shown with two segments")
	}
	if err := play(t, p, "", streams(t, 3.9), false); err != nil {
		t.Fatal(err)
	}
	<-p.Ready()
	last := s.order[len(s.order)-1]
	if last != "p/x/master.m3u8" {
		t.Errorf("put last: %s, and not what names all others", last)
	}
}
