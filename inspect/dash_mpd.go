package inspect

import (
	"strconv"
	"strings"
	"time"

	"manifold/manifest"
	"manifold/manifest/dash"
)

// MPD is what an MPD holds.
type MPD struct {
	Live     bool     `json:"live"`
	ID       string   `json:"id,omitempty"`
	Profiles []string `json:"profiles,omitempty"`

	Published      *time.Time `json:"published,omitempty"`
	AvailableFrom  *time.Time `json:"available_from,omitempty"`
	AvailableUntil *time.Time `json:"available_until,omitempty"`
	UpdatePeriod   Seconds    `json:"update_period_seconds,omitempty"`
	Buffer         Seconds    `json:"min_buffer_seconds,omitempty"`
	// Window is timeShiftBufferDepth, Delay suggestedPresentationDelay.
	Window         Seconds `json:"window_seconds,omitempty"`
	Delay          Seconds `json:"delay_seconds,omitempty"`
	Duration       Seconds `json:"duration_seconds,omitempty"`
	LongestSegment Seconds `json:"longest_segment_seconds,omitempty"`
	// Edge is when the last segment that a timeline lists ends, by the clock;
	// Age is how long ago that is, where a live MPD was just fetched.
	Edge *time.Time `json:"edge,omitempty"`
	Age  *Seconds   `json:"age_seconds,omitempty"`

	Locations      []string `json:"locations,omitempty"`
	PatchLocations []string `json:"patch_locations,omitempty"`
	// BaseURLs are those of all levels.
	BaseURLs []BaseURL    `json:"base_urls,omitempty"`
	Steering *Steering    `json:"steering,omitempty"`
	Timing   []Descriptor `json:"utc_timing,omitempty"`
	// Latency is the target of the service description.
	Latency Seconds  `json:"latency_target_seconds,omitempty"`
	Remote  int      `json:"xlinks,omitempty"`
	Keys    []Key    `json:"protection,omitempty"`
	Periods []Period `json:"periods"`
}

// BaseURL is a BaseURL, with the path of the element it stands in.
type BaseURL struct {
	In              string `json:"in"`
	URL             string `json:"url"`
	ServiceLocation string `json:"service_location,omitempty"`
}

// Descriptor is a scheme and its value.
type Descriptor struct {
	Scheme string `json:"scheme"`
	Value  string `json:"value,omitempty"`
}

// Period is a Period.
type Period struct {
	ID    string  `json:"id,omitempty"`
	Start Seconds `json:"start_seconds"`
	// Duration is 0 where it is not known yet.
	Duration Seconds       `json:"duration_seconds,omitempty"`
	Asset    string        `json:"asset,omitempty"`
	Sets     []Set         `json:"adaptation_sets"`
	Events   []EventStream `json:"events,omitempty"`
}

