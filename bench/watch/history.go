package watch

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// fact is what was published under a media sequence number.
type fact struct {
	dsn      uint64
	uri      string // without tokens, absolute
	duration time.Duration
	disc     bool
	date     time.Time // said, or reckoned from the last that was
	said     bool      // the date is the segment's own
	mapping  string
	keys     string
	pos      time.Duration // on the track's own timeline, from its first segment
	reload   int
	line     int
}

// Tolerances between versions.
const (
	dateRounding = 10 * time.Millisecond // of a date that is said twice
	dateReckoned = 500 * time.Millisecond
)

// compare holds a version against the versions before; older tells that it
// comes from an edge that is allowed to lag.
func (t *track) compare(m *read.Media) (older bool) {
	p := t.prev
	if p == nil {
		return false
	}
	older = t.w.cfg.Edges > 1 && t.lagging(m, p)
	if !older {
		t.headers(m, p)
	}
	back := !older && m.Sequence < p.Sequence
	if back {
		t.say("hls-media-sequence-back", fmt.Sprintf("EXT-X-MEDIA-SEQUENCE went back from %d to %d", p.Sequence, m.Sequence), p.SequenceLine, m.SequenceLine)
	}
	if !older && m.DiscSequence < p.DiscSequence {
		t.say("hls-discontinuity-sequence-back", fmt.Sprintf("EXT-X-DISCONTINUITY-SEQUENCE went back from %d to %d", p.DiscSequence, m.DiscSequence), p.DiscSeqLine, m.DiscSeqLine)
	}
	if shift, lines := t.shift(m); shift != 0 && !back {
		t.say("hls-media-sequence-wrong", fmt.Sprintf("every listed segment stands %+d from the number it had before: EXT-X-MEDIA-SEQUENCE is %d and was %d", shift, m.Sequence, p.Sequence), lines[0], m.SequenceLine)
		t.forget()
		return false
	}
	t.segments(m)
	if !older && !back && m.End() < p.End() {
		e := evidence{said: fmt.Sprintf("the playlist ended with segment %d and ends with %d now", p.End()-1, m.End()-1)}
		if last := p.Last(); last != nil {
			e.before = []finding.Line{last.Line}
		}
		t.w.add("hls-segment-vanished", t.doc, t.prevN, e)
	}
	if back {
		t.forget()
	}
	return older
}

// lagging tells whether a version is one that another edge may still have: it
// ends a segment sooner at most.
func (t *track) lagging(m, p *read.Media) bool {
	switch {
	case m.End() > p.End() || m.End() == p.End() && len(m.Parts) >= len(p.Parts):
		return false
	case m.End()+1 < p.End():
		return false
	}
	return m.Sequence+1 >= p.Sequence
}

// say records a finding with a line before and after.
func (t *track) say(rule finding.ID, said string, before, after finding.Line) {
	t.w.add(rule, t.doc, t.prevN, evidence{said: said, before: []finding.Line{before}, after: []finding.Line{after}})
}

