package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// page writes an MPD.
func (m *MPD) page(p *page) {
	p.end()
	p.field("id", m.ID)
	p.field("published", clock(m.Published))
	p.field("available", when(m.AvailableFrom != nil, "from "+clock(m.AvailableFrom)), when(m.AvailableUntil != nil, "until "+clock(m.AvailableUntil)))
	p.field("timing", when(m.Duration > 0, "lasts "+spanOf(m.Duration)), when(m.UpdatePeriod > 0, "updated every "+spanOf(m.UpdatePeriod)),
		when(m.Window > 0, "window "+spanOf(m.Window)), when(m.Delay > 0, "delay "+spanOf(m.Delay)), when(m.Latency > 0, "latency target "+spanOf(m.Latency)),
		when(m.Buffer > 0, "buffer "+spanOf(m.Buffer)))
	if m.Edge != nil {
		age := ""
		if m.Age != nil {
			age = spanOf(*m.Age) + " ago"
		}
		p.field("live edge", clock(m.Edge), age)
	}
	for _, t := range m.Timing {
		p.field("clock", strings.TrimPrefix(t.Scheme, "urn:mpeg:dash:utc:"), withoutQuery(t.Value))
	}
	for _, l := range m.Locations {
		p.field("location", withoutQuery(l))
	}
	for _, l := range m.PatchLocations {
		p.field("patches", withoutQuery(l))
	}
	for _, b := range m.BaseURLs[:min(len(m.BaseURLs), maxShown)] {
		p.field("base URL", cmp.Or(withoutQuery(b.URL), "(empty)"), when(b.ServiceLocation != "", "service location "+b.ServiceLocation), when(b.In != "MPD", "in "+b.In))
	}
	steeringField(p, m.Steering)
	keyFields(p, "protection", m.Keys)
	p.field("remote", when(m.Remote > 0, number(m.Remote, "element is", "elements are")+" to be fetched from elsewhere (xlink)"))
	m.periodPages(p)
}

// periodPages writes the Periods; one that is made like an earlier one says so
// instead of saying the same again.
func (m *MPD) periodPages(p *page) {
	seen := make(map[string]int)
	for i := range m.Periods {
		if i == maxShown {
			p.end()
			p.put(faint, fmt.Sprintf("and %d more Periods (--json has all)", len(m.Periods)-maxShown))
			p.end()
			break
		}
		d := &m.Periods[i]
		times := "from " + stamp(d.Start)
		if d.Duration > 0 {
			times = stamp(d.Start) + " to " + stamp(d.Start+d.Duration)
		}
		p.heading(fmt.Sprintf("Period %d", i+1), strings.Join(some([]string{when(d.ID != "", "id "+d.ID), times,
			when(d.Asset != "", "asset "+d.Asset), number(len(d.Sets), "AdaptationSet", "AdaptationSets")}), " · "))
		make := d.makeUp()
		if first, ok := seen[make]; ok && len(d.Sets) > 0 {
			p.put(faint, fmt.Sprintf("  its streams are those of Period %d", first))
			p.end()
			for j := range d.Sets {
				s := &d.Sets[j]
				if j == 0 || s.Kind != d.Sets[j-1].Kind {
					p.put(plain, "  "+fit(s.Kind+": "+s.segmentsText(), pageWidth-2))
					p.end()
				}
			}
		} else {
			seen[make] = i + 1
			for j := range d.Sets[:min(len(d.Sets), maxShown)] {
				d.Sets[j].page(p)
			}
			p.more(len(d.Sets))
		}
		for j := range d.Events {
			d.Events[j].page(p)
		}
	}
}

// makeUp is what two Periods share whose streams are alike.
func (d *Period) makeUp() string {
	var b strings.Builder
	for i := range d.Sets {
		s := &d.Sets[i]
		fmt.Fprintln(&b, s.ID, s.Kind, s.Mime, s.Language, s.Roles, s.Channels, s.Protection)
		for _, r := range s.Representations {
			fmt.Fprintln(&b, r.ID, r.Bitrate, r.Width, r.Height, r.Codecs, r.FrameRate, r.Range)
		}
	}
	return b.String()
}

// page writes an AdaptationSet.
func (s *Set) page(p *page) {
	name := s.Kind
	if name == "" || name == "unknown" {
		name = "stream"
	}
	facts := some([]string{s.Language, strings.Join(s.Roles, " "), when(s.Channels != "", s.Channels+" ch"), s.Mime,
		when(len(s.Protection) > 0, "protected: "+strings.Join(s.Protection, " ")), when(len(s.Inband) > 0, "in-band events: "+strings.Join(s.Inband, " "))})
	p.put(plain, "  ")
	p.put(strong, fit(strings.TrimSpace(name+" "+s.ID), 40))
	if len(facts) > 0 {
		p.put(plain, "  "+fit(strings.Join(facts, " · "), pageWidth-6-len(name)-len(s.ID)))
	}
	p.end()
	if text := s.segmentsText(); text != "" {
		p.put(faint, "    "+fit(text, pageWidth-4))
		p.end()
	}
	rows := make([][]string, len(s.Representations))
	for i, r := range s.Representations {
		fps := ""
		if r.FrameRate > 0 {
			fps = strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(r.FrameRate, 'f', 3, 64), "0"), ".") + " fps"
		}
		rows[i] = []string{r.ID, picture(&r), bitrate(r.Bitrate), fps, r.Range, r.Codecs}
	}
	columns := []column{{least: 10}, {}, {right: true}, {right: true}, {}, {least: 12}}
	if !slices.ContainsFunc(s.Representations, func(r Stream) bool { return r.Range != "" && r.Range != "SDR" }) {
		for i := range rows {
			rows[i][4] = "" // nothing but SDR
		}
	}
	p.table(4, columns, rows)
}

// segmentsText says how the segments are found, and which there are.
func (s *Set) segmentsText() string {
	length := ""
	if s.Longest > 0 {
		length = " of " + spanOf(s.Longest)
		if s.Longest-s.Shortest > 1e6 {
			length = " of " + spanOf(s.Shortest) + " to " + spanOf(s.Longest)
		}
	}
	number := number(s.Segments, "segment", "segments") + length + ", " + stamp(s.First) + " to " + stamp(s.End)
	switch {
	case s.Open && s.Segments == 0:
		number = "segments" + length + ", as many as the clock says"
	case s.Open:
		number += " and on"
	case s.Segments == 0, s.Segments == 1 && strings.HasPrefix(s.Addressing, "one file"):
		number = ""
	}
	return strings.Join(some([]string{s.Addressing, number, when(s.Gaps > 0, fmt.Sprintf("%d gaps", s.Gaps))}), " · ")
}

// page writes an EventStream.
func (e *EventStream) page(p *page) {
	p.put(plain, "  ")
	p.put(strong, "events")
	p.put(plain, "  "+fit(strings.TrimSpace(e.Scheme+" "+e.Value), pageWidth-10))
	p.end()
	var rows [][]string
	for _, v := range e.Events[:min(len(e.Events), maxShown)] {
		length := ""
		if v.Duration > 0 {
			length = spanOf(v.Duration)
		}
		rows = append(rows, []string{strconv.Itoa(v.Line), stamp(v.At), length, v.ID, strings.Join(strings.Fields(v.Raw), " ")})
	}
	p.table(4, []column{{name: "line", right: true}, {name: "at", right: true}, {name: "length", right: true}, {name: "id", least: 6}, {name: "raw", least: 20}}, rows)
	p.more(len(e.Events))
}
