package hls

import (
	"bytes"
	"time"

	"manifold/manifest"
)

// segment is a media segment: its lines begin at src[at] and end with the URI
// line of its mark.
type segment struct {
	at       uint32
	mark     uint32 // index into marks
	duration time.Duration
	flags    segmentFlags
}

// segmentFlags tell which tags a segment has.
type segmentFlags uint8

const (
	discontinuity segmentFlags = 1 << iota
	gap
	dated // EXT-X-PROGRAM-DATE-TIME
)

// cue is a line that speaks of a break, raw: src[from:to]. It stands before
// segments[segment].
type cue struct {
	from, to uint32
	segment  uint32
	tag      tag
}

func (c *compiler) cue(tg tag) {
	c.t.cues = append(c.t.cues, cue{uint32(c.from), uint32(c.to), uint32(len(c.t.segments)), tg})
}

// Timeline gives the segments of a media playlist with their times, and its
// cues; nil for a multivariant playlist. It is made when first asked for, and
// must not be changed.
func (t *Template) Timeline() *manifest.Timeline {
	if t.index.Kind != manifest.HLSMedia {
		return nil
	}
	t.timed.Do(func() { t.timeline = t.makeTimeline() })
	return t.timeline
}

// Track gives where the segments of a media playlist lie, without keeping their
// timeline; nil for a multivariant playlist.
func (t *Template) Track() *manifest.Track {
	if t.index.Kind != manifest.HLSMedia {
		return nil
	}
	return manifest.TrackOf(&t.index, t.makeTimeline())
}

func (t *Template) makeTimeline() *manifest.Timeline {
	tl := &manifest.Timeline{Tail: t.tail}
	tl.Segments = make([]manifest.Segment, len(t.segments))
	var start time.Duration
	var date time.Time
	first := -1 // the first segment with a date
	sequence := t.index.MediaSequence + t.skipped
	for i := range t.segments {
		s := &t.segments[i]
		end := t.marks[s.mark].to
		if s.flags&dated != 0 {
			if d, ok := t.dateOf(s.at, end); ok {
				if date = d; first < 0 {
					first = i
				}
			}
		}
		tl.Segments[i] = manifest.Segment{
			Sequence: sequence + uint64(i), Start: start, Duration: s.duration, Date: date,
			Dated: s.flags&dated != 0, Discontinuity: s.flags&discontinuity != 0, Gap: s.flags&gap != 0,
			From: int(s.at), To: t.lineEnd(end),
		}
		if start += s.duration; start < 0 {
			start = 1<<63 - 1
		}
		if first >= 0 {
			date = date.Add(s.duration)
		}
	}
	for i := first - 1; i >= 0; i-- {
		tl.Segments[i].Date = tl.Segments[i+1].Date.Add(-tl.Segments[i].Duration)
	}
	tl.Cues = make([]manifest.Cue, len(t.cues))
	for i, c := range t.cues {
		tl.Cues[i] = manifest.Cue{Tag: tags[c.tag].name, Raw: t.src[c.from:c.to:c.to], At: int(c.from), Segment: int(c.segment)}
	}
	return tl
}

// lineEnd is behind the line end that follows at, or the end of the source.
func (t *Template) lineEnd(at uint32) int {
	if n := bytes.IndexByte(t.src[at:], '\n'); n >= 0 {
		return int(at) + n + 1
	}
	return len(t.src)
}

// dateOf reads the EXT-X-PROGRAM-DATE-TIME among the lines src[from:to].
func (t *Template) dateOf(from, to uint32) (time.Time, bool) {
	lines := t.src[from:to]
	_, value, ok := bytes.Cut(lines, []byte("#"+tags[tagProgramDateTime].name+":"))
	if !ok {
		return time.Time{}, false
	}
	value, _, _ = bytes.Cut(value, newline)
	return date(string(bytes.TrimSpace(value)))
}

// date reads a date of ISO 8601 as section 4.4.4.6 has it. FFmpeg writes the
// zone without a colon; one that is missing is UTC.
func date(s string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