// headers compares what stands before the segments.
func (t *track) headers(m, p *read.Media) {
	if m.Target != p.Target {
		t.say("hls-target-changed", fmt.Sprintf("EXT-X-TARGETDURATION was %s and is %s", p.Target, m.Target), p.TargetLine, m.TargetLine)
	}
	if m.PartTarget != p.PartTarget && p.PartTarget > 0 {
		t.say("ll-part-target-changed", fmt.Sprintf("PART-TARGET was %s and is %s", p.PartTarget, m.PartTarget), p.PartTargetLine, m.PartTargetLine)
	}
	if p.Control != nil && !sameControl(p.Control, m.Control) && p.Live() && m.Live() {
		t.say("ll-part-target-changed", "EXT-X-SERVER-CONTROL changed", p.ControlLine, m.ControlLine)
	}
	switch {
	case p.Ended && !m.Ended:
		t.w.add("hls-ended-resumed", t.doc, t.prevN, evidence{said: "EXT-X-ENDLIST is gone"})
	case (p.Ended || p.Type == "VOD") && (m.End() != p.End() || m.Sequence != p.Sequence):
		t.w.add("hls-ended-resumed", t.doc, t.prevN, evidence{said: fmt.Sprintf("segments %d to %d became %d to %d", p.Sequence, p.End(), m.Sequence, m.End())})
	case p.Type == "EVENT" && m.Sequence > p.Sequence:
		t.say("hls-event-changed", fmt.Sprintf("%d segments left an EVENT playlist", m.Sequence-p.Sequence), p.SequenceLine, m.SequenceLine)
	case m.Type != "" && m.Sequence > p.Sequence && p.Live():
		t.w.add("hls-playlist-type", t.doc, t.prevN, evidence{said: fmt.Sprintf("EXT-X-PLAYLIST-TYPE is %s and %d segments left", m.Type, m.Sequence-p.Sequence)})
	case m.Type != p.Type && p.Live() && m.Live():
		t.w.add("hls-playlist-type", t.doc, t.prevN, evidence{said: fmt.Sprintf("EXT-X-PLAYLIST-TYPE was %q and became %q", p.Type, m.Type)})
	}
	if left := m.Sequence - p.Sequence; m.Sequence > p.Sequence && m.Live() && m.Type == "" && m.Target > 0 {
		t.window(m, left)
	}
	t.dateRanges(m, p)
}

// window: segments must not leave where less than three target durations would
// stay (rfc8216bis, section 6.2.2). A stream that begins may be shorter.
func (t *track) window(m *read.Media, left uint64) {
	var whole time.Duration
	for i := range m.Segments {
		whole += m.Segments[i].Duration
	}
	if whole < 3*m.Target && len(m.Segments) > 0 {
		t.w.add("hls-short-window", t.doc, t.prevN, evidence{said: fmt.Sprintf("%d segments left, and %d of %s in all stay; three target durations are %s", left, len(m.Segments), whole, 3*m.Target), after: []finding.Line{m.TargetLine}})
	}
}

func sameControl(a, b *read.ServerControl) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// dateRanges: attributes stay, and a range stays while its segments are listed
// (rfc8216bis, sections 4.4.5.1 and 6.2.1).
func (t *track) dateRanges(m, p *read.Media) {
	if len(p.DateRanges) == 0 {
		return
	}
	now := map[string]*read.DateRange{}
	for i := range m.DateRanges {
		d := &m.DateRanges[i]
		if now[d.ID] == nil {
			now[d.ID] = d
		}
	}
	first := firstDate(m)
	for i := range p.DateRanges {
		d := &p.DateRanges[i]
		n := now[d.ID]
		if n == nil {
			if !first.IsZero() && !d.Start.IsZero() && d.Start.Add(max(d.Duration, 0)).After(first.Add(time.Second)) && m.Sequence >= p.Sequence {
				t.w.add("hls-daterange-changed", t.doc, t.prevN, evidence{said: fmt.Sprintf("date range %s left while its segments are listed", d.ID), before: []finding.Line{d.Line}})
			}
			continue
		}
		for name, was := range d.Attrs {
			if is, ok := n.Attrs[name]; ok && is != was && t.w.tokens.strip(is) != t.w.tokens.strip(was) {
				t.say("hls-daterange-changed", fmt.Sprintf("%s of date range %s was %q and is %q", name, d.ID, was, is), d.Line, n.Line)
			}
		}
	}
}

func firstDate(m *read.Media) time.Time {
	var offset time.Duration
	for i := range m.Segments {
		if s := &m.Segments[i]; !s.Date.IsZero() {
			return s.Date.Add(-offset)
		}
		offset += m.Segments[i].Duration
	}
	return time.Time{}
}

