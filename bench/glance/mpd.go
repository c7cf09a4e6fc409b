package glance

import (
	"fmt"
	"strings"
	"time"
)

// MPD is a media presentation description (ISO/IEC 23009-1, section 5.3).
// Durations that are not said are -1.
type MPD struct {
	Dynamic                            bool
	Begin                              time.Time // availabilityStartTime
	Duration, MinUpdate, Delay, Window time.Duration
	MinBuffer                          time.Duration
	// Location is where to reload from, as it stands; empty: the same address.
	Location string
	Steering *Steering
	Bases    []Base
	Periods  []*Period
}

// Final tells whether nothing more will be added.
func (m *MPD) Final() bool { return !m.Dynamic || m.MinUpdate < 0 }

// Steering is ContentSteering (ETSI TS 103 998).
type Steering struct {
	Server      string
	Default     []string
	BeforeStart bool
}

// Base is a BaseURL as it stands.
type Base struct{ URL, Location string }

// Period is one Period; End is -1 where it is open.
type Period struct {
	ID         string
	Start, End time.Duration
	Bases      []Base
	Sets       []*Set

	duration time.Duration
	template *template
}

// Set is an AdaptationSet.
type Set struct {
	Kind, Lang string // video, audio, text …
	Bases      []Base
	Reps       []*Rep

	template *template
}

// Rep is a Representation. Its Line counts from the start of the presentation.
type Rep struct {
	ID        string
	Bandwidth uint64
	Bases     []Base
	Line      *Line
	// Media and Init are templates with identifiers; empty where the base
	// itself is the resource.
	Media, Init string

	template *template
}

// template is how segments are addressed, with what it inherits.
type template struct {
	scale, pto, first, length uint64
	media, init               string
	timeline                  []entry
	timed, known              bool
	list                      uint64 // entries of a SegmentList
	line                      *Line
	lineOf                    *Period
}

type entry struct {
	t, d   uint64
	repeat int64
	hasT   bool
}

// ReadMPD reads an MPD.
func ReadMPD(body []byte) (*MPD, error) {
	r := reader{s: scanner{b: body}, m: &MPD{Duration: -1, MinUpdate: -1, Delay: -1, Window: -1, MinBuffer: -1}}
	for {
		more, err := r.s.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := r.tag(); err != nil {
			return nil, err
		}
	}
	switch {
	case !r.root:
		return nil, errNoMPD
	case r.s.depth != 0:
		return nil, errUnclosed
	}
	return r.m, r.finish()
}

type reader struct {
	s    scanner
	m    *MPD
	root bool

	period *Period
	set    *Set
	rep    *Rep
	tmpl   *template // that S and Initialization elements belong to
	events int       // depth inside an EventStream: what is in there is not ours
}

func (r *reader) tag() error {
	s := &r.s
	name := string(s.name)
	if s.close {
		if r.events == 0 || s.depth < r.events {
			r.events = 0
			r.end(name)
		}
		return nil
	}
	if !r.root {
		if name != "MPD" {
			return errNoMPD
		}
		r.root = true
		r.mpd()
		return nil
	}
	if r.events > 0 {
		return nil
	}
	switch name {
	case "EventStream":
		if !s.empty {
			r.events = s.depth
		}
	case "Period":
		r.period = &Period{ID: s.attr("id"), Start: r.duration("start"), End: -1, duration: r.duration("duration")}
		r.m.Periods = append(r.m.Periods, r.period)
	case "AdaptationSet":
		if r.period != nil {
			r.set = &Set{Kind: s.attr("contentType"), Lang: s.attr("lang"), template: r.period.template}
			r.kind()
			r.period.Sets = append(r.period.Sets, r.set)
		}
	case "Representation":
		if r.set != nil {
			r.rep = &Rep{ID: s.attr("id"), Bandwidth: s.uint("bandwidth", 0), template: r.set.template}
			r.kind()
			r.set.Reps = append(r.set.Reps, r.rep)
		}
	case "BaseURL":
		r.base(Base{s.text(), s.attr("serviceLocation")})
	case "Location":
		if r.m.Location == "" {
			r.m.Location = s.text()
		}
	case "ContentSteering":
		r.m.Steering = &Steering{Server: s.text(), Default: strings.Fields(s.attr("defaultServiceLocation")), BeforeStart: s.attr("queryBeforeStart") == "true"}
	case "SegmentTemplate", "SegmentList", "SegmentBase":
		r.addressing()
	case "S":
		if r.tmpl != nil && r.tmpl.timed && len(r.tmpl.timeline) < MaxSegments {
			e := entry{d: s.uint("d", 0), t: s.uint("t", 0)}
			_, e.hasT = s.raw("t")
			if v, ok := s.raw("r"); ok {
				if n, ok := integer(v); ok {
					e.repeat = int64(n)
				} else if len(v) > 1 && v[0] == '-' {
					e.repeat = -1
				}
			}
			r.tmpl.timeline = append(r.tmpl.timeline, e)
		}
	case "SegmentTimeline":
		if r.tmpl != nil {
			r.tmpl.timed, r.tmpl.timeline = true, nil
		}
	case "SegmentURL":
		if r.tmpl != nil {
			r.tmpl.list++
		}
	}
	if s.empty {
		r.end(name)
	}
	return nil
}

