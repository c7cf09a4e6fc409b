package transcoder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grafov/m3u8"
	"github.com/zencoder/go-dash/v3/mpd"
)

func vod(t *testing.T, cfg Config) (*Transcoder, *sink) {
	t.Helper()
	needFFmpeg(t)
	s := newSink()
	tr, err := New(context.Background(), cfg, s, time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return tr, s
}

func TestVOD(t *testing.T) {
	cfg := small("vod/demo")
	cfg.Duration = 5500 * time.Millisecond
	tr, s := vod(t, cfg)

	st := tr.Status()
	if st.State != Ended || st.PID != 0 || st.Starts != 1 || !st.Presentation.Ended || st.LastError != "" || len(st.LastLines) != 0 {
		t.Errorf("%+v", st)
	}
	if st.Progress.Frame != 138 || st.Progress.Speed <= 0 || st.Tool.Version == "" {
		t.Errorf("progress %+v of FFmpeg %q", st.Progress, st.Tool.Version)
	}

	// The rungs are aligned: same segment times, a key frame at each and
	// nowhere else, and the media is as long as it was to be.
	top, low := s.rendition(t, "vod/demo/v180/index.m3u8"), s.rendition(t, "vod/demo/v90/index.m3u8")
	if len(top.starts) != 6 || !slices.Equal(top.starts, top.keys) || !slices.Equal(top.starts, low.starts) || !slices.Equal(low.starts, low.keys) {
		t.Errorf("segments at %v with key frames at %v, and at %v with key frames at %v", top.starts, top.keys, low.starts, low.keys)
	}
	if d := float64(top.end) / top.scale; math.Abs(d-5.52) > 1e-9 || math.Abs(top.extinf-d) > 1e-6 || top.end != low.end || !top.endlisted {
		t.Errorf("video of %v s, EXTINF %v", d, top.extinf)
	}
	for lang, code := range map[string]string{"en": "eng", "de": "deu"} {
		a := s.rendition(t, "vod/demo/audio-"+lang+"/index.m3u8")
		if got := a.moov.Trak.Mdia.Mdhd.GetLanguage(); got != code {
			t.Errorf("audio %s says it is %s", lang, got)
		}
		if d := float64(a.end) / a.scale; len(a.starts) != 6 || math.Abs(d-5.52) > 0.022 || math.Abs(a.extinf-d) > 1e-6 {
			t.Errorf("audio %s: %d segments, %v s, EXTINF %v", lang, len(a.starts), d, a.extinf)
		}
	}

	list, kind, err := m3u8.DecodeFrom(strings.NewReader(s.get("vod/demo/master.m3u8")), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatal(kind, err)
	}
	for i, v := range list.(*m3u8.MasterPlaylist).Variants {
		if want := []string{"320x180", "160x90"}[i]; v.Resolution != want || v.FrameRate != 25 || !strings.HasPrefix(v.Codecs, "avc1.42C0") || !strings.HasSuffix(v.Codecs, ",mp4a.40.2") {
			t.Errorf("variant %+v", v)
		}
	}
	m, err := mpd.ReadFromString(s.get("vod/demo/manifest.mpd"))
	if err != nil {
		t.Fatal(err)
	}
	if *m.Type != "static" || *m.MediaPresentationDuration != "PT5.52S" || len(m.Periods) != 1 || len(m.Periods[0].AdaptationSets) != 4 {
		t.Errorf("MPD:\n%s", s.get("vod/demo/manifest.mpd"))
	}
	if text := s.get("vod/demo/text-en/" + tr.version + "/3.vtt"); !strings.Contains(text, "00:00:02.000 --> 00:00:03.000\n[en] 00:00:02.000\n") {
		t.Errorf("subtitles:\n%s", text)
	}
	checkSound(t, s.rendition(t, "vod/demo/audio-de/index.m3u8").whole, 660)
}

// checkSound compares the decoded sound with what the test source made: it
// must be at the same time, to a few samples.
func checkSound(t *testing.T, media []byte, tone int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.mp4")
	if err := os.WriteFile(file, media, 0o600); err != nil {
		t.Fatal(err)
	}
	got := pcm(t, "-i", file)
	want := pcm(t, "-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:beep_factor=2:sample_rate=48000:duration=5", tone))
	// Around the beep at 2 s.
	const from, n = 2*48000 - 4800, 14400
	best, at := 0.0, 0
	for lag := -2000; lag <= 2000; lag++ {
		sum := 0.0
		for i := from; i < from+n; i += 3 {
			sum += float64(got[i+lag]) * float64(want[i])
		}
		if sum > best {
			best, at = sum, lag
		}
	}
	if at < -3 || at > 3 {
		t.Errorf("the sound is %d samples late", at)
	}
}

func pcm(t *testing.T, input ...string) []int16 {
	t.Helper()
	out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error"}, input...), "-ac", "1", "-f", "s16le", "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, len(out)/2)
	if err := binary.Read(bytes.NewReader(out[:len(samples)*2]), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	return samples
}

// The same job gives the same addresses and the same bytes.
func TestVODIsRepeatable(t *testing.T) {
	cfg := small("")
	cfg.Duration, cfg.Ladder.Rungs, cfg.Audio = 2*time.Second, cfg.Ladder.Rungs[1:], []Audio{{Language: "en"}}
	_, a := vod(t, cfg)
	_, b := vod(t, cfg)
	if len(a.objects) != len(b.objects) {
		t.Errorf("%d objects and %d", len(a.objects), len(b.objects))
	}
	for name, data := range a.objects {
		if other := b.objects[name]; !bytes.Equal(data, other) {
			at := 0
			for at < min(len(data), len(other)) && data[at] == other[at] {
				at++
			}
			t.Errorf("%s differs: %d and %d bytes, from byte %d on:\n%.300q\n%.300q", name, len(data), len(other), at, data[at:], other[at:])
		}
	}
	cfg.Audio[0].Bitrate = 48_000
	if _, c := vod(t, cfg); c.get("v90/index.m3u8") == a.get("v90/index.m3u8") {
		t.Error("another job has the same addresses")
	}
}