// shift finds whether all listed segments moved by one number of places: then
// the media sequence number is wrong, not each of the segments.
func (t *track) shift(m *read.Media) (by int64, lines [2]finding.Line) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if len(t.facts) == 0 || len(m.Segments) < 2 {
		return 0, lines
	}
	number := map[string]uint64{}
	again := map[string]bool{}
	for n, f := range t.facts {
		if _, dup := number[f.uri]; dup {
			again[f.uri] = true
		}
		number[f.uri] = n
	}
	common, votes := 0, map[int64]int{}
	for i := range m.Segments {
		s := &m.Segments[i]
		uri := t.identify(s)
		had, ok := number[uri]
		if !ok || again[uri] {
			continue
		}
		common++
		votes[int64(s.MSN)-int64(had)]++
	}
	for d, n := range votes {
		if d != 0 && n == common && n >= 2 {
			return d, [2]finding.Line{t.prev.SequenceLine}
		}
	}
	return 0, lines
}

// identify is what a segment is: its address without tokens, and its range.
func (t *track) identify(s *read.Segment) string {
	uri := t.w.tokens.strip(resolve(t.base, s.URI))
	if s.Range != nil {
		uri += fmt.Sprintf(" %d@%d", s.Range.Length, s.Range.Offset)
	}
	return uri
}

func (t *track) mapOf(s *read.Segment) string {
	if s.Map == nil {
		return ""
	}
	id := t.w.tokens.strip(resolve(t.base, s.Map.URI))
	if s.Map.Range != nil {
		id += fmt.Sprintf(" %d@%d", s.Map.Range.Length, s.Map.Range.Offset)
	}
	return id
}

func (t *track) keysOf(s *read.Segment) string {
	var b strings.Builder
	for _, k := range s.Keys {
		if k.Method == "NONE" {
			continue
		}
		fmt.Fprintf(&b, "%s %s %s %s;", k.Method, k.Format, t.w.tokens.strip(resolve(t.base, k.URI)), k.IV)
	}
	return b.String()
}

// segments compares what is listed with what was listed under its numbers.
func (t *track) segments(m *read.Media) {
	t.w.mu.Lock()
	old := t.facts
	t.w.mu.Unlock()
	var date time.Time
	for i := range m.Segments {
		s := &m.Segments[i]
		if !s.Date.IsZero() {
			date = s.Date
		}
		if had := old[s.MSN]; had != nil {
			t.sameSegment(m, s, had, date)
		}
		if !date.IsZero() {
			date = date.Add(s.Duration)
		}
	}
	t.sameParts(m)
}

func (t *track) sameSegment(m *read.Media, s *read.Segment, had *fact, date time.Time) {
	was := func(n int) []finding.Line { return lineOf(t.prevLines, n) }
	differ := func(rule finding.ID, format string, args ...any) {
		t.w.add(rule, t.doc, had.reload, evidence{said: fmt.Sprintf("segment %d: ", s.MSN) + fmt.Sprintf(format, args...), before: was(had.line), after: []finding.Line{s.Line}})
	}
	switch uri := t.identify(s); {
	case uri == had.uri:
	case moved(had.uri, uri):
		differ("hls-segment-moved", "from %s to %s", hostOf(had.uri), hostOf(uri))
	default:
		differ("hls-segment-uri-changed", "the URI was %s and is %s", had.uri, uri)
	}
	if (s.Duration - had.duration).Abs() > time.Millisecond {
		t.w.add("hls-segment-duration-changed", t.doc, had.reload, evidence{said: fmt.Sprintf("segment %d: the duration was %s and is %s", s.MSN, had.duration, s.Duration), before: was(had.line), after: []finding.Line{s.Inf, s.Line}})
	}
	if s.DSN != had.dsn {
		t.w.add("hls-discontinuity-number-changed", t.doc, had.reload, evidence{said: fmt.Sprintf("segment %d: the discontinuity sequence number was %d and is %d", s.MSN, had.dsn, s.DSN), before: was(had.line), after: []finding.Line{m.DiscSeqLine, s.Line}})
	}
	if !date.IsZero() && !had.date.IsZero() {
		tolerance := dateReckoned
		if had.said && !s.Date.IsZero() {
			tolerance = dateRounding
		}
		if d := date.Sub(had.date); d.Abs() > tolerance {
			after := []finding.Line{s.DateLine, s.Line}
			t.w.add("hls-date-changed", t.doc, had.reload, evidence{said: fmt.Sprintf("segment %d: the date moved by %s, from %s to %s", s.MSN, d, had.date.UTC().Format(isoMillis), date.UTC().Format(isoMillis)), before: was(had.line), after: after})
		}
	}
	if mapping := t.mapOf(s); mapping != had.mapping && !moved(had.mapping, mapping) {
		differ("hls-map-changed", "EXT-X-MAP was %q and is %q", had.mapping, mapping)
	}
	if keys := t.keysOf(s); keys != had.keys {
		differ("hls-key-changed", "EXT-X-KEY was %q and is %q", had.keys, keys)
	}
}