func (r *reader) end(name string) {
	switch name {
	case "Period":
		r.period, r.set, r.rep = nil, nil, nil
	case "AdaptationSet":
		r.set, r.rep = nil, nil
	case "Representation":
		r.rep = nil
	case "SegmentTemplate", "SegmentList", "SegmentBase":
		r.tmpl = nil
	}
}

func (r *reader) mpd() {
	m, s := r.m, &r.s
	m.Dynamic = s.attr("type") == "dynamic"
	m.Begin = date(s.attr("availabilityStartTime"))
	m.Duration, m.MinUpdate = r.duration("mediaPresentationDuration"), r.duration("minimumUpdatePeriod")
	m.Delay, m.Window = r.duration("suggestedPresentationDelay"), r.duration("timeShiftBufferDepth")
	m.MinBuffer = r.duration("minBufferTime")
}

func (r *reader) duration(name string) time.Duration {
	if v, ok := r.s.raw(name); ok {
		if d, ok := duration(string(v)); ok {
			return d
		}
	}
	return -1
}

// kind takes the content type of the set from its mimeType, or from one of a
// Representation's.
func (r *reader) kind() {
	if r.set.Kind == "" {
		r.set.Kind, _, _ = strings.Cut(r.s.attr("mimeType"), "/")
	}
}

func (r *reader) base(b Base) {
	const most = 16
	at := &r.m.Bases
	switch {
	case r.rep != nil:
		at = &r.rep.Bases
	case r.set != nil:
		at = &r.set.Bases
	case r.period != nil:
		at = &r.period.Bases
	}
	if len(*at) < most {
		*at = append(*at, b)
	}
}

// addressing begins a SegmentTemplate or its like: it overrides what the level
// above said (section 5.3.9.1).
func (r *reader) addressing() {
	s := &r.s
	var at **template
	switch {
	case r.rep != nil:
		at = &r.rep.template
	case r.set != nil:
		at = &r.set.template
	case r.period != nil:
		at = &r.period.template
	default:
		return
	}
	t := template{scale: 1, first: 1}
	if *at != nil {
		t = **at
		t.list = 0
	}
	t.known = true
	t.scale, t.pto, t.first, t.length = s.uint("timescale", t.scale), s.uint("presentationTimeOffset", t.pto), s.uint("startNumber", t.first), s.uint("duration", t.length)
	if v, ok := s.raw("media"); ok {
		t.media = unescape(v)
	}
	if v, ok := s.raw("initialization"); ok {
		t.init = unescape(v)
	}
	if t.scale == 0 || t.scale > 1<<40 {
		t.scale = 1
	}
	*at, r.tmpl = &t, &t
}

// finish resolves the Periods' times and lists the segments.
func (r *reader) finish() error {
	m := r.m
	for i, p := range m.Periods {
		if p.Start < 0 {
			switch {
			case i == 0:
				p.Start = 0
			case m.Periods[i-1].Start >= 0 && m.Periods[i-1].duration >= 0:
				p.Start = m.Periods[i-1].Start + m.Periods[i-1].duration
			default: // an early available Period: its time is not known yet
				m.Periods = m.Periods[:i]
			}
		}
		if i == len(m.Periods) {
			break
		}
	}
	total := 0
	for i, p := range m.Periods {
		switch {
		case p.duration >= 0:
			p.End = p.Start + p.duration
		case i+1 < len(m.Periods):
			p.End = m.Periods[i+1].Start
		case m.Duration >= 0:
			p.End = m.Duration
		}
		for _, set := range p.Sets {
			for _, rep := range set.Reps {
				t := rep.template
				if t == nil {
					t = &template{scale: 1, first: 1}
				}
				if t.line == nil || t.lineOf != p {
					t.line, t.lineOf = t.lines(p), p
					if total += len(t.line.Runs); total > MaxSegments {
						return fmt.Errorf("cannot read the MPD: more than %d segments", MaxSegments)
					}
				}
				rep.Line, rep.Media, rep.Init = t.line, t.media, t.init
			}
		}
	}
	return nil
}
