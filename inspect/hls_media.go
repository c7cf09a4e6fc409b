package inspect

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"manifold/manifest"
	"manifold/manifest/hls"
)

// Media is what a media playlist holds.
type Media struct {
	Version int  `json:"version"`
	Live    bool `json:"live"`
	// Type is the EXT-X-PLAYLIST-TYPE: VOD, EVENT or "".
	Type                string  `json:"type,omitempty"`
	Target              Seconds `json:"target_seconds"`
	IndependentSegments bool    `json:"independent_segments,omitempty"`
	IFramesOnly         bool    `json:"i_frames_only,omitempty"`

	// First and Last are media sequence numbers.
	First                 uint64 `json:"first_sequence"`
	Last                  uint64 `json:"last_sequence"`
	DiscontinuitySequence uint64 `json:"discontinuity_sequence,omitempty"`
	Segments              int    `json:"segments"`
	// Skipped is what EXT-X-SKIP stands for, in a delta update.
	Skipped         uint64  `json:"skipped,omitempty"`
	Window          Seconds `json:"window_seconds"`
	Shortest        Seconds `json:"shortest_seconds"`
	Longest         Seconds `json:"longest_seconds"`
	Discontinuities int     `json:"discontinuities"`
	Gaps            int     `json:"gaps"`
	ByteRanges      int     `json:"byte_ranges"`

	// Dated counts the segments with a date of their own. Starts is the date of
	// the first segment, Edge where the last one ends, parts included; Age is
	// how long ago that is, where a live playlist was just fetched.
	Dated  int        `json:"dated"`
	Starts *time.Time `json:"starts,omitempty"`
	Edge   *time.Time `json:"edge,omitempty"`
	Age    *Seconds   `json:"age_seconds,omitempty"`

	LowLatency *LowLatency `json:"low_latency,omitempty"`
	Keys       []Key       `json:"keys,omitempty"`
	Maps       int         `json:"maps"`
	// Hosts are where the URIs lead: hosts, or "relative".
	Hosts  []Count `json:"hosts,omitempty"`
	Cues   []Cue   `json:"cues,omitempty"`
	Ranges []Range `json:"date_ranges,omitempty"`
	// Variables are the names of EXT-X-DEFINE.
	Variables []string `json:"variables,omitempty"`

	List []Segment `json:"list"`

	track *manifest.Track
}

// LowLatency is what a playlist with parts says of itself; what it does not
// say is zero.
type LowLatency struct {
	PartTarget     Seconds `json:"part_target_seconds"`
	Parts          int     `json:"parts"`
	HoldBack       Seconds `json:"hold_back_seconds,omitempty"`
	PartHoldBack   Seconds `json:"part_hold_back_seconds,omitempty"`
	SkipUntil      Seconds `json:"can_skip_until_seconds,omitempty"`
	BlockingReload bool    `json:"can_block_reload,omitempty"`
	Hints          []Count `json:"preload_hints,omitempty"`
	Reports        int     `json:"rendition_reports,omitempty"`
}

// Segment is a media segment.
type Segment struct {
	Sequence      uint64     `json:"sequence"`
	Start         Seconds    `json:"start_seconds"`
	Duration      Seconds    `json:"duration_seconds"`
	Date          *time.Time `json:"date,omitempty"`
	Discontinuity bool       `json:"discontinuity,omitempty"`
	Gap           bool       `json:"gap,omitempty"`
}

// Cue is a line that speaks of a break, as raw as it stands there.
type Cue struct {
	Line int    `json:"line"`
	Tag  string `json:"tag"`
	// At is the media time of the segment that the line stands before.
	At   Seconds    `json:"at_seconds"`
	Date *time.Time `json:"date,omitempty"`
	Raw  string     `json:"raw"`
}

// Range is an EXT-X-DATERANGE, its tags of one ID put together.
type Range struct {
	Line  int        `json:"line"`
	ID    string     `json:"id"`
	Class string     `json:"class,omitempty"`
	Start *time.Time `json:"start,omitempty"`
	// At is the media time of its start; nil where the playlist has no dates.
	At *Seconds `json:"at_seconds,omitempty"`
	// Duration is what is said, or planned, or follows from its end; 0 where
	// it is open.
	Duration Seconds `json:"duration_seconds,omitempty"`
	Planned  bool    `json:"planned,omitempty"`
	SCTE35   bool    `json:"scte35,omitempty"`
	// Asset is X-ASSET-URI or X-ASSET-LIST of an interstitial.
	Asset string `json:"asset,omitempty"`
}