// moved tells whether two addresses name the same file on different hosts.
func moved(was, is string) bool {
	a, errA := url.Parse(was)
	b, errB := url.Parse(is)
	return errA == nil && errB == nil && a.Host != b.Host && path.Base(a.Path) == path.Base(b.Path)
}

const isoMillis = "2006-01-02T15:04:05.000Z"

// remember takes a version into the track's history, and shows others where
// it ends.
func (t *track) remember(m *read.Media, res *client.Result, older bool) {
	now := t.w.cfg.Now()
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	var date time.Time
	fresh := false
	for i := range m.Segments {
		s := &m.Segments[i]
		if !s.Date.IsZero() {
			date = s.Date
		}
		if t.facts[s.MSN] == nil {
			f := &fact{dsn: s.DSN, uri: t.identify(s), duration: s.Duration, disc: s.Discontinuity, date: date, said: !s.Date.IsZero(), mapping: t.mapOf(s), keys: t.keysOf(s), reload: t.doc.version()}
			if before := t.facts[s.MSN-1]; before != nil {
				f.pos = before.pos + before.duration
			}
			t.facts[s.MSN] = f
			t.doc.segments++
			fresh = fresh || s.MSN >= t.high
		}
		// What changed was said; the next version is held against this one.
		f := t.facts[s.MSN]
		f.line, f.dsn, f.uri, f.duration, f.mapping, f.keys = s.Line.Number, s.DSN, t.identify(s), s.Duration, t.mapOf(s), t.keysOf(s)
		if !date.IsZero() && (date.Sub(f.date).Abs() > dateReckoned || !s.Date.IsZero() && !f.said) {
			f.date, f.said = date, !s.Date.IsZero()
		}
		if !date.IsZero() {
			date = date.Add(s.Duration)
		}
	}
	if len(m.Segments) > 0 {
		if t.high == 0 {
			t.low = m.Sequence
		}
		t.high = max(t.high, m.End())
	}
	if keep := max(uint64(len(m.Segments)), 1000); t.high > keep+1000 || len(t.facts) > maxHistory {
		for t.low+keep+1000 < t.high || len(t.facts) > maxHistory && t.low < t.high {
			delete(t.facts, t.low)
			t.low++
		}
	}
	if older {
		return
	}
	if fresh || t.prev == nil || m.End() == t.prev.End() && len(m.Parts) > len(t.prev.Parts) {
		if t.prev != nil {
			t.interval = min(now.Sub(t.view.began), 10*time.Second)
		}
		t.newestAt = now
	}
	v := view{loaded: true, began: res.Begin, target: m.Target, partTarget: m.PartTarget, control: m.Control, kind: m.Type, live: m.Live(), end: m.End(), parts: len(m.Parts), edge: date, dated: !date.IsZero(), marks: t.view.marks}
	v.marks = append(v.marks, mark{now, m.End(), len(m.Parts)})
	if len(v.marks) > 64 {
		v.marks = v.marks[len(v.marks)-64:]
	}
	t.view = v
	if !date.IsZero() && m.Live() {
		behind := now.Sub(date).Seconds()
		t.doc.edge = &behind
	}
	if t.pathway == "" && len(m.Segments) > 0 {
		t.pathway = hostOf(resolve(t.base, m.Segments[0].URI))
		t.w.offer(t.pathway)
	}
}

// forget drops the history: numbers have lost their meaning.
func (t *track) forget() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	clear(t.facts)
	t.low, t.high = 0, 0
}
