package read

import (
	"net/url"
	"time"

	"manifold/bench/finding"
)

// MPD is a media presentation description as it stands, with its mistakes.
type MPD struct {
	ID, Type, Profiles                 string
	AvailabilityStart, Publish         time.Time
	Duration, MinUpdate, TimeShift     time.Duration // -1: not said
	Delay, MinBuffer, MaxSegment       time.Duration // -1: not said
	BaseURLs                           []BaseURL
	Locations, Patches                 []Location
	Timings                            []Timing
	Steering                           *Steering
	Periods                            []*Period
	Problems                           []Problem
	Line                               finding.Line
	AvailabilityStartSaid, PublishSaid bool
	// Broken tells that the document could not be read to its end.
	Broken bool
}

// Dynamic tells whether the MPD may be updated.
func (m *MPD) Dynamic() bool { return m.Type == "dynamic" }

// Always is the availabilityTimeOffset of what is there from the start (INF).
const Always = 1 << 20 * time.Hour

// BaseURL is a BaseURL element.
type BaseURL struct {
	URL, Location string
	Offset        time.Duration // availabilityTimeOffset
	Line          finding.Line
}

// Location is a Location or PatchLocation element.
type Location struct {
	URL, Location string
	Line          finding.Line
}

// Timing is UTCTiming.
type Timing struct {
	Scheme, Value string
	Line          finding.Line
}

// Period is one Period with its times resolved.
type Period struct {
	Index    int
	ID       string
	Start    time.Duration // from the beginning of the presentation
	Duration time.Duration // as said; -1: not said
	End      time.Duration // by duration, the next start or the MPD; -1: open
	Sets     []*AdaptationSet
	Streams  []EventStream
	Line     finding.Line
}

// AdaptationSet is one AdaptationSet.
type AdaptationSet struct {
	ID, Type, Lang string
	Reps           []*Representation
	Line           finding.Line
}

// Representation is one Representation with how its segments are addressed.
type Representation struct {
	ID, Codecs, Mime string
	Bandwidth        uint64
	Width, Height    string
	Bases            []Base
	Addressing       *Addressing
	Line             finding.Line
}

// Base is an address that segments are relative to: one for each alternative.
type Base struct {
	URL      *url.URL
	Location string // serviceLocation
	Offset   time.Duration
}

// Addressing is SegmentTemplate, SegmentList or SegmentBase with what it
// inherits (ISO/IEC 23009-1, section 5.3.9).
type Addressing struct {
	Timescale   uint64
	PTO         uint64
	StartNumber uint64
	Offset      time.Duration // availabilityTimeOffset
	Incomplete  bool          // availabilityTimeComplete="false"
	Media, Init string        // templates, or the init's address
	InitRange   string
	// Entries are the segments of a timeline or list.
	Entries []Entry
	// Duration is @duration: segments are numbered, all of about this length.
	Duration uint64
	// Timeline tells that Entries come from a SegmentTimeline; Open that its
	// last S repeats until further notice.
	Timeline, Open bool
	// Single is one resource as a whole (SegmentBase).
	Single bool
	Line   finding.Line
}

// Entry is one segment: times in units of the timescale.
type Entry struct {
	Number, Time, Duration uint64
	URL, Range             string // of a SegmentList
	Line                   finding.Line
}

// Seconds turns units of the timescale into time.
func (a *Addressing) Seconds(units int64) time.Duration {
	if a.Timescale == 0 {
		return 0
	}
	scale := int64(a.Timescale)
	return time.Duration(units/scale)*time.Second + time.Duration(float64(units%scale)/float64(scale)*1e9+0.5)
}

// At is where an entry begins, from the start of its Period.
func (a *Addressing) At(e Entry) time.Duration { return a.Seconds(int64(e.Time) - int64(a.PTO)) }

// EventStream is an EventStream with its events.
type EventStream struct {
	Scheme, Value string
	Events        []Event
	Line          finding.Line
}

// Event is one Event; Body is its content as it stands.
type Event struct {
	ID, Time, Duration, Body string
	Line                     finding.Line
}
