package transcoder

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os/exec"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/grafov/m3u8"
)

// sink keeps objects, every version of each, and tells of each put.
type sink struct {
	mu      sync.Mutex
	objects map[string][]byte
	history map[string][]string
	puts    chan string
	refuse  func(name string) error
}

func newSink() *sink {
	return &sink{objects: map[string][]byte{}, history: map[string][]string{}, puts: make(chan string, 10_000)}
}

func (s *sink) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		if err := s.refuse(name); err != nil {
			return err
		}
	}
	s.objects[name] = data
	if path.Ext(name) == ".m3u8" {
		s.history[name] = append(s.history[name], string(data))
	}
	select {
	case s.puts <- name:
	default:
	}
	return nil
}

func (s *sink) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[name] == nil {
		return fs.ErrNotExist
	}
	delete(s.objects, name)
	return nil
}

func (s *sink) get(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.objects[name])
}

// await waits until the object of that name fulfils the condition.
func (s *sink) await(t *testing.T, name string, fulfilled func(text string) bool) {
	t.Helper()
	deadline := time.After(40 * time.Second)
	for {
		select {
		case put := <-s.puts:
			if put == name && fulfilled(s.get(name)) {
				return
			}
		case <-deadline:
			t.Fatalf("waited too long for %s; it is\n%s", name, s.get(name))
		}
	}
}

// needFFmpeg fails the test where FFmpeg is not installed.
func needFFmpeg(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatalf("these tests drive FFmpeg: %v", ErrNoFFmpeg)
	}
}

var quiet = slog.New(slog.DiscardHandler)

// small is a job that is quickly done.
func small(prefix string) Config {
	return Config{Prefix: prefix, Segment: time.Second, Ladder: Ladder{Preset: "ultrafast",
		Rungs: []Rung{{Width: 320, Height: 180, Bitrate: 300_000}, {Width: 160, Height: 90, Bitrate: 100_000}}}}
}

// track is a rendition put together again.
type track struct {
	moov      *mp4.MoovBox
	starts    []uint64 // decode times of the segments
	keys      []uint64 // decode times of the key frames
	end       uint64
	extinf    float64
	whole     []byte // header and all segments
	scale     float64
	last      string // the newest segment's address
	endlisted bool
}

// rendition reads a track as a player would: playlist, header, segments. The
// playlist is read by a library, the segments by another.
func (s *sink) rendition(t *testing.T, name string) track {
	t.Helper()
	dir := path.Dir(name)
	list, _, err := m3u8.DecodeFrom(strings.NewReader(s.get(name)), true)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	media := list.(*m3u8.MediaPlaylist)
	tr := track{endlisted: media.Closed}
	var trex *mp4.TrexBox
	for _, seg := range media.Segments[:media.Count()] {
		tr.last = path.Join(dir, seg.URI)
		tr.extinf += seg.Duration
		header := seg.Map
		if header == nil {
			header = media.Map
		}
		if trex == nil {
			init := s.objects[path.Join(dir, header.URI)]
			tr.whole = bytes.Clone(init)
			tr.moov = decode(t, init).Init.Moov
			tr.scale = float64(tr.moov.Trak.Mdia.Mdhd.Timescale)
			trex = tr.moov.Mvex.Trex
		}
		data := s.objects[tr.last]
		file := decode(t, data)
		if len(file.Segments) != 1 || len(file.Segments[0].Fragments) != 1 {
			t.Fatalf("%s is not one fragment", tr.last)
		}
		samples, err := file.Segments[0].Fragments[0].GetFullSamples(trex)
		if err != nil {
			t.Fatal(err)
		}
		tr.whole = append(tr.whole, data...)
		tr.starts = append(tr.starts, samples[0].DecodeTime)
		for _, sample := range samples {
			if !mp4.DecodeSampleFlags(sample.Flags).SampleIsNonSync {
				tr.keys = append(tr.keys, sample.DecodeTime)
			}
			tr.end = sample.DecodeTime + uint64(sample.Dur)
		}
	}
	return tr
}

func decode(t *testing.T, data []byte) *mp4.File {
	t.Helper()
	f, err := mp4.DecodeFileSR(bits.NewFixedSliceReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
