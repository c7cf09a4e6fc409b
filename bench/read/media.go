package read

import (
	"bytes"
	"net/url"
	"strings"
	"time"

	"manifold/bench/finding"
)

// Media is a media playlist as it stands, with its mistakes.
type Media struct {
	Version        int
	Target         time.Duration // 0: not said
	Sequence       uint64
	DiscSequence   uint64
	HasDiscSeq     bool
	Type           string // VOD, EVENT or empty
	Ended          bool
	IFramesOnly    bool
	PartTarget     time.Duration // 0: no EXT-X-PART-INF
	Control        *ServerControl
	Skipped        uint64 // segments that EXT-X-SKIP stands for
	HasSkip        bool
	Segments       []Segment
	Parts          []Part // of the segment that is not complete
	OpenDSN        uint64 // its discontinuity sequence number
	Hints          []Hint
	Reports        []RenditionReport
	DateRanges     []DateRange
	Problems       []Problem
	Lines          []finding.Line
	TargetLine     finding.Line
	SequenceLine   finding.Line
	DiscSeqLine    finding.Line
	PartTargetLine finding.Line
	ControlLine    finding.Line
}

// ServerControl is EXT-X-SERVER-CONTROL (rfc8216bis, section 4.4.3.8).
type ServerControl struct {
	CanSkipUntil, HoldBack, PartHoldBack time.Duration
	CanBlockReload, CanSkipDateRanges    bool
}

// Segment is one media segment with all that is in force for it.
type Segment struct {
	MSN, DSN      uint64
	URI           string // variables expanded, not resolved
	Line          finding.Line
	Block         finding.Line // the first line of the segment's own tags
	Inf           finding.Line
	Duration      time.Duration
	Discontinuity bool
	Date          time.Time // said, or zero
	DateLine      finding.Line
	Map           *Map
	MapStated     bool
	Keys          []Key
	KeyStated     bool
	Range         *Range
	Gap           bool
	Parts         []Part
}

// Map is EXT-X-MAP with the keys it was stated under.
type Map struct {
	URI   string
	Range *Range
	Line  finding.Line
	Keys  []Key
}

// Key is EXT-X-KEY.
type Key struct {
	Method, URI, IV, Format string
	Line                    finding.Line
}

// Part is EXT-X-PART.
type Part struct {
	URI              string
	Duration         time.Duration
	Independent, Gap bool
	Range            *Range
	Line             finding.Line
}

// Hint is EXT-X-PRELOAD-HINT.
type Hint struct {
	Type, URI string
	Start     uint64
	Line      finding.Line
}

// RenditionReport is EXT-X-RENDITION-REPORT.
type RenditionReport struct {
	URI      string
	LastMSN  uint64
	LastPart int // -1: not said
	Line     finding.Line
}

// DateRange is EXT-X-DATERANGE with all its attributes.
type DateRange struct {
	ID         string
	Attrs      map[string]string
	Start, End time.Time
	Duration   time.Duration // -1: not known
	Line       finding.Line
}

// Last is the newest complete segment, or nil.
func (m *Media) Last() *Segment {
	if len(m.Segments) == 0 {
		return nil
	}
	return &m.Segments[len(m.Segments)-1]
}

// End is the media sequence number after the last listed segment.
func (m *Media) End() uint64 {
	return m.Sequence + m.Skipped + uint64(len(m.Segments))
}

// Live tells whether more may come.
func (m *Media) Live() bool { return !m.Ended && m.Type != "VOD" }

// Environment is what a playlist may refer to.
type Environment struct {
	// URL is the playlist's own address (EXT-X-DEFINE:QUERYPARAM), Defined the
	// multivariant playlist's variables (IMPORT).
	URL     *url.URL
	Defined map[string]string
}

// ParseMedia reads a media playlist. It always returns one: what could not be
// read is among its problems.
func ParseMedia(body []byte, env Environment) *Media {
	r := mediaReader{m: &Media{Version: 1}}
	if env.URL != nil {
		r.vars.query, _ = url.ParseQuery(env.URL.RawQuery)
	}
	r.vars.imported = env.Defined
	r.m.Lines = lines(body, &r.p)
	header(r.m.Lines, &r.p)
	for _, l := range r.m.Lines {
		if len(r.m.Segments) > MaxSegments {
			r.p.add("hls-syntax", l, "more than %d segments", MaxSegments)
			break
		}
		r.line(l)
	}
	r.end()
	checkMedia(r.m, &r.p, bytes.Contains(body, []byte(".m4s")) || bytes.Contains(body, []byte(".cmf")))
	r.m.Problems = r.p
	return r.m
}