// A file of another size, rate and order of streams, with sound that ends
// before the picture does.
func TestFile(t *testing.T) {
	needFFmpeg(t)
	file := filepath.Join(t.TempDir(), "it's a file, with: marks.mkv")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=500:duration=1.2", "-f", "lavfi", "-i", "testsrc2=size=300x300:rate=24:duration=2.5",
		"-map", "0", "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "libx264", "-preset", "ultrafast", "-metadata:s:a:0", "language=ger", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	cfg := small("f")
	cfg.Input, cfg.Subtitles = file, []Subtitle{{Language: "pt-BR"}}
	_, s := vod(t, cfg)
	v := s.rendition(t, "f/v180/index.m3u8")
	if d := float64(v.end) / v.scale; len(v.starts) != 3 || math.Abs(d-2.52) > 0.05 {
		t.Errorf("video of %v s in %d segments", d, len(v.starts))
	}
	for _, name := range []string{"f/audio-de", "f/audio-und"} {
		a := s.rendition(t, name+"/index.m3u8")
		if len(a.starts) != 3 || math.Abs(float64(a.end)/a.scale-float64(v.end)/v.scale) > 0.03 {
			t.Errorf("%s: %d segments, %v s", name, len(a.starts), float64(a.end)/a.scale)
		}
	}
	if text := s.get("f/master.m3u8"); !strings.Contains(text, `NAME="Deutsch",LANGUAGE="de"`) || !strings.Contains(text, `NAME="português",LANGUAGE="pt-BR"`) {
		t.Errorf("master:\n%s", text)
	}

	// A file without sound gets silence.
	mute := filepath.Join(t.TempDir(), "mute.mp4")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-an", "-t", "1", "-c:v", "copy", mute).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	cfg = small("m")
	cfg.Input, cfg.Duration = mute, 900*time.Millisecond
	_, s = vod(t, cfg)
	if a := s.rendition(t, "m/audio-und/index.m3u8"); len(a.starts) != 1 || math.Abs(float64(a.end)/a.scale-0.9) > 0.05 {
		t.Errorf("silence of %v s", float64(a.end)/a.scale)
	}
	cfg.Audio = []Audio{{Language: "en", Stream: 1}}
	if _, err := New(context.Background(), cfg, newSink(), time.Now, quiet); !errors.Is(err, ErrInput) {
		t.Errorf("a stream that is not there: %v", err)
	}
}

// Inputs that would make FFmpeg read something else, or for ever.
func TestHostileInputs(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1", "-c:v", "libx264", secret).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	files := map[string]string{
		"hls.mp4":    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + secret + "\n#EXT-X-ENDLIST\n",
		"concat.mp4": "ffconcat version 1.0\nfile " + secret + "\n",
		"dash.mp4":   "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>" + secret + "</BaseURL></Representation></AdaptationSet></Period></MPD>",
		"sdp.mp4":    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		"empty.mp4":  "",
		"text.mp4":   "not a film",
		"image.ppm":  "P6\n100000 100000\n255\n",
	}
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	names := []string{"fifo.mp4", "missing.mp4", "."}
	for name := range files {
		names = append(names, name)
	}
	for _, name := range names {
		cfg := small("x")
		cfg.Input = filepath.Join(dir, name)
		if _, err := New(context.Background(), cfg, newSink(), time.Now, quiet); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := small("x")
	cfg.Input = "/dev/zero"
	if _, err := New(context.Background(), cfg, newSink(), time.Now, quiet); !errors.Is(err, ErrInput) {
		t.Errorf("/dev/zero: %v", err)
	}
	cfg.Input = "http://192.0.2.1/x.mp4"
	if _, err := New(context.Background(), cfg, newSink(), time.Now, quiet); err == nil || !strings.Contains(err.Error(), "inputs are files") {
		t.Errorf("URL: %v", err)
	}
}

func TestVODFailsClearly(t *testing.T) {
	needFFmpeg(t)
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	s := newSink()
	s.refuse = func(name string) error {
		if strings.HasSuffix(name, "2.m4s") {
			return full
		}
		return nil
	}
	cfg := small("x")
	cfg.Duration = 20 * time.Second
	tr, err := New(context.Background(), cfg, s, time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background()); !errors.Is(err, syscall.ENOSPC) || tr.Status().State != Failed || !strings.Contains(tr.Status().LastError, "no space left") {
		t.Errorf("disk full: %v, %+v", err, tr.Status())
	}
	if len(s.objects) > 0 {
		for name := range s.objects {
			t.Logf("left: %s", name)
		}
	}

	// Stopped in the middle: no manifest, an error that says so.
	ctx, cancel := context.WithCancel(context.Background())
	s = newSink()
	cfg.Duration = time.Hour
	if tr, err = New(ctx, cfg, s, time.Now, quiet); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- tr.Run(ctx) }()
	<-s.puts
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || tr.Status().State != Stopped || s.get("x/master.m3u8") != "" {
		t.Errorf("stopped: %v, %v", err, tr.Status().State)
	}
}