// mediaReader reads a media playlist line by line for what its template does
// not tell, and checks it on the way.
type mediaReader struct {
	tagChecker
	versions versions
	m        *Media
	target   int64 // EXT-X-TARGETDURATION, 0 without

	segment  segmentState
	count    int // segments so far
	discos   int
	lastDate time.Time // where the next segment should begin, by dates
	keys     map[Key]int
	hosts    tally
	ranges   map[string]int
	attrs    map[string]map[string]string // of date ranges, by ID
	hints    tally
	hintAt   map[string]int
	parts    partState
	control  []attribute
	controls int // the line of EXT-X-SERVER-CONTROL
	partInf  int
	endList  int
	dated    bool
	start    *line
	startAt  float64
	keyed    keyState
}

// segmentState is what stands before the next URI line.
type segmentState struct {
	extinf   int // the line of EXTINF, or 0
	duration time.Duration
	disco    int
	date     time.Time
	dateLine int
	ranged   bool
	open     bool // a byte range without an offset
	lastURI  string
	last     bool // the segment before is a byte range
}

// readMedia reads a media playlist that compiled.
func readMedia(t *hls.Template, now *time.Time) (*Media, []Problem) {
	src := string(t.Source())
	tl := t.Timeline()
	m := &Media{Version: 1, Live: t.Index().Live, Segments: len(tl.Segments), Window: Seconds(t.Index().Window), track: manifest.TrackOf(t.Index(), tl)}
	r := &mediaReader{m: m, versions: versions{declared: 1}, keys: map[Key]int{}, ranges: map[string]int{}, attrs: map[string]map[string]string{}, hintAt: map[string]int{}}
	r.kind = inMedia
	r.text(src)
	for lines := newLineReader(src); lines.next(); {
		l := &lines.line
		_, all := r.check(l)
		if l.tag == "" {
			r.uri(l)
		} else {
			r.tag(l, all)
		}
	}
	r.describe(tl, src)
	r.finish(now)
	return m, r.sorted()
}

// tag takes a tag's line.
func (r *mediaReader) tag(l *line, all []attribute) {
	r.versions.tag(l, all)
	m := r.m
	n, _ := strconv.ParseUint(l.value, 10, 64)
	here := at{l.number, l.indent + 1, ""}
	switch l.tag {
	case "EXT-X-VERSION":
		r.versions.declared, r.versions.line = int(min(n, math.MaxInt32)), l.number
		m.Version = r.versions.declared
	case "EXT-X-TARGETDURATION":
		r.target = int64(min(n, math.MaxInt32))
		m.Target = Seconds(time.Duration(r.target) * time.Second)
		if n == 0 && matchesForm(formInteger, l.value) {
			r.add(here, hlsRule(Error, "4.4.3.1", "write the longest EXTINF, rounded"), "", "a target duration of 0")
		}
	case "EXT-X-MEDIA-SEQUENCE":
		r.early(l)
	case "EXT-X-DISCONTINUITY-SEQUENCE":
		m.DiscontinuitySequence = n
		if r.early(l); r.discos > 0 {
			r.add(here, hlsRule(Error, "4.4.3.3", "move it up"), "", "EXT-X-DISCONTINUITY-SEQUENCE stands behind an EXT-X-DISCONTINUITY")
		}
	case "EXT-X-PLAYLIST-TYPE":
		if m.Type = l.value; l.value != "VOD" && l.value != "EVENT" {
			r.add(here, hlsRule(Error, "4.4.3.5", "write VOD or EVENT"), "", "EXT-X-PLAYLIST-TYPE is "+short(l.value))
		}
	case "EXT-X-INDEPENDENT-SEGMENTS":
		m.IndependentSegments = true
	case "EXT-X-I-FRAMES-ONLY":
		m.IFramesOnly = true
	case "EXT-X-ENDLIST":
		r.endList = l.number
	case "EXT-X-START":
		start := *l
		r.start = &start
		r.startAt, _ = strconv.ParseFloat(valueOf(all, "TIME-OFFSET"), 64)
	case "EXT-X-DEFINE":
		for _, name := range [...]string{"NAME", "IMPORT", "QUERYPARAM"} {
			if v := valueOf(all, name); v != "" {
				m.Variables = append(m.Variables, v)
			}
		}
		r.define(l, all)
	case "EXT-X-SKIP":
		m.Skipped, _ = strconv.ParseUint(valueOf(all, "SKIPPED-SEGMENTS"), 10, 64)
	case "EXT-X-DATERANGE":
		r.dateRange(l, all)
	case "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-PART", "EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT":
		r.lowLatency(l, all)
	default:
		r.segmentTag(l, all)
	}
}