// header checks the first line (RFC 8216, section 4.3.1.1).
func header(lines []finding.Line, p *problems) {
	if len(lines) == 0 || strings.TrimRight(lines[0].Text, " \t") != "#EXTM3U" {
		p.add("hls-syntax", finding.Line{Number: 1}, "the first line is not #EXTM3U")
	}
}

type mediaReader struct {
	m    *Media
	p    problems
	vars variables
	seen map[string]bool

	next      Segment // what stands before the next URI
	hasInf    bool
	began     bool // next has a first line
	dsn       uint64
	keys      []Key
	mapping   *Map
	lastRange map[string]uint64
	lastURI   string
}

func (r *mediaReader) line(l finding.Line) {
	text := strings.TrimRight(l.Text, " \t")
	switch {
	case text == "":
	case strings.HasPrefix(text, "#EXT"):
		tag, value, hasValue := strings.Cut(text, ":")
		r.tag(l, tag, value, hasValue)
	case text[0] == '#':
	default:
		r.uri(l, text)
	}
}

// once reports a tag that may stand only once.
func (r *mediaReader) once(tag string, l finding.Line) {
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	if r.seen[tag] {
		r.p.add("hls-syntax", l, "%s stands twice", tag)
	}
	r.seen[tag] = true
}

// early reports a tag that must stand before the first segment.
func (r *mediaReader) early(tag string, l finding.Line) {
	if len(r.m.Segments) > 0 {
		r.p.add("hls-syntax", l, "%s must stand before the first segment", tag)
	}
}

func (r *mediaReader) number(tag, value string, l finding.Line) uint64 {
	n, ok := integer(value)
	if !ok {
		r.p.add("hls-syntax", l, "%q is no decimal integer for %s", value, tag)
	}
	return n
}

func (r *mediaReader) seconds(what, value string, l finding.Line) time.Duration {
	d, ok := seconds(value)
	if !ok {
		r.p.add("hls-syntax", l, "%q is no number of seconds for %s", value, what)
	}
	return d
}

// block marks the beginning of the next segment's own lines.
func (r *mediaReader) block(l finding.Line) {
	if !r.began {
		r.next.Block, r.began = l, true
	}
}

func (r *mediaReader) uri(l finding.Line, text string) {
	if !r.hasInf {
		r.p.add("hls-syntax", l, "a URI without #EXTINF before it")
		if len(r.m.Segments) == 0 && r.m.Target == 0 {
			return
		}
	}
	r.block(l)
	s := r.next
	s.URI, s.Line = r.vars.expand(text, l, &r.p), l
	s.MSN = r.m.Sequence + r.m.Skipped + uint64(len(r.m.Segments))
	s.DSN, s.Map, s.Keys, s.Parts = r.dsn+r.m.DiscSequence, r.mapping, r.keys, r.m.Parts
	if s.Range != nil && s.Range.Offset == noOffset {
		if r.lastURI != s.URI || r.lastRange == nil {
			r.p.add("hls-byterange", l, "EXT-X-BYTERANGE without an offset, and the segment before is not of this resource")
		}
		s.Range.Offset = r.lastRange[s.URI]
	}
	if s.Range != nil {
		r.lastRange, r.lastURI = map[string]uint64{s.URI: s.Range.Offset + s.Range.Length}, s.URI
	} else {
		r.lastRange, r.lastURI = nil, ""
	}
	r.m.Segments = append(r.m.Segments, s)
	r.m.Parts = nil
	r.next, r.hasInf, r.began = Segment{}, false, false
}

func (r *mediaReader) end() {
	r.m.OpenDSN = r.dsn + r.m.DiscSequence
	if r.hasInf {
		r.p.add("hls-syntax", r.next.Inf, "#EXTINF without a URI after it")
	}
}

// noOffset marks a byte range that goes on where the one before ended.
const noOffset = 1<<64 - 1
