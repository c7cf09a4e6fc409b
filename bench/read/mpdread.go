package read

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"manifold/bench/finding"
)

// ParseMPD reads an MPD that was fetched from at. It always returns one: what
// could not be read is among its problems.
func ParseMPD(body []byte, at *url.URL) *MPD {
	m := &MPD{Type: "static"}
	r := mpdReader{m: m}
	root := tree(body, &r.p)
	m.Broken = len(r.p) > 0
	switch {
	case root == nil:
	case root.name != "MPD":
		r.p.add("dash-syntax", root.line, "the root element is %s", root.name)
	default:
		r.mpd(root, at)
		checkMPD(m, &r.p)
	}
	m.Problems = r.p
	return m
}

type mpdReader struct {
	m *MPD
	p problems
	n int // segments so far
}

func (r *mpdReader) mpd(n *node, at *url.URL) {
	m := r.m
	m.Line, m.ID, m.Profiles = n.line, n.attr("id"), n.attr("profiles")
	if t := n.attr("type"); t != "" {
		m.Type = t
		if t != "static" && t != "dynamic" {
			r.p.add("dash-syntax", n.line, "%q is no type of an MPD", t)
		}
	}
	m.AvailabilityStart, m.AvailabilityStartSaid = r.date(n, "availabilityStartTime")
	m.Publish, m.PublishSaid = r.date(n, "publishTime")
	m.Duration = r.duration(n, "mediaPresentationDuration")
	m.MinUpdate = r.duration(n, "minimumUpdatePeriod")
	m.TimeShift = r.duration(n, "timeShiftBufferDepth")
	m.Delay = r.duration(n, "suggestedPresentationDelay")
	m.MinBuffer = r.duration(n, "minBufferTime")
	m.MaxSegment = r.duration(n, "maxSegmentDuration")
	for _, b := range n.all("BaseURL") {
		m.BaseURLs = append(m.BaseURLs, r.baseURL(b))
	}
	for _, l := range n.all("Location") {
		m.Locations = append(m.Locations, Location{l.text, l.attr("serviceLocation"), l.line})
	}
	for _, l := range n.all("PatchLocation") {
		m.Patches = append(m.Patches, Location{l.text, l.attr("serviceLocation"), l.line})
	}
	for _, t := range n.all("UTCTiming") {
		m.Timings = append(m.Timings, Timing{t.attr("schemeIdUri"), t.attr("value"), t.line})
	}
	if s := n.first("ContentSteering"); s != nil {
		m.Steering = &Steering{Server: s.text, Default: strings.Fields(s.attr("defaultServiceLocation")), BeforeStart: s.attr("queryBeforeStart") == "true", Line: s.line}
	}
	bases := r.bases([]Base{{URL: at}}, n)
	nodes := n.all("Period")
	for i, c := range nodes {
		p := &Period{Index: i, ID: c.attr("id"), Duration: r.duration(c, "duration"), Start: -1, End: -1, Line: c.line}
		if c.has("start") {
			p.Start = r.duration(c, "start")
		} else if i == 0 {
			p.Start = 0
		} else if prev := m.Periods[i-1]; prev.Duration >= 0 {
			p.Start = prev.Start + prev.Duration
		} else if m.Type == "dynamic" {
			// An early available Period (5.3.2.1): its time is not known yet.
			p.Start = -1
		} else {
			r.p.add("dash-required", c.line, "Period %s has no start, and the Period before no duration", p.ID)
			p.Start = max(prev.End, prev.Start)
		}
		m.Periods = append(m.Periods, p)
	}
	for i, p := range m.Periods {
		switch {
		case p.Start < 0:
		case p.Duration >= 0:
			p.End = p.Start + p.Duration
		case i+1 < len(m.Periods) && m.Periods[i+1].Start >= 0:
			p.End = m.Periods[i+1].Start
		case i+1 == len(m.Periods) && m.Duration >= 0:
			p.End = m.Duration
		}
		r.period(p, nodes[i], bases)
	}
}

func (r *mpdReader) period(p *Period, n *node, bases []Base) {
	if n.has("href") || hasXlink(n) {
		return // remote elements are not followed
	}
	bases = r.bases(bases, n)
	for _, s := range n.all("EventStream") {
		es := EventStream{Scheme: s.attr("schemeIdUri"), Value: s.attr("value"), Line: s.line}
		for _, e := range s.all("Event") {
			es.Events = append(es.Events, Event{e.attr("id"), e.attr("presentationTime"), e.attr("duration"), squeeze(e.attr("messageData") + e.inner), e.line})
		}
		p.Streams = append(p.Streams, es)
	}
	for _, a := range n.all("AdaptationSet") {
		set := &AdaptationSet{ID: a.attr("id"), Type: a.attr("contentType"), Lang: a.attr("lang"), Line: a.line}
		if set.Type == "" {
			set.Type, _, _ = strings.Cut(a.attr("mimeType"), "/")
		}
		setBases := r.bases(bases, a)
		shared := map[*node]*Addressing{}
		for _, c := range a.all("Representation") {
			rep := &Representation{ID: c.attr("id"), Codecs: orParent(c, a, "codecs"), Mime: orParent(c, a, "mimeType"),
				Width: orParent(c, a, "width"), Height: orParent(c, a, "height"), Line: c.line, Bases: r.bases(setBases, c)}
			rep.Bandwidth, _ = integer(c.attr("bandwidth"))
			own := addressingNode(c)
			if own == nil && shared[nil] != nil {
				rep.Addressing = shared[nil]
			} else {
				rep.Addressing = r.addressing(p, addressingNode(n), addressingNode(a), own, rep)
				if own == nil {
					shared[nil] = rep.Addressing
				}
			}
			if set.Type == "" {
				set.Type, _, _ = strings.Cut(rep.Mime, "/")
			}
			set.Reps = append(set.Reps, rep)
		}
		p.Sets = append(p.Sets, set)
	}
}

