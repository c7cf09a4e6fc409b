package pack

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/grafov/m3u8"
	"github.com/zencoder/go-dash/v3/mpd"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (run with -update to accept):\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

// listing is a media playlist as the checks below see it.
type listing struct {
	target, sequence, discontinuity int
	ended                           bool
	segments                        []listed
}

type listed struct {
	uri, header   string
	number        int // media sequence number
	discontinuity int // discontinuity sequence number
	duration      float64
	date          time.Time
}

// readListing reads a playlist line by line, on its own.
func readListing(t *testing.T, text string) listing {
	t.Helper()
	var l listing
	var next listed
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		tag, value, _ := strings.Cut(line, ":")
		switch tag {
		case "#EXTM3U":
			if i != 0 {
				t.Errorf("line %d: %s", i, line)
			}
		case "#EXT-X-TARGETDURATION":
			l.target = atoi(t, value)
		case "#EXT-X-MEDIA-SEQUENCE":
			l.sequence = atoi(t, value)
		case "#EXT-X-DISCONTINUITY-SEQUENCE":
			l.discontinuity = atoi(t, value)
			next.discontinuity = l.discontinuity
		case "#EXT-X-DISCONTINUITY":
			next.discontinuity++
			next.header, next.date = "", time.Time{}
		case "#EXT-X-MAP":
			next.header = strings.TrimSuffix(strings.TrimPrefix(value, `URI="`), `"`)
		case "#EXT-X-PROGRAM-DATE-TIME":
			d, err := time.Parse("2006-01-02T15:04:05.000Z", value)
			if err != nil {
				t.Error(err)
			}
			next.date = d
		case "#EXTINF":
			d, err := strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
			if err != nil {
				t.Error(err)
			}
			next.duration = d
		case "#EXT-X-ENDLIST":
			l.ended = true
		case "#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-PLAYLIST-TYPE":
		default:
			if strings.HasPrefix(line, "#") {
				t.Errorf("line %d: %s", i, line)
			}
			next.uri, next.number = line, l.sequence+len(l.segments)
			l.segments = append(l.segments, next)
		}
	}
	return l
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Error(err)
	}
	return n
}

// checkListing looks at one version of one playlist.
func checkListing(t *testing.T, name, text string) listing {
	t.Helper()
	l := readListing(t, text)
	if l.sequence < 1 {
		t.Errorf("%s: media sequence %d", name, l.sequence)
	}
	for i, s := range l.segments {
		if int(math.Round(s.duration)) > l.target || s.duration <= 0 {
			t.Errorf("%s: segment %d lasts %v, target %d", name, s.number, s.duration, l.target)
		}
		if !strings.Contains(name, "text-") && s.header == "" {
			t.Errorf("%s: segment %d has no header", name, s.number)
		}
		if i > 0 && !s.date.IsZero() {
			before := l.segments[i-1]
			gap := s.date.Sub(before.date) - time.Duration(before.duration*float64(time.Second))
			if s.discontinuity == before.discontinuity && gap.Abs() > time.Millisecond {
				t.Errorf("%s: date of segment %d is off by %v", name, s.number, gap)
			}
			if s.discontinuity != before.discontinuity && gap < 0 {
				t.Errorf("%s: segment %d begins %v before the one before ends", name, s.number, gap)
			}
		}
	}
	list, kind, err := m3u8.DecodeFrom(strings.NewReader(text), true)
	if err != nil || kind != m3u8.MEDIA {
		t.Fatalf("%s: grafov: %v, %v", name, kind, err)
	}
	media := list.(*m3u8.MediaPlaylist)
	// Its TargetDuration is not the playlist's: it rounds the longest EXTINF up.
	if int(media.Count()) != len(l.segments) || int(media.SeqNo) != l.sequence || media.Closed != l.ended {
		t.Errorf("%s: grafov reads %d segments, sequence %d, closed %v", name, media.Count(), media.SeqNo, media.Closed)
	}
	return l
}

// checkHistory follows one playlist over all its versions: what a player
// that reloads it sees.
func checkHistory(t *testing.T, name string, versions [][]byte) {
	t.Helper()
	seen := map[int]listed{}
	var before listing
	for v, text := range versions {
		l := checkListing(t, name, string(text))
		if v > 0 {
			if l.target != before.target {
				t.Errorf("%s: target duration %d after %d", name, l.target, before.target)
			}
			if l.sequence < before.sequence || l.discontinuity < before.discontinuity {
				t.Errorf("%s: sequence %d/%d after %d/%d", name, l.sequence, l.discontinuity, before.sequence, before.discontinuity)
			}
			if l.sequence+len(l.segments) < before.sequence+len(before.segments) {
				t.Errorf("%s: the end goes back", name)
			}
		}
		for _, s := range l.segments {
			if old, ok := seen[s.number]; ok && old != s {
				t.Errorf("%s: segment %d was %+v and is %+v", name, s.number, old, s)
			}
			seen[s.number] = s
		}
		before = l
	}
}

