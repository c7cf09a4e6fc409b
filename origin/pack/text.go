package pack

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Cue is one subtitle, on screen from Start until End of the run's media time.
type Cue struct {
	Start, End time.Duration
	Text       string
}

// CueSource gives the cues of a text track. Cues are asked for a segment at a
// time, in order; start and end are the segment's media times in its run,
// wall is the time of day at its start (zero where the presentation is not
// live). Cues are returned in order, not overlapping, within start and end. A
// cue that lasts over a boundary is given once for each segment.
type CueSource interface {
	Cues(start, end time.Duration, wall time.Time) []Cue
}

// cleanCues drops what would break the container: cues out of place or order,
// blank lines and arrows in the text (WebVTT, section 4.1).
func cleanCues(cues []Cue, start, end time.Duration) []Cue {
	clean := cues[:0:0]
	at := start
	for _, c := range cues {
		c.Start, c.End = max(c.Start, at), min(c.End, end)
		c.Text = strings.TrimSpace(strings.ReplaceAll(c.Text, "\r", ""))
		for strings.Contains(c.Text, "\n\n") {
			c.Text = strings.ReplaceAll(c.Text, "\n\n", "\n")
		}
		c.Text = strings.ReplaceAll(c.Text, "-->", "->")
		if c.Text == "" || c.End <= c.Start {
			continue
		}
		clean = append(clean, c)
		at = c.End
	}
	return clean
}

// webVTT writes a segment of HLS subtitles. X-TIMESTAMP-MAP ties cue times to
// the media time of the run, which begins at 0 (RFC 8216, section 3.5).
func webVTT(cues []Cue) []byte {
	b := []byte("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n")
	for _, c := range cues {
		b = fmt.Appendf(b, "\n%s --> %s\n%s\n", timestamp(c.Start), timestamp(c.End), c.Text)
	}
	return b
}

func timestamp(d time.Duration) string {
	ms := d.Round(time.Millisecond).Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// wvttInit is the header of a text track as ISO/IEC 14496-30 has it.
func wvttInit(timescale uint32, language string) ([]byte, error) {
	init := mp4.CreateEmptyInit()
	entry := mp4.NewWvttBox()
	entry.AddChild(&mp4.VttCBox{Config: "WEBVTT"})
	init.AddEmptyTrack(timescale, "wvtt", language).Mdia.Minf.Stbl.Stsd.AddChild(entry)
	var b bytes.Buffer
	if err := init.Encode(&b); err != nil {
		return nil, fmt.Errorf("cannot make text header: %w", err)
	}
	return b.Bytes(), nil
}

// wvttSegment writes cues as samples that cover the segment without a gap:
// where there is no cue stands an empty one (vtte).
func wvttSegment(number int64, s segment, timescale uint32, cues []Cue) ([]byte, error) {
	ticks := func(d time.Duration) uint64 {
		sec, rest := uint64(d/time.Second), uint64(d%time.Second)
		t := sec*uint64(timescale) + (rest*uint64(timescale)+uint64(time.Second)/2)/uint64(time.Second)
		return min(max(t, s.start), s.end())
	}
	var samples []mp4.FullSample
	add := func(from, to uint64, box mp4.Box) error {
		if to <= from {
			return nil
		}
		sw := bits.NewFixedSliceWriter(int(box.Size()))
		if err := box.EncodeSW(sw); err != nil {
			return fmt.Errorf("cannot make cue: %w", err)
		}
		data := sw.Bytes()
		samples = append(samples, mp4.FullSample{
			Sample:     mp4.Sample{Flags: mp4.SyncSampleFlags, Dur: uint32(to - from), Size: uint32(len(data))},
			DecodeTime: from,
			Data:       data,
		})
		return nil
	}
	at := s.start
	for _, c := range cues {
		from, to := ticks(c.Start), ticks(c.End)
		if err := add(at, from, &mp4.VtteBox{}); err != nil {
			return nil, err
		}
		cue := &mp4.VttcBox{}
		cue.AddChild(&mp4.PaylBox{CueText: c.Text})
		if err := add(from, to, cue); err != nil {
			return nil, err
		}
		at = max(at, to)
	}
	if err := add(at, s.end(), &mp4.VtteBox{}); err != nil {
		return nil, err
	}
	return encodeSegment(number, 1, samples)
}
