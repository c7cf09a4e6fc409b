package read

import (
	"time"
)

const (
	// timelineSlack is what the rounding of a timescale may leave between two
	// segments.
	timelineSlack = 10 * time.Millisecond
	// periodSlack is what a Period's media may be short of its ends: audio
	// frames do not end with pictures.
	periodSlack = 250 * time.Millisecond
	// periodExact is what declared times of Periods may differ by.
	periodExact = 2 * time.Millisecond
)

// checkMPD holds a whole MPD against the rules that need more than one
// element.
func checkMPD(m *MPD, p *problems) {
	need := func(ok bool, what string) {
		if !ok {
			p.add("dash-required", m.Line, "a %s MPD has no %s", m.Type, what)
		}
	}
	need(m.Profiles != "", "profiles")
	need(m.MinBuffer >= 0, "minBufferTime")
	if m.Dynamic() {
		need(m.AvailabilityStartSaid, "availabilityStartTime")
		need(m.PublishSaid, "publishTime")
	} else if len(m.Periods) > 0 && m.Duration < 0 && m.Periods[len(m.Periods)-1].Duration < 0 {
		need(false, "mediaPresentationDuration, and its last Period no duration")
	}
	if len(m.Periods) == 0 {
		p.add("dash-required", m.Line, "an MPD without a Period")
	}
	ids := map[string]bool{}
	for i, period := range m.Periods {
		if period.ID == "" && m.Dynamic() {
			p.add("dash-required", period.Line, "a Period of a dynamic MPD has no id")
		}
		if period.ID != "" && ids[period.ID] {
			p.add("dash-duplicate-id", period.Line, "two Periods have the id %s", period.ID)
		}
		ids[period.ID] = true
		checkPeriod(m, period, p)
		if i > 0 {
			// A Period may be announced long before the one that runs has come to
			// its end (5.3.2.1).
			ahead := m.Dynamic() && m.Publish.Sub(m.AvailabilityStart) < period.Start
			checkJoint(m.Periods[i-1], period, ahead, p)
		}
	}
	if m.Steering != nil {
		checkLocations(m, p)
	}
}

func checkPeriod(m *MPD, period *Period, p *problems) {
	reps, sets := map[string]bool{}, map[string]bool{}
	for _, set := range period.Sets {
		if set.ID != "" && sets[set.ID] {
			p.add("dash-duplicate-id", set.Line, "two AdaptationSets of Period %s have the id %s", period.ID, set.ID)
		}
		sets[set.ID] = true
		if len(set.Reps) == 0 {
			p.add("dash-required", set.Line, "an AdaptationSet without a Representation")
		}
		for _, rep := range set.Reps {
			switch {
			case rep.ID == "":
				p.add("dash-required", rep.Line, "a Representation without id")
			case reps[rep.ID]:
				p.add("dash-duplicate-id", rep.Line, "two Representations of Period %s have the id %s", period.ID, rep.ID)
			}
			reps[rep.ID] = true
			if rep.Bandwidth == 0 {
				p.add("dash-required", rep.Line, "Representation %s has no bandwidth", rep.ID)
			}
			if rep.Mime == "" {
				p.add("dash-required", rep.Line, "Representation %s has no mimeType", rep.ID)
			}
		}
		if m.MaxSegment >= 0 && len(set.Reps) > 0 {
			a := set.Reps[0].Addressing
			for _, e := range a.Entries {
				if d := a.Seconds(int64(e.Duration)); d > m.MaxSegment+periodExact {
					p.add("dash-segment-too-long", e.Line, "a segment of %s, maxSegmentDuration is %s", d, m.MaxSegment)
					break
				}
			}
		}
	}
	for _, s := range period.Streams {
		if s.Scheme == "" {
			p.add("dash-event", s.Line, "EventStream without schemeIdUri")
		}
		for _, e := range s.Events {
			for _, v := range []string{e.Time, e.Duration} {
				if _, ok := integer(v); v != "" && !ok {
					p.add("dash-event", e.Line, "%q is no time of an event", v)
				}
			}
		}
	}
}

// checkJoint looks at where one Period ends and the next begins: their
// declared times, and the media that is listed for them; ahead tells that b
// has not begun.
func checkJoint(a, b *Period, ahead bool, p *problems) {
	if a.Start < 0 || b.Start < 0 {
		return
	}
	if b.Start < a.Start {
		p.add("dash-period-order", b.Line, "Period %s starts at %s, Period %s before it at %s", b.ID, b.Start, a.ID, a.Start)
		return
	}
	if a.Duration >= 0 {
		switch gap := b.Start - (a.Start + a.Duration); {
		case gap > periodExact:
			p.add("dash-period-gap", b.Line, "Period %s ends at %s, Period %s starts %s later", a.ID, a.Start+a.Duration, b.ID, gap)
			return
		case gap < -periodExact:
			p.add("dash-period-overlap", b.Line, "Period %s ends at %s, Period %s starts %s earlier", a.ID, a.Start+a.Duration, b.ID, -gap)
			return
		}
	}
	for _, set := range a.Sets {
		if ahead || len(set.Reps) == 0 || set.Type == "text" || set.Type == "image" {
			continue
		}
		ad := set.Reps[0].Addressing
		if !ad.Timeline || len(ad.Entries) == 0 || ad.Open {
			continue
		}
		last := ad.Entries[len(ad.Entries)-1]
		if end := a.Start + ad.At(last) + ad.Seconds(int64(last.Duration)); b.Start-end > periodSlack {
			p.add("dash-period-gap", last.Line, "the %s segments of Period %s end at %s, %s before Period %s starts", set.Type, a.ID, end, b.Start-end, b.ID)
			return
		}
	}
	listed := false
	for _, set := range a.Sets {
		listed = listed || len(set.Reps) > 0 && len(set.Reps[0].Addressing.Entries) > 0
	}
	for _, set := range b.Sets {
		if !listed || len(set.Reps) == 0 || set.Type == "text" || set.Type == "image" {
			continue
		}
		ad := set.Reps[0].Addressing
		if ad.Timeline && len(ad.Entries) > 0 && ad.At(ad.Entries[0]) > periodSlack {
			p.add("dash-period-gap", ad.Entries[0].Line, "the %s segments of Period %s begin %s after its start", set.Type, b.ID, ad.At(ad.Entries[0]))
			return
		}
	}
}

// checkLocations: the default service location is one that the MPD has
// (ETSI TS 103 998).
func checkLocations(m *MPD, p *problems) {
	have := map[string]bool{}
	for _, period := range m.Periods {
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				for _, b := range rep.Bases {
					have[b.Location] = true
				}
			}
		}
	}
	for _, want := range m.Steering.Default {
		if !have[want] {
			p.add("dash-location-unknown", m.Steering.Line, "no BaseURL has serviceLocation %s", want)
		}
	}
	if m.Steering.Server == "" {
		p.add("dash-required", m.Steering.Line, "ContentSteering without an address")
	}
}
