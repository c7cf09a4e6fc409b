package read

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// addressingNode is the element that says how segments are addressed.
func addressingNode(n *node) *node {
	for _, name := range []string{"SegmentTemplate", "SegmentList", "SegmentBase"} {
		if c := n.first(name); c != nil {
			return c
		}
	}
	return nil
}

// addressing merges the levels, nearest first (ISO/IEC 23009-1, section
// 5.3.9.1), and lists the segments.
func (r *mpdReader) addressing(p *Period, period, set, rep *node, of *Representation) *Addressing {
	levels := []*node{rep, set, period}
	a := &Addressing{
		Timescale: r.number("timescale", 1, levels...), PTO: r.number("presentationTimeOffset", 0, levels...),
		StartNumber: r.number("startNumber", 1, levels...), Duration: r.number("duration", 0, levels...),
		Media: text("media", levels...), Init: text("initialization", levels...),
		Incomplete: text("availabilityTimeComplete", levels...) == "false", Line: lineOf(levels...),
	}
	if a.Timescale == 0 || a.Timescale > 1<<40 {
		r.p.add("dash-syntax", a.Line, "a timescale of %d", a.Timescale)
		a.Timescale = 1
	}
	a.Offset = availabilityOffset(text("availabilityTimeOffset", levels...))
	var timeline, list *node
	kind := ""
	for _, n := range levels {
		if n == nil {
			continue
		}
		if kind == "" {
			kind = n.name
		}
		if timeline == nil {
			timeline = n.first("SegmentTimeline")
		}
		if list == nil && n.name == "SegmentList" && len(n.all("SegmentURL")) > 0 {
			list = n
		}
		if in := n.first("Initialization"); in != nil && a.Init == "" {
			a.Init, a.InitRange = in.attr("sourceURL"), in.attr("range")
		}
	}
	if timeline != nil {
		a.Timeline = true
		r.timeline(a, timeline, p)
	}
	switch {
	case kind == "" || kind == "SegmentBase":
		a.Single = true
	case kind == "SegmentList":
		r.list(a, list)
	case kind == "SegmentTemplate":
		for _, t := range []string{a.Media, a.Init} {
			if err := checkTemplate(t); err != nil {
				r.p.add("dash-template", a.Line, "%v", err)
			}
		}
		if a.Media == "" {
			r.p.add("dash-template", a.Line, "SegmentTemplate without media")
		}
		if !a.Timeline && a.Duration == 0 {
			r.p.add("dash-required", a.Line, "SegmentTemplate of %s has neither SegmentTimeline nor duration", of.ID)
		}
	}
	return a
}

// timeline expands S elements (ISO/IEC 23009-1, section 5.3.9.6).
func (r *mpdReader) timeline(a *Addressing, n *node, p *Period) {
	list := n.all("S")
	var at uint64
	number := a.StartNumber
	for i, s := range list {
		d := r.number("d", 0, s)
		if d == 0 || d > 1<<50 {
			r.p.add("dash-required", s.line, "an S element without a duration")
			return
		}
		if s.has("t") {
			t := r.number("t", at, s)
			if i > 0 && t != at {
				gap := a.Seconds(int64(t) - int64(at))
				switch {
				case gap > timelineSlack:
					r.p.add("dash-timeline-gap", s.line, "a hole of %s before t=%d", gap, t)
				case gap < -timelineSlack:
					r.p.add("dash-timeline-overlap", s.line, "t=%d lies %s before the end of the segment before", t, -gap)
				}
			}
			at = t
		}
		if s.has("n") {
			number = r.number("n", number, s)
		}
		repeat := int64(0)
		if s.has("r") {
			v, err := strconv.ParseInt(s.attr("r"), 10, 64)
			if err != nil {
				r.p.add("dash-syntax", s.line, "r is no number: %q", s.attr("r"))
			}
			repeat = v
		}
		if repeat < 0 {
			repeat = r.fill(a, p, list, i, at, d)
		}
		for k := int64(0); k <= repeat; k++ {
			if r.n++; r.n > MaxSegments {
				if r.n == MaxSegments+1 {
					r.p.add("dash-syntax", s.line, "more than %d segments", MaxSegments)
				}
				return
			}
			a.Entries = append(a.Entries, Entry{Number: number, Time: at, Duration: d, Line: s.line})
			at += d
			number++
		}
	}
}

