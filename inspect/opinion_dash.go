package inspect

import (
	"fmt"
	"math"
	"time"

	"github.com/zencoder/go-dash/v3/mpd"

	"manifold/manifest/dash"
)

// heardMPD is what zencoder/go-dash keeps of an MPD.
type heardMPD struct {
	live     bool
	duration time.Duration
	periods  []heardPeriod
	bases    []string // the BaseURLs of the MPD
	location string
}

type heardPeriod struct {
	id       string
	start    time.Duration
	started  bool
	duration time.Duration
	sets     []heardSet
	bases    []string
}

type heardSet struct {
	representations []heardRepresentation
}

// heardRepresentation holds what a timeline or list comes to; known is false
// where there is neither, or an S that repeats without end.
type heardRepresentation struct {
	id       string
	segments uint64
	length   time.Duration
	known    bool
}

func hearMPD(src []byte) (h heardMPD, err error) {
	doc, err := zencoderMPD(src)
	if err != nil {
		return h, err
	}
	h.live = doc.Type != nil && *doc.Type == "dynamic"
	if doc.MediaPresentationDuration != nil {
		h.duration, _ = parseDuration(*doc.MediaPresentationDuration)
	}
	h.bases, h.location = doc.BaseURL, doc.Location
	for _, p := range doc.Periods {
		if p != nil {
			h.periods = append(h.periods, hearPeriod(p))
		}
	}
	return h, nil
}

func hearPeriod(p *mpd.Period) heardPeriod {
	h := heardPeriod{id: p.ID, duration: time.Duration(p.Duration), bases: p.BaseURL}
	if p.Start != nil {
		h.start, h.started = time.Duration(*p.Start), true
	}
	for _, s := range p.AdaptationSets {
		if s == nil {
			continue
		}
		var set heardSet
		for _, r := range s.Representations {
			if r == nil {
				continue
			}
			one := heardRepresentation{}
			if r.ID != nil {
				one.id = *r.ID
			}
			if len(set.representations) == 0 { // that is the one to be compared
				one.count(r.SegmentTemplate, r.SegmentList, s.SegmentTemplate, s.SegmentList, p.SegmentTemplate, p.SegmentList)
			}
			set.representations = append(set.representations, one)
		}
		h.sets = append(h.sets, set)
	}
	return h
}

// count takes the innermost timeline or list, in the order given.
func (h *heardRepresentation) count(levels ...any) {
	scale := uint64(1)
	for _, level := range levels {
		if t, ok := level.(*mpd.SegmentTemplate); ok && t != nil && t.Timescale != nil && *t.Timescale > 0 {
			scale = uint64(*t.Timescale)
			break
		}
	}
	for _, level := range levels {
		switch l := level.(type) {
		case *mpd.SegmentTemplate:
			if l != nil && l.SegmentTimeline != nil {
				h.timeline(l.SegmentTimeline, scale)
				return
			}
		case *mpd.SegmentList:
			if l != nil && len(l.SegmentURLs) > 0 {
				h.segments, h.known = uint64(len(l.SegmentURLs)), true
				return
			}
		}
	}
}

func (h *heardRepresentation) timeline(line *mpd.SegmentTimeline, scale uint64) {
	var ticks uint64
	for _, s := range line.Segments {
		n := uint64(1)
		if s.RepeatCount != nil {
			if *s.RepeatCount < 0 {
				return
			}
			n += uint64(*s.RepeatCount)
		}
		if s.Duration > 0 && n > math.MaxInt64/s.Duration || ticks > math.MaxInt64 {
			return
		}
		h.segments += n
		ticks += n * s.Duration
	}
	h.length, h.known = mediaSpan(ticks, scale), true
}

// secondMPD asks zencoder/go-dash about an MPD.
func secondMPD(t *dash.Template) Opinion {
	o := Opinion{Reader: zencoderName}
	h, err := hearMPD(t.Source())
	if err != nil {
		o.Failed = err.Error()
		return o
	}
	representations := 0
	for _, p := range h.periods {
		for _, s := range p.sets {
			representations += len(s.representations)
		}
	}
	o.Reads = number(len(h.periods), "Period", "Periods") + ", " + number(representations, "Representation", "Representations")
	o.Differs = diffMPD(t, &h)
	return o
}

// diffMPD compares what our template says of an MPD with what zencoder/go-dash
// keeps of it.
func diffMPD(t *dash.Template, h *heardMPD) (d differences) {
	ours := t.Periods()
	if d.ints("Periods", len(ours), len(h.periods)); len(d) > 0 {
		return d
	}
	if t.Index().Live != h.live {
		d = append(d, fmt.Sprintf("dynamic: %v here, %v there", t.Index().Live, h.live))
	}
	all := t.Renditions()
	listed := 0
	for i := range ours {
		p, q := &ours[i], &h.periods[i]
		name := fmt.Sprintf("Period %d", i+1)
		if p.ID != q.id {
			d = append(d, fmt.Sprintf("%s: id %s here, %s there", name, short(p.ID), short(q.id)))
		}
		if q.started {
			d.spans(name+": start", p.Start, q.start)
		}
		if q.duration > 0 {
			d.spans(name+": duration", p.Duration, q.duration)
		}
		if before := len(d); true {
			if d.ints(name+": AdaptationSets", len(p.Sets), len(q.sets)); len(d) > before {
				continue
			}
		}
		for j := range p.Sets {
			s, z := &p.Sets[j], &q.sets[j]
			what := fmt.Sprintf("%s, AdaptationSet %d", name, j+1)
			before := len(d)
			if d.ints(what+": Representations", s.Count, len(z.representations)); len(d) > before || s.Count == 0 {
				continue
			}
			if id := all[s.First].ID; id != z.representations[0].id {
				d = append(d, fmt.Sprintf("%s: id %s here, %s there", what, short(id), short(z.representations[0].id)))
			}
			if listed <= maxListed {
				listed += lookUp + d.segments(t, what, s.First, &z.representations[0])
			}
		}
		if len(d) > 16 {
			return d
		}
	}
	return d
}

// segments compares the segments of a Representation that a timeline or a list
// counts, and gives how many it listed for that.
func (d *differences) segments(t *dash.Template, what string, rendition int, z *heardRepresentation) int {
	if !z.known {
		return 0
	}
	list, all := t.Segments(rendition)
	if !all {
		return len(list)
	}
	before := len(*d)
	if d.ints(what+": segments", len(list), int(z.segments)); len(*d) > before || z.length == 0 {
		return len(list)
	}
	var sum time.Duration
	for i := range list {
		sum += list[i].Duration
	}
	// Each of ours is rounded down to a nanosecond.
	if (sum - z.length).Abs() > time.Millisecond+time.Duration(len(list)) {
		d.spans(what+": length", sum, z.length)
	}
	return len(list)
}
