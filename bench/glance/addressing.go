package glance

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// slice is how a resource that is one file is fetched: in ranges of about this.
const slice = 4 * time.Second

// units turns units of the timescale into time.
func (t *template) units(n int64) time.Duration {
	scale := int64(t.scale)
	return time.Duration(n/scale)*time.Second + time.Duration(math.Round(float64(n%scale)/float64(scale)*1e9))
}

// lines lists the segments of a Period (sections 5.3.9.2 and 5.3.9.6).
func (t *template) lines(p *Period) *Line {
	const longest = 1 << 40 // units; what is longer is nobody's segment
	l := &Line{}
	if t.timed {
		at, number := uint64(0), t.first
		for i, e := range t.timeline {
			if e.hasT || i == 0 {
				at = e.t
			}
			if e.d == 0 || e.d > longest || at > 1<<60 {
				break
			}
			n := e.repeat + 1
			if e.repeat < 0 {
				switch {
				case i+1 < len(t.timeline) && t.timeline[i+1].hasT:
					n = (int64(t.timeline[i+1].t) - int64(at) + int64(e.d) - 1) / int64(e.d)
				case p.End >= 0:
					n = int64(math.Ceil(((p.End-p.Start).Seconds()*float64(t.scale) - float64(int64(at)-int64(t.pto))) / float64(e.d)))
				default:
					n, l.Open = 1, true
				}
			}
			if n < 1 || n > MaxSegments {
				break
			}
			each := t.units(int64(e.d))
			begin := p.Start + t.units(int64(at)-int64(t.pto))
			if k := len(l.Runs); k > 0 && l.Runs[k-1].Each == each && l.Runs[k-1].Step == e.d &&
				begin.Round(time.Microsecond) == (l.Runs[k-1].At+time.Duration(l.Runs[k-1].N)*each).Round(time.Microsecond) {
				l.Runs[k-1].N += int(n)
			} else {
				l.Runs = append(l.Runs, Run{At: begin, Each: each, N: int(n), Number: number, Time: at, Step: e.d})
			}
			at += uint64(n) * e.d
			number += uint64(n)
		}
		return l
	}
	each, step := slice, uint64(0)
	if t.length > 0 && t.length < longest {
		each, step = t.units(int64(t.length)), t.length
	}
	if each <= 0 {
		return l
	}
	r := Run{At: p.Start, Each: each, Number: t.first, Time: t.pto, Step: step, N: 1}
	switch {
	case t.list > 0:
		r.N = int(min(t.list, MaxSegments))
	case p.End >= 0:
		r.N = int(min((p.End-p.Start+each-1)/each, MaxSegments))
	default:
		l.Open = true
	}
	if r.N > 0 {
		l.Runs = []Run{r}
	}
	return l
}

// Alternatives are the addresses that a Representation's segments are relative
// to, one for each BaseURL (section 5.6.4), resolved against at.
func (m *MPD) Alternatives(at *url.URL, p *Period, s *Set, r *Rep) []Base {
	const most = 16
	out := []Base{{URL: at.String()}}
	for _, level := range [][]Base{m.Bases, p.Bases, s.Bases, r.Bases} {
		if len(level) == 0 {
			continue
		}
		var next []Base
		for _, b := range level {
			ref, err := url.Parse(b.URL)
			if err != nil {
				continue
			}
			for _, up := range out {
				if len(next) == most {
					break
				}
				base, err := url.Parse(up.URL)
				if err != nil {
					continue
				}
				x := Base{URL: base.ResolveReference(ref).String(), Location: b.Location}
				if x.Location == "" {
					x.Location = up.Location
				}
				next = append(next, x)
				if ref.IsAbs() {
					break // all lead to the same address
				}
			}
		}
		if len(next) > 0 {
			out = next
		}
	}
	return out
}

// Locations are the pathways of a Period in the order of their BaseURLs; an
// alternative without a name is called "#" and its place.
func (m *MPD) Locations(p *Period) []string {
	for _, level := range [][]Base{p.Bases, m.Bases} {
		if len(level) == 0 {
			continue
		}
		out := make([]string, 0, len(level))
		for i, b := range level {
			if name := b.Location; name != "" {
				out = append(out, name)
			} else {
				out = append(out, "#"+strconv.Itoa(i+1))
			}
		}
		return out
	}
	return []string{"#1"}
}

// Fill puts a segment into a template of addresses (section 5.3.9.4.4).
func (r *Rep) Fill(tmpl string, s Segment) string {
	if !strings.Contains(tmpl, "$") {
		return tmpl
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(tmpl, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		id, after, ok := strings.Cut(rest, "$")
		if !ok {
			return b.String()
		}
		tmpl = after
		name, width, _ := strings.Cut(id, "%0")
		var n uint64
		switch name {
		case "":
			b.WriteByte('$')
			continue
		case "RepresentationID":
			b.WriteString(r.ID)
			continue
		case "Number":
			n = s.Number
		case "Time":
			n = s.Time
		case "Bandwidth":
			n = r.Bandwidth
		}
		text := strconv.FormatUint(n, 10)
		if w, err := strconv.Atoi(strings.TrimSuffix(width, "d")); err == nil && w <= 20 {
			b.WriteString(strings.Repeat("0", max(0, w-len(text))))
		}
		b.WriteString(text)
	}
}