// early checks that a tag stands before the first segment.
func (r *mediaReader) early(l *line) {
	if r.count > 0 {
		r.add(at{l.number, 1, ""}, hlsRule(Error, hlsTags[l.tag].clause, "move it to the top"), "", l.tag+" stands behind the first segment")
	}
}

// host counts where a URI leads.
func (r *mediaReader) host(uri string) {
	r.hosts.add(hostOf(uri))
}

// hostOf is the host of a reference, "relative" where it has none, or the
// scheme of one that is no http.
func hostOf(ref string) string {
	if i := strings.IndexAny(ref, ":/?#"); i < 0 || ref[i] != ':' && !strings.HasPrefix(ref, "//") {
		return "relative"
	}
	u, err := url.Parse(ref)
	switch {
	case strings.Contains(ref, "{$"):
		return "variable"
	case err != nil:
		return "unreadable"
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https":
		return u.Scheme + ":"
	case u.Host != "":
		return u.Host
	}
	return "relative"
}

// describe takes what the template tells of the segments and cues.
func (r *mediaReader) describe(tl *manifest.Timeline, src string) {
	m := r.m
	m.List = make([]Segment, len(tl.Segments))
	for i := range tl.Segments {
		s := &tl.Segments[i]
		m.List[i] = Segment{s.Sequence, Seconds(s.Start), Seconds(s.Duration), dateOrNil(s.Date), s.Discontinuity, s.Gap}
		if i == 0 || Seconds(s.Duration) < m.Shortest {
			m.Shortest = Seconds(s.Duration)
		}
		m.Longest = max(m.Longest, Seconds(s.Duration))
		m.Discontinuities += count(s.Discontinuity)
		m.Gaps += count(s.Gap)
		m.Dated += count(s.Dated)
	}
	if n := len(tl.Segments); n > 0 {
		first, last := &tl.Segments[0], &tl.Segments[n-1]
		m.First, m.Last = first.Sequence, last.Sequence
		m.Starts = dateOrNil(first.Date)
		if !last.Date.IsZero() {
			m.Edge = dateOrNil(last.Date.Add(last.Duration + r.parts.open))
		}
	}
	at, number := 0, 1
	for _, c := range tl.Cues {
		number += strings.Count(src[at:c.At], "\n")
		at = c.At
		if c.Tag == "EXT-X-DATERANGE" {
			continue
		}
		cue := Cue{Line: number, Tag: c.Tag, Raw: string(c.Raw), At: m.Window}
		if c.Segment < len(tl.Segments) {
			s := &tl.Segments[c.Segment]
			cue.At, cue.Date = Seconds(s.Start), dateOrNil(s.Date)
		} else if m.Edge != nil {
			cue.Date = m.Edge
		}
		m.Cues = append(m.Cues, cue)
	}
	for i := range m.Ranges {
		if g := &m.Ranges[i]; g.Start != nil && m.Starts != nil {
			at := Seconds(g.Start.Sub(*m.Starts))
			g.At = &at
		}
	}
}