// Set is an AdaptationSet.
type Set struct {
	ID       string   `json:"id,omitempty"`
	Kind     string   `json:"kind"`
	Mime     string   `json:"mime_type,omitempty"`
	Language string   `json:"language,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Channels string   `json:"channels,omitempty"`
	// Protection names the DRM systems, and the scheme.
	Protection []string `json:"protection,omitempty"`
	Inband     []string `json:"inband_events,omitempty"`
	// Addressing is how its segments are found: "template $Time$", "list", …
	Addressing string `json:"addressing,omitempty"`
	// Segments, First and End are those of its first Representation; Open says
	// that only a clock tells how many there are.
	Segments int     `json:"segments"`
	Open     bool    `json:"open,omitempty"`
	First    Seconds `json:"first_seconds"`
	End      Seconds `json:"end_seconds"`
	Shortest Seconds `json:"shortest_seconds,omitempty"`
	Longest  Seconds `json:"longest_seconds,omitempty"`
	Gaps     int     `json:"gaps,omitempty"`

	Representations []Stream `json:"representations"`
}

// EventStream is an EventStream with its events, as raw as they stand there.
type EventStream struct {
	Scheme string  `json:"scheme"`
	Value  string  `json:"value,omitempty"`
	Events []Event `json:"events"`
}

// Event is an event on the timeline of the presentation.
type Event struct {
	ID       string  `json:"id,omitempty"`
	At       Seconds `json:"at_seconds"`
	Duration Seconds `json:"duration_seconds,omitempty"`
	Line     int     `json:"line"`
	Raw      string  `json:"raw,omitempty"`
}

// describe fills the MPD's view.
func (r *mpdReader) describe() {
	root, m := r.doc.root, r.m
	m.Live, m.ID = r.live, root.str("id")
	for p := range strings.SplitSeq(root.str("profiles"), ",") {
		if p = strings.TrimSpace(p); p != "" {
			m.Profiles = append(m.Profiles, p)
		}
	}
	m.Published, m.AvailableFrom, m.AvailableUntil = root.dateOf("publishTime"), root.dateOf("availabilityStartTime"), root.dateOf("availabilityEndTime")
	m.UpdatePeriod, m.Buffer, m.Window = root.durationOf("minimumUpdatePeriod"), root.durationOf("minBufferTime"), root.durationOf("timeShiftBufferDepth")
	m.Delay, m.Duration = root.durationOf("suggestedPresentationDelay"), root.durationOf("mediaPresentationDuration")
	for _, e := range root.all("Location") {
		m.Locations = append(m.Locations, e.content())
	}
	for _, e := range root.all("PatchLocation") {
		m.PatchLocations = append(m.PatchLocations, e.content())
	}
	for _, e := range root.all("UTCTiming") {
		m.Timing = append(m.Timing, Descriptor{e.str("schemeIdUri"), e.str("value")})
	}
	for _, e := range root.all("ServiceDescription") {
		if l := e.child("Latency"); l != nil {
			m.Latency = Seconds(time.Duration(l.uintOf("target", 0)) * time.Millisecond)
		}
		m.steer(e.child("ContentSteering"))
	}
	m.steer(root.child("ContentSteering"))
	r.bases(root)
	r.periods()
	if !r.live && m.Duration == 0 {
		m.Duration = Seconds(r.t.Index().Window)
	}
}

func (m *MPD) steer(e *element) {
	if e != nil {
		m.Steering = &Steering{e.content(), e.str("defaultServiceLocation"), e.str("queryBeforeStart") == "true"}
	}
}

// bases collects the BaseURLs of all levels, and counts what is to be fetched
// from elsewhere (xlink).
func (r *mpdReader) bases(e *element) {
	for _, k := range e.kids {
		if k.space != "" {
			continue
		}
		switch k.name {
		case "BaseURL":
			r.m.BaseURLs = append(r.m.BaseURLs, BaseURL{e.path(), k.content(), k.str("serviceLocation")})
		case "Period", "AdaptationSet", "Representation", "EventStream":
			r.m.Remote += count(k.remote())
			r.bases(k)
		}
	}
}

// remote says that the element's content is to be fetched (5.5).
func (e *element) remote() bool {
	for i := range e.attrs {
		if a := &e.attrs[i]; a.Name.Local == "href" && strings.Contains(a.Name.Space, "xlink") {
			return true
		}
	}
	return false
}

// periods joins what the template tells of the Periods with their elements:
// both are in the order of the document.
func (r *mpdReader) periods() {
	m := r.m
	all, streams := r.t.Periods(), r.t.Renditions()
	keys := make(map[Key]int)
	elements := r.doc.root.all("Period")
	for i := range all {
		if i == len(elements) {
			break
		}
		e := elements[i]
		p := Period{ID: all[i].ID, Start: Seconds(all[i].Start), Duration: Seconds(all[i].Duration), Asset: valueIn(e.child("AssetIdentifier"))}
		r.protection(e, keys, nil)
		for j, se := range adaptationSets(e) {
			if j == len(all[i].Sets) {
				break
			}
			s := r.set(se, &all[i].Sets[j], streams)
			r.protection(se, keys, &s)
			m.LongestSegment = max(m.LongestSegment, s.Longest)
			if end := s.End; r.live && m.AvailableFrom != nil && s.Segments > 0 && !s.Open {
				if edge := dateOrNil(m.AvailableFrom.Add(time.Duration(end))); edge != nil && (m.Edge == nil || edge.After(*m.Edge)) {
					m.Edge = edge
				}
			}
			p.Sets = append(p.Sets, s)
		}
		p.Events = r.events(all[i].Events)
		m.Periods = append(m.Periods, p)
	}
	m.Keys = listed(keys)
}

func valueIn(e *element) string {
	if e == nil {
		return ""
	}
	return e.str("value")
}

// adaptationSets are the AdaptationSets of a Period, empty ones included.
func adaptationSets(period *element) (list []*element) {
	for _, k := range period.kids {
		if k.space == "" && (k.name == "AdaptationSet" || k.name == "EmptyAdaptationSet") {
			list = append(list, k)
		}
	}
	return list
}

// set describes an AdaptationSet.
func (r *mpdReader) set(e *element, known *dash.Set, streams []manifest.Rendition) Set {
	s := Set{ID: e.str("id"), Mime: e.str("mimeType"), Language: e.str("lang"), Kind: e.str("contentType")}
	for _, role := range e.all("Role") {
		s.Roles = append(s.Roles, role.str("value"))
	}
	for _, ev := range e.all("InbandEventStream") {
		s.Inband = append(s.Inband, ev.str("schemeIdUri"))
	}
	channels := e.child("AudioChannelConfiguration")
	reps := e.all("Representation")
	for i := range known.Count {
		st := streamOf(&streams[known.First+i])
		if i < len(reps) {
			st.Line = r.doc.line(reps[i].at)
			if channels == nil {
				channels = reps[i].child("AudioChannelConfiguration")
			}
			if s.Mime == "" {
				s.Mime = reps[i].str("mimeType")
			}
		}
		st.Group, st.Language = "", ""
		if s.Kind == "" || st.Kind == manifest.TrickPlay.String() || st.Kind == manifest.Subtitles.String() {
			s.Kind = st.Kind
		}
		s.Representations = append(s.Representations, st)
	}
	s.Channels = valueIn(channels)
	if known.Count > 0 {
		r.segmentsOf(&s, known.First)
		if len(reps) > 0 {
			s.Addressing = addressingOf(reps[0])
			if s.Open && s.Segments == 0 {
				n, _ := strconv.ParseUint(inherited(reps[0], "SegmentTemplate", "duration"), 10, 64)
				s.Shortest = Seconds(mediaSpan(n, timescaleOf(reps[0])))
				s.Longest = s.Shortest
			}
		}
	}
	return s
}

// segmentsOf describes the segments of a Representation.
func (r *mpdReader) segmentsOf(s *Set, rendition int) {
	if r.listed > maxListed {
		s.Open = true
		return
	}
	list, all := r.t.Segments(rendition)
	r.listed += lookUp + len(list)
	s.Segments, s.Open = len(list), !all
	for i := range list {
		d := Seconds(list[i].Duration)
		if i == 0 || d < s.Shortest {
			s.Shortest = d
		}
		s.Longest = max(s.Longest, d)
		if i > 0 && list[i].Start > list[i-1].Start+list[i-1].Duration+time.Millisecond {
			s.Gaps++
		}
	}
	if n := len(list); n > 0 {
		s.First, s.End = Seconds(list[0].Start), Seconds(list[n-1].Start+list[n-1].Duration)
	}
}

// events groups a Period's events by their streams.
func (r *mpdReader) events(all []dash.Event) (list []EventStream) {
	for i := range all {
		e := &all[i]
		if n := len(list); n == 0 || list[n-1].Scheme != e.Scheme || list[n-1].Value != e.Value {
			list = append(list, EventStream{Scheme: e.Scheme, Value: e.Value})
		}
		s := &list[len(list)-1]
		s.Events = append(s.Events, Event{e.ID, Seconds(e.Start), Seconds(e.Duration), r.doc.line(e.From), strings.TrimSpace(string(e.Raw))})
	}
	return list
}