// checkMedia reads every listed segment and compares it with the manifests.
func checkMedia(t *testing.T, s *sink, prefix string) {
	t.Helper()
	for name, data := range s.objects {
		if path.Base(name) != "index.m3u8" {
			continue
		}
		dir := path.Dir(name)
		text := strings.Contains(name, "/text-")
		ends := map[int]uint64{}
		var total, real float64
		for _, seg := range checkListing(t, name, string(data)).segments {
			object, ok := s.objects[path.Join(dir, seg.uri)]
			if !ok {
				t.Errorf("%s lists %s, which is not there", name, seg.uri)
				continue
			}
			if text {
				if !bytes.HasPrefix(object, []byte("WEBVTT\n")) {
					t.Errorf("%s: %q", seg.uri, object)
				}
				seg.uri = strings.TrimSuffix(seg.uri, ".vtt") + ".m4s"
				seg.header = path.Join(path.Dir(seg.uri), "init.mp4")
				object = s.objects[path.Join(dir, seg.uri)]
			}
			init := parse(t, s.objects[path.Join(dir, seg.header)])
			trak := init.Init.Moov.Trak
			file := parse(t, object)
			if len(file.Segments) != 1 || len(file.Segments[0].Fragments) != 1 {
				t.Fatalf("%s: not one fragment", seg.uri)
			}
			frag := file.Segments[0].Fragments[0]
			samples, err := frag.GetFullSamples(init.Init.Moov.Mvex.Trex)
			if err != nil || len(samples) == 0 {
				t.Fatalf("%s: %d samples, %v", seg.uri, len(samples), err)
			}
			if trak.Mdia.Hdlr.HandlerType == "vide" && !isSync(samples[0]) {
				t.Errorf("%s does not begin with a key frame", seg.uri)
			}
			start, end := samples[0].DecodeTime, samples[0].DecodeTime
			for _, sample := range samples {
				if sample.DecodeTime != end {
					t.Errorf("%s: a gap at %d", seg.uri, end)
				}
				end += uint64(sample.Dur)
			}
			if last, ok := ends[seg.discontinuity]; ok && last != start {
				t.Errorf("%s begins at %d, the one before ends at %d", seg.uri, start, last)
			}
			ends[seg.discontinuity] = end
			scale := float64(trak.Mdia.Mdhd.Timescale)
			if d := float64(end-start) / scale; math.Abs(d-seg.duration) > 2e-6 {
				t.Errorf("%s lasts %v, EXTINF %v", seg.uri, d, seg.duration)
			}
			total += seg.duration
			real += float64(end-start) / scale
		}
		if math.Abs(total-real) > 2e-6*float64(len(ends)) {
			t.Errorf("%s: EXTINF add up to %v, the media to %v", name, total, real)
		}
	}
	checkMPD(t, s, prefix)
}

func parse(t *testing.T, data []byte) *mp4.File {
	t.Helper()
	f, err := mp4.DecodeFileSR(bits.NewFixedSliceReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// checkMPD compares the MPD with the segments: every number it gives is
// there and begins where the timeline says.
func checkMPD(t *testing.T, s *sink, prefix string) {
	t.Helper()
	text := s.get(path.Join(prefix, "manifest.mpd"))
	m, err := mpd.ReadFromString(text)
	if err != nil {
		t.Fatalf("go-dash: %v in\n%s", err, text)
	}
	periodEnd := -1.0
	for _, period := range m.Periods {
		start := time.Duration(*period.Start).Seconds()
		if start < periodEnd-1e-6 {
			t.Errorf("period %s begins at %v, the one before ends at %v", period.ID, start, periodEnd)
		}
		for _, set := range period.AdaptationSets {
			number := *set.SegmentTemplate.StartNumber
			scale := *set.SegmentTemplate.Timescale
			var at uint64
			for _, e := range set.SegmentTemplate.SegmentTimeline.Segments {
				if e.StartTime != nil {
					at = *e.StartTime
				}
				n := 1
				if e.RepeatCount != nil {
					n += *e.RepeatCount
				}
				for range n {
					for _, rep := range set.Representations {
						name := strings.NewReplacer("$RepresentationID$", *rep.ID, "$Number$", fmt.Sprint(number)).Replace(*set.SegmentTemplate.Media)
						data := s.objects[path.Join(prefix, name)]
						if data == nil {
							t.Fatalf("%s is not there", name)
						}
						if got := parse(t, data).Segments[0].Fragments[0].Moof.Traf.Tfdt.BaseMediaDecodeTime(); got != at {
							t.Errorf("%s begins at %d, the timeline says %d", name, got, at)
						}
						init := strings.ReplaceAll(*set.SegmentTemplate.Initialization, "$RepresentationID$", *rep.ID)
						if s.objects[path.Join(prefix, init)] == nil {
							t.Errorf("%s is not there", init)
						}
					}
					at += e.Duration
					number++
				}
			}
			if end := start + float64(at)/float64(scale); *set.ID == "1" {
				periodEnd = end
			}
		}
	}
	if *m.Type == "static" {
		if d := parseSeconds(t, *m.MediaPresentationDuration); math.Abs(d-periodEnd) > 1e-6 {
			t.Errorf("duration %v, the media %v", d, periodEnd)
		}
	}
}

var secondsSyntax = regexp.MustCompile(`^PT([0-9.]+)S$`)

func parseSeconds(t *testing.T, s string) float64 {
	t.Helper()
	m := secondsSyntax.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("duration %q", s)
	}
	d, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