// dateOrNil gives a date in UTC; nil where there is none, or none that JSON
// knows (RFC 3339 has four digits for the year).
func dateOrNil(t time.Time) *time.Time {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// finish checks what only the whole playlist tells.
func (r *mediaReader) finish(now *time.Time) {
	m := r.m
	m.Hosts, m.Keys = r.hosts.list, r.listKeys()
	if m.Maps > 0 {
		if m.IFramesOnly {
			r.versions.need(5, "EXT-X-MAP", r.keyed.mapAt)
		} else {
			r.versions.need(6, "EXT-X-MAP", r.keyed.mapAt)
		}
	}
	r.versions.check(&r.findings)
	top := at{1, 1, ""}
	if _, ok := r.first["EXT-X-TARGETDURATION"]; !ok {
		r.add(top, hlsRule(Error, "4.4.3.1", "write the longest EXTINF, rounded"), "", "there is no EXT-X-TARGETDURATION")
	}
	if s := &r.segment; s.extinf > 0 {
		r.add(at{s.extinf, 1, ""}, hlsRule(Error, "4.4.4.1", "add the URI, or remove the tag"), "", "no URI line follows EXTINF")
	}
	if m.Type == "VOD" && m.Live {
		r.add(at{r.first["EXT-X-PLAYLIST-TYPE"], 1, ""}, hlsRule(Error, "6.2.1", "add #EXT-X-ENDLIST"), "", "a VOD playlist without EXT-X-ENDLIST: players wait for more")
	}
	if m.Segments == 0 && m.Skipped == 0 && r.parts.count == 0 {
		r.add(top, hlsRule(Warning, "6.2.1", ""), "", "the playlist lists no segments")
	}
	r.window()
	r.checkStart()
	r.finishLowLatency()
	r.finishRanges()
	if now == nil || m.Edge == nil || !m.Live {
		return
	}
	age := Seconds(now.Sub(*m.Edge))
	m.Age = &age
	if limit := 3 * m.Target; m.Target > 0 && age > limit {
		r.add(at{}, hlsRule(Warning, "6.2.1", "see whether the encoder runs, and whether a cache holds the playlist too long"), "",
			fmt.Sprintf("the live edge is %s old: a version with a new segment is due every 1.5 target durations", span(time.Duration(age))))
	} else if age < -Seconds(time.Second) && m.LowLatency == nil && age < -m.Target {
		r.add(at{}, hlsRule(Warning, "4.4.4.6", "see whether the clocks agree"), "", "the live edge is "+span(time.Duration(-age))+" in the future by its dates")
	}
}

// rounding is what the EXTINF of audio may be short of whole seconds.
const rounding = Seconds(500 * time.Millisecond)

// window checks the length of a live playlist. One that begins with segment 0
// or 1 has just started.
func (r *mediaReader) window() {
	m := r.m
	if m.Live && m.Type == "" && m.Skipped == 0 && m.First > 1 && m.Target > 0 && m.Segments > 0 && m.Window+rounding < 3*m.Target {
		r.add(at{}, hlsRule(Error, "6.2.2", "list more segments"), "",
			fmt.Sprintf("a live playlist of %s is shorter than three target durations (%s)", span(time.Duration(m.Window)), span(time.Duration(3*m.Target))))
	}
}

// checkStart checks EXT-X-START against the playlist's length.
func (r *mediaReader) checkStart() {
	m := r.m
	if r.start == nil || m.Segments == 0 || m.Skipped > 0 {
		return
	}
	here := at{r.start.number, 1, ""}
	window := time.Duration(m.Window).Seconds()
	target := time.Duration(m.Target).Seconds()
	if math.Abs(r.startAt) > window+0.001 {
		r.add(here, hlsRule(Warning, "4.4.2.2", "choose an offset within it"), "", fmt.Sprintf("TIME-OFFSET=%v is beyond the playlist's %s", r.startAt, span(time.Duration(m.Window))))
		return
	}
	left := -r.startAt
	if r.startAt >= 0 {
		left = window - r.startAt
	}
	if m.Live && left < 3*target {
		r.add(here, hlsRule(Warning, "4.4.2.2", "start further back"), "", "EXT-X-START is within three target durations of the live edge")
	}
}

// define checks EXT-X-DEFINE beyond what the compiler refuses.
func (c *tagChecker) define(l *line, all []attribute) {
	names := 0
	for _, name := range [...]string{"NAME", "IMPORT", "QUERYPARAM"} {
		if find(all, name) != nil {
			names++
		}
	}
	if names > 1 {
		c.add(at{l.number, 1, ""}, hlsRule(Error, "4.4.2.3", "keep one of them"), "", "EXT-X-DEFINE has more than one of NAME, IMPORT and QUERYPARAM")
	}
	if find(all, "IMPORT") != nil && c.kind == inMultivariant {
		c.add(at{l.number, 1, ""}, hlsRule(Error, "4.4.2.3", "use NAME and VALUE"), "", "EXT-X-DEFINE with IMPORT in a multivariant playlist")
	}
}