// fill is how often an S with a negative r repeats: until the next S, or the
// end of the Period; where that is open, the timeline is.
func (r *mpdReader) fill(a *Addressing, p *Period, list []*node, i int, at, d uint64) int64 {
	if i+1 < len(list) && list[i+1].has("t") {
		if next := r.number("t", at, list[i+1]); next > at+d {
			return int64((next-at+d-1)/d) - 1
		}
		return 0
	}
	if p.End < 0 || r.m.Dynamic() {
		// In a dynamic MPD it also ends with the next update: what is there says
		// the clock.
		a.Open = true
		return 0
	}
	scale := float64(a.Timescale)
	end := a.PTO + uint64((p.End-p.Start).Seconds()*scale+0.5)
	if end > at+d {
		return int64((end-at+d-1)/d) - 1
	}
	return 0
}

func (r *mpdReader) list(a *Addressing, n *node) {
	if n == nil {
		r.p.add("dash-required", a.Line, "SegmentList without SegmentURL")
		return
	}
	urls := n.all("SegmentURL")
	timed := a.Entries
	a.Entries = nil
	for i, u := range urls {
		if r.n++; r.n > MaxSegments {
			r.p.add("dash-syntax", u.line, "more than %d segments", MaxSegments)
			return
		}
		// Segment k lasts from (k-1) durations on (5.3.9.5.3): a list whose oldest
		// entries left has a higher startNumber.
		number := a.StartNumber + uint64(i)
		e := Entry{Number: number, Time: a.PTO + (max(number, 1)-1)*a.Duration, Duration: a.Duration, Line: u.line}
		if a.StartNumber == 0 {
			e.Time += min(number, 1) * a.Duration
		}
		if a.Timeline && i < len(timed) {
			e.Time, e.Duration = timed[i].Time, timed[i].Duration
		}
		e.URL, e.Range = u.attr("media"), u.attr("mediaRange")
		a.Entries = append(a.Entries, e)
	}
}

var (
	identifier = regexp.MustCompile(`\$([A-Za-z]*)(%0[0-9]{1,2}d)?\$`)
	known      = map[string]bool{"": true, "RepresentationID": true, "Number": true, "Time": true, "Bandwidth": true, "SubNumber": true}
)

func checkTemplate(t string) error {
	if strings.Count(t, "$")%2 != 0 {
		return fmt.Errorf("an odd number of $ in %q", t)
	}
	for _, m := range identifier.FindAllStringSubmatch(t, -1) {
		if !known[m[1]] {
			return fmt.Errorf("unknown identifier %s in %q", m[0], t)
		}
	}
	if rest := identifier.ReplaceAllString(t, ""); strings.Contains(rest, "$") {
		return fmt.Errorf("an identifier that cannot be read in %q", t)
	}
	return nil
}

// expand fills a template (ISO/IEC 23009-1, section 5.3.9.4.4).
func (rep *Representation) expand(t string, e Entry) string {
	return identifier.ReplaceAllStringFunc(t, func(s string) string {
		m := identifier.FindStringSubmatch(s)
		var n uint64
		switch m[1] {
		case "":
			return "$"
		case "RepresentationID":
			return rep.ID
		case "Number":
			n = e.Number
		case "Time":
			n = e.Time
		case "Bandwidth":
			n = rep.Bandwidth
		default:
			return s
		}
		if m[2] == "" {
			return strconv.FormatUint(n, 10)
		}
		return fmt.Sprintf(m[2], n)
	})
}

// SegmentURI is a segment's address relative to a base; it is empty where the
// base itself is the resource.
func (rep *Representation) SegmentURI(e Entry) string {
	if e.URL != "" || rep.Addressing.Media == "" {
		return e.URL
	}
	return rep.expand(rep.Addressing.Media, e)
}

// InitURI is the initialisation's address relative to a base.
func (rep *Representation) InitURI() string { return rep.expand(rep.Addressing.Init, Entry{}) }

// Resolve makes an address of a reference relative to the base.
func (b Base) Resolve(ref string) (string, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return "", err
	}
	if b.URL == nil {
		return u.String(), nil
	}
	return b.URL.ResolveReference(u).String(), nil
}
