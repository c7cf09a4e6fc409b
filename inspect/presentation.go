package inspect

import (
	"time"

	"manifold/manifest"
	"manifold/manifest/dash"
)

// Presentation is how the streams of a presentation lie beside one another:
// where a break could go on all of them.
type Presentation struct {
	// Pathways are the origin's own.
	Pathways []string `json:"pathways,omitempty"`
	// Ladders has one for each Period that has a reference; one in HLS.
	Ladders []Ladder `json:"periods"`
	// Omitted counts the streams beyond those that are kept.
	Omitted int `json:"omitted,omitempty"`
}

// Ladder is the streams of one Period beside its reference rendition.
type Ladder struct {
	// Period counts from 0; Start is when it starts.
	Period int     `json:"period"`
	Start  Seconds `json:"start_seconds"`
	// Reference is the rendition on which a break is snapped.
	Reference string `json:"reference"`
	// Boundaries is how many of its segments' beginnings were compared.
	Boundaries int      `json:"boundaries"`
	Streams    []Beside `json:"streams"`
}

// Beside is a stream beside the reference.
type Beside struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// By tells how the two timelines were brought together: "timeline", "date",
	// "discontinuity", "media sequence", "start".
	By string `json:"by,omitempty"`
	// Compared counts the reference's boundaries that are in both windows, Off
	// those of them that have no boundary here within a millisecond.
	Compared int `json:"compared"`
	Off      int `json:"off"`
	// Worst is how far the nearest boundary is at most, later where it is
	// positive, and At where on the reference's timeline.
	Worst Seconds `json:"worst_seconds"`
	At    Seconds `json:"worst_at_seconds"`
	// Cues counts the lines that speak of breaks, in-band streams included.
	Cues int `json:"cues"`
	// Unknown says that its segments are not known.
	Unknown bool `json:"unknown,omitempty"`
}

// Bounds of what is compared.
const (
	maxBoundaries  = 20_000    // of one reference
	maxOpen        = 100       // of a reference whose segments only a clock ends
	maxComparisons = 1_000_000 // of all
	aligned        = time.Millisecond
)

// presentationOf compares the streams of an MPD; nil where there are none.
func presentationOf(t *dash.Template) *Presentation {
	return compare(t.Presentation(), func(s *manifest.Sibling) string { return s.Rendition.ID })
}

// presentationOf compares the playlists of a multivariant playlist.
func (m *Multivariant) presentationOf(playlists []*Report) *Presentation {
	for _, p := range playlists {
		if p.Media == nil {
			continue
		}
		if i, ok := m.streams.Find(p.Name); ok {
			// A playlist that takes all over the bound counts as not known.
			_ = m.streams.Attach(i, 1, p.Media.track)
		}
	}
	return compare(m.streams, func(s *manifest.Sibling) string { return withoutQuery(s.Rendition.URI) })
}

// compare puts the siblings of each Period beside its reference.
func compare(p *manifest.Presentation, name func(*manifest.Sibling) string) *Presentation {
	out := &Presentation{Pathways: p.Pathways(), Omitted: p.Omitted()}
	v, left := p.View(), maxComparisons
	siblings := p.Siblings()
	for from := 0; from < len(siblings); {
		period, to := siblings[from].Period, from
		for to < len(siblings) && siblings[to].Period == period {
			to++
		}
		if ref, ok := v.Reference(period); ok {
			l := Ladder{Period: period, Reference: name(&siblings[ref])}
			if all := p.Periods(); all != nil {
				l.Start = Seconds(all[period].Start)
			}
			marks := boundaries(v, ref, min(left, maxBoundaries))
			l.Boundaries = len(marks)
			for i := from; i < to; i++ {
				b := Beside{Name: name(&siblings[i]), Kind: siblings[i].Rendition.Kind.String()}
				if left -= len(marks); left < 0 {
					b.Unknown = true
				} else {
					b.compare(v, i, marks)
				}
				l.Streams = append(l.Streams, b)
			}
			out.Ladders = append(out.Ladders, l)
		}
		from = to
	}
	if len(out.Ladders) == 0 {
		return nil
	}
	return out
}

// boundaries are where the segments of a rendition begin.
func boundaries(v *manifest.View, sibling, most int) (all []manifest.Boundary) {
	t := v.Track(sibling)
	if t.Open {
		most = min(most, maxOpen)
	}
	for _, s := range t.Segments() {
		if len(all) >= most {
			break
		}
		if b, ok := v.Nearest(sibling, s.Start); ok && b.Media == s.Start {
			all = append(all, b)
		}
	}
	return all
}

// compare looks for the boundaries of the reference on a sibling.
func (s *Beside) compare(v *manifest.View, sibling int, marks []manifest.Boundary) {
	t := v.Track(sibling)
	if t == nil {
		s.Unknown = true
		return
	}
	s.Cues = t.Cues
	for _, b := range marks {
		o, ok := v.On(sibling, b)
		if !ok || o.Outside {
			continue
		}
		s.By = o.By.String()
		s.Compared++
		if o.Shift.Abs() > aligned {
			s.Off++
		}
		if o.Shift.Abs() > time.Duration(s.Worst).Abs() {
			s.Worst, s.At = Seconds(o.Shift), Seconds(b.Media)
		}
	}
}