func hasXlink(n *node) bool {
	for _, a := range n.attrs {
		if a.Name.Local == "href" && strings.Contains(a.Name.Space, "xlink") {
			return true
		}
	}
	return false
}

func orParent(n, parent *node, name string) string {
	if n.has(name) {
		return n.attr(name)
	}
	return parent.attr(name)
}

func (r *mpdReader) baseURL(n *node) BaseURL {
	b := BaseURL{URL: n.text, Location: n.attr("serviceLocation"), Line: n.line}
	b.Offset = availabilityOffset(n.attr("availabilityTimeOffset"))
	return b
}

// availabilityOffset reads an availabilityTimeOffset; INF is Always.
func availabilityOffset(s string) time.Duration {
	if s == "INF" {
		return Always
	}
	d, _ := seconds(s)
	return min(d, Always)
}

// bases resolves the BaseURL elements of n against each of parent
// (ISO/IEC 23009-1, section 5.6.4): alternatives multiply, within bounds.
func (r *mpdReader) bases(parent []Base, n *node) []Base {
	list := n.all("BaseURL")
	if len(list) == 0 {
		return parent
	}
	var out []Base
	for _, c := range list {
		b := r.baseURL(c)
		ref, err := url.Parse(b.URL)
		if err != nil {
			r.p.add("dash-syntax", c.line, "BaseURL cannot be read: %q", b.URL)
			continue
		}
		for _, up := range parent {
			if len(out) >= 64 {
				return out
			}
			x := Base{URL: ref, Location: b.Location, Offset: min(b.Offset+up.Offset, Always)}
			if up.URL != nil {
				x.URL = up.URL.ResolveReference(ref)
			}
			if x.Location == "" {
				x.Location = up.Location
			}
			out = append(out, x)
			if ref.IsAbs() {
				break // all parents lead to the same address
			}
		}
	}
	if len(out) == 0 {
		return parent
	}
	return out
}

func (r *mpdReader) date(n *node, name string) (time.Time, bool) {
	if !n.has(name) {
		return time.Time{}, false
	}
	t, ok := date(n.attr(name))
	if !ok {
		r.p.add("dash-syntax", n.line, "%s is no date: %q", name, n.attr(name))
	}
	return t, ok
}

func (r *mpdReader) duration(n *node, name string) time.Duration {
	if !n.has(name) {
		return -1
	}
	d, ok := isoDuration(n.attr(name))
	if !ok {
		r.p.add("dash-syntax", n.line, "%s is no duration: %q", name, n.attr(name))
		return -1
	}
	return d
}

var durationForm = regexp.MustCompile(`^(-?)P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,7})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,10})M)?(?:(\d{1,12}(?:\.\d{1,18})?)S)?)?$`)

// isoDuration reads an xs:duration; years and months have their mean length.
func isoDuration(s string) (time.Duration, bool) {
	f := durationForm.FindStringSubmatch(strings.TrimSpace(s))
	if f == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") || f[1] == "-" {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{365*24*time.Hour + 6*time.Hour, 730*time.Hour + 30*time.Minute, 24 * time.Hour, time.Hour, time.Minute} {
		if f[i+2] != "" {
			n, err := strconv.ParseInt(f[i+2], 10, 64)
			if err != nil || n > int64(1<<62/unit) {
				return 0, false
			}
			d += time.Duration(n) * unit
		}
	}
	if f[7] != "" {
		s, ok := seconds(f[7])
		if !ok {
			return 0, false
		}
		d += s
	}
	return d, d >= 0
}

// number reads an unsigned attribute of the nearest level that has it.
func (r *mpdReader) number(name string, otherwise uint64, levels ...*node) uint64 {
	for _, n := range levels {
		if n == nil || !n.has(name) {
			continue
		}
		v, ok := integer(n.attr(name))
		if !ok || v > 1<<62 {
			r.p.add("dash-syntax", n.line, "%s is no number: %q", name, n.attr(name))
			return otherwise
		}
		return v
	}
	return otherwise
}

func text(name string, levels ...*node) string {
	for _, n := range levels {
		if n != nil && n.has(name) {
			return n.attr(name)
		}
	}
	return ""
}

func lineOf(levels ...*node) finding.Line {
	for _, n := range levels {
		if n != nil {
			return n.line
		}
	}
	return finding.Line{}
}
