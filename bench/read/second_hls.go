package read

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/grafov/m3u8"

	"manifold/bench/finding"
)

// secondLimit is the largest playlist that is read a second time: the library
// has no bounds of its own.
const secondLimit = 1 << 20

// guarded calls a library that may panic on what it is given.
func guarded(read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it gave up: %v", r)
		}
	}()
	return read()
}

// SecondMedia reads a media playlist again with grafov/m3u8 and reports where
// the two readings differ. What that library is known not to keep (all but one
// MAP and KEY a segment, parts, date ranges, dates without a zone) is not compared.
func SecondMedia(body []byte, m *Media) []Problem {
	if len(body) > secondLimit || m.HasSkip || hasSyntaxProblem(m.Problems) {
		return nil
	}
	var p problems
	list, err := m3u8.NewMediaPlaylist(0, uint(len(m.Segments)+1))
	if err == nil {
		err = guarded(func() error { return list.Decode(*bytes.NewBuffer(bytes.Clone(body)), false) })
	}
	if err != nil {
		p.add("views-differ", finding.Line{Number: 1}, "grafov/m3u8 cannot read this playlist: %v", err)
		return p
	}
	if int(list.Count()) != len(m.Segments) {
		p.add("views-differ", finding.Line{Number: 1}, "grafov/m3u8 sees %d segments, the strict reader %d", list.Count(), len(m.Segments))
		return p
	}
	if list.SeqNo != m.Sequence {
		p.add("views-differ", m.SequenceLine, "grafov/m3u8 reads media sequence %d, the strict reader %d", list.SeqNo, m.Sequence)
	}
	if list.DiscontinuitySeq != m.DiscSequence {
		p.add("views-differ", m.DiscSeqLine, "grafov/m3u8 reads discontinuity sequence %d, the strict reader %d", list.DiscontinuitySeq, m.DiscSequence)
	}
	// The library raises the target duration to the longest segment, rounded up.
	if longest := longestOf(m); !near(list.TargetDuration, max(m.Target, longest.Truncate(time.Second))) && !near(list.TargetDuration, longest.Truncate(time.Second)+time.Second) {
		p.add("views-differ", m.TargetLine, "grafov/m3u8 reads target duration %v, the strict reader %s", list.TargetDuration, m.Target)
	}
	if list.Closed != m.Ended {
		p.add("views-differ", finding.Line{Number: 1}, "grafov/m3u8 and the strict reader disagree whether the playlist has ended")
	}
	last := len(m.Segments)
	if last > 0 && len(m.Parts) > 0 {
		last-- // the library gives it the tags of the segment that is coming
	}
	for i := range m.Segments[:last] {
		if said := differ(&m.Segments[i], list.Segments[i]); said != "" {
			p.add("views-differ", m.Segments[i].Line, "%s", said)
			break
		}
	}
	return p
}

func longestOf(m *Media) (d time.Duration) {
	for i := range m.Segments {
		d = max(d, m.Segments[i].Duration)
	}
	return d
}

func differ(s *Segment, other *m3u8.MediaSegment) string {
	if other == nil {
		return fmt.Sprintf("grafov/m3u8 has no segment %d", s.MSN)
	}
	raw := strings.TrimSpace(s.Line.Text) // the library does not expand variables
	switch {
	case other.URI != raw:
		return fmt.Sprintf("grafov/m3u8 reads the URI %q, the strict reader %q", other.URI, raw)
	case !near(other.Duration, s.Duration):
		return fmt.Sprintf("grafov/m3u8 reads a duration of %v s, the strict reader %s", other.Duration, s.Duration)
	case other.Discontinuity != s.Discontinuity:
		return fmt.Sprintf("grafov/m3u8 and the strict reader disagree about a discontinuity before segment %d", s.MSN)
	case !s.Date.IsZero() && !other.ProgramDateTime.IsZero() && (other.ProgramDateTime.Sub(s.Date)).Abs() > time.Microsecond:
		return fmt.Sprintf("grafov/m3u8 reads the date %s, the strict reader %s", other.ProgramDateTime.Format(time.RFC3339Nano), s.Date.Format(time.RFC3339Nano))
	case s.Range != nil && uint64(other.Limit) != s.Range.Length:
		return fmt.Sprintf("grafov/m3u8 reads a range of %d bytes, the strict reader %d", other.Limit, s.Range.Length)
	case s.MapStated && (other.Map == nil || !strings.Contains(s.Map.Line.Text, other.Map.URI)):
		return fmt.Sprintf("grafov/m3u8 and the strict reader disagree about EXT-X-MAP at segment %d", s.MSN)
	case s.KeyStated && other.Key == nil:
		return fmt.Sprintf("grafov/m3u8 sees no EXT-X-KEY at segment %d", s.MSN)
	}
	return ""
}

