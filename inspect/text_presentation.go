package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// page writes how the streams lie beside one another: one section for Periods
// that are alike.
func (s *Presentation) page(p *page) {
	if s == nil || !slices.ContainsFunc(s.Ladders, func(l Ladder) bool { return len(l.Streams) > 1 }) {
		return // there is nothing to align
	}
	var note []string
	if n := len(s.Pathways); n > 0 {
		note = append(note, number(n, "pathway", "pathways")+" ("+strings.Join(s.Pathways[:min(n, maxShown)], ", ")+")")
	}
	if n := len(s.Ladders); n > 1 {
		note = append(note, number(n, "Period", "Periods"))
	}
	if s.Omitted > 0 {
		note = append(note, number(s.Omitted, "stream", "streams")+" left out")
	}
	p.heading("Together", strings.Join(note, " · "))
	for i := range s.Ladders {
		if i == maxShown {
			p.put(faint, fmt.Sprintf("  and %d more Periods (--json has all)", len(s.Ladders)-maxShown))
			p.end()
			break
		}
		l := &s.Ladders[i]
		in := ""
		if len(s.Ladders) > 1 {
			in = "Period " + fmt.Sprint(l.Period+1)
		}
		p.field("reference", l.Reference, in, number(l.Boundaries, "boundary", "boundaries"))
		l.streams(p)
	}
}

// streams writes those that do not align, and counts those that do.
func (l *Ladder) streams(p *page) {
	var fits tally
	var off []Beside
	var cues []string
	unknown := 0
	for _, s := range l.Streams {
		switch {
		case s.Unknown:
			unknown++
			continue
		case s.Off > 0:
			off = append(off, s)
		case s.Compared > 0 && s.Name != l.Reference:
			fits.add(s.Kind + when(s.By != "timeline", " by "+s.By))
		}
		if s.Cues > 0 && len(cues) < maxShown {
			cues = append(cues, fmt.Sprintf("%s (%d)", s.Name, s.Cues))
		}
	}
	var parts []string
	for _, c := range fits.list {
		parts = append(parts, fmt.Sprintf("%d × %s", c.Times, c.Name))
	}
	p.field("aligned", parts...)
	slices.SortStableFunc(off, func(a, b Beside) int { return int(max(b.Worst, -b.Worst) - max(a.Worst, -a.Worst)) })
	for _, s := range off[:min(len(off), maxShown)] {
		late := "later"
		if s.Worst < 0 {
			late = "earlier"
		}
		p.field("not aligned", s.Name, s.Kind, fmt.Sprintf("%d of %d", s.Off, s.Compared), "up to "+spanOf(max(s.Worst, -s.Worst))+" "+late+", at "+stamp(s.At), when(s.By != "timeline", "by "+s.By))
	}
	p.more(len(off))
	p.field("not known", when(unknown > 0, number(unknown, "stream", "streams")))
	p.field("cues on", cues...)
}