// SecondMaster reads a multivariant playlist again with grafov/m3u8.
func SecondMaster(body []byte, m *Master) []Problem {
	// The library attaches every rendition of a group to every variant.
	if len(body) > secondLimit || len(m.Variants)*len(m.Renditions) > 40_000 || hasSyntaxProblem(m.Problems) {
		return nil
	}
	var p problems
	list := m3u8.NewMasterPlaylist()
	if err := guarded(func() error { return list.Decode(*bytes.NewBuffer(bytes.Clone(body)), false) }); err != nil {
		p.add("views-differ", finding.Line{Number: 1}, "grafov/m3u8 cannot read this playlist: %v", err)
		return p
	}
	var mine []Variant
	for _, v := range m.Variants {
		if !v.Images { // unknown to the library
			mine = append(mine, v)
		}
	}
	if len(list.Variants) != len(mine) {
		p.add("views-differ", finding.Line{Number: 1}, "grafov/m3u8 sees %d variants, the strict reader %d", len(list.Variants), len(mine))
		return p
	}
	for i, v := range mine {
		other := list.Variants[i]
		raw := strings.TrimSpace(v.URILine.Text)
		switch {
		case other == nil:
			p.add("views-differ", v.Line, "grafov/m3u8 has no variant %d", i+1)
		case !v.IFrames && other.URI != raw:
			p.add("views-differ", v.URILine, "grafov/m3u8 reads the URI %q, the strict reader %q", other.URI, raw)
		case uint64(other.Bandwidth) != v.Bandwidth && v.Bandwidth <= math.MaxUint32:
			p.add("views-differ", v.Line, "grafov/m3u8 reads BANDWIDTH %d, the strict reader %d", other.Bandwidth, v.Bandwidth)
		case other.Resolution != v.Resolution || other.Codecs != strings.TrimSpace(v.Codecs):
			p.add("views-differ", v.Line, "grafov/m3u8 reads RESOLUTION %q and CODECS %q, the strict reader %q and %q", other.Resolution, other.Codecs, v.Resolution, v.Codecs)
		case !strings.Contains(v.Line.Text, "{$") && (other.Audio != v.Audio || other.Subtitles != v.Subtitles):
			p.add("views-differ", v.Line, "grafov/m3u8 reads the groups %q and %q, the strict reader %q and %q", other.Audio, other.Subtitles, v.Audio, v.Subtitles)
		default:
			continue
		}
		return p
	}
	return p
}

// near compares a library's floating-point seconds with an exact duration.
func near(seconds float64, d time.Duration) bool {
	return math.Abs(seconds-d.Seconds()) <= 1e-6+math.Abs(d.Seconds())*1e-12
}

// hasSyntaxProblem tells whether the readings may well differ because the
// document is broken, which is said already.
func hasSyntaxProblem(list []Problem) bool {
	for _, p := range list {
		switch p.Rule {
		case "hls-syntax", "dash-syntax", "hls-undefined-variable", "hls-byterange":
			return true
		}
	}
	return false
}
