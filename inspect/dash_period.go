package inspect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Periods, AdaptationSets and Representations: ISO/IEC 23009-1, 5.3.2 to
// 5.3.5.

// checkPeriods checks all Periods.
func (r *mpdReader) checkPeriods() {
	ids := make(map[string]bool)
	end := Seconds(0)
	for i, e := range r.doc.root.all("Period") {
		id := e.str("id")
		switch {
		case id == "" && r.live:
			r.wrong(Error, e, "/@id", "5.3.2.2", "add it, and never change it", "no id", "a Period of a dynamic MPD without @id")
		case id != "" && ids[id]:
			r.wrong(Error, e, "/@id", "5.3.2.2", "give it another", "", "two Periods have the @id "+short(id))
		}
		ids[id] = true
		if i >= len(r.m.Periods) {
			continue
		}
		p := &r.m.Periods[i]
		if i > 0 && e.str("start") == "" && r.m.Periods[i-1].Duration == 0 {
			r.wrong(Warning, e, "/@start", "5.3.2.1", "write its @start, or the @duration of the one before", "", "nothing says when the Period begins")
		}
		if i > 0 && end > 0 {
			if off := time.Duration(p.Start - end); off < -time.Millisecond {
				r.wrong(Error, e, "/@start", "5.3.2.1", "begin where the one before ends", "", fmt.Sprintf("the Period begins %s before the one before it ends", span(-off)))
			} else if off > time.Millisecond {
				r.wrong(Warning, e, "/@start", "5.3.2.1", "begin where the one before ends", "", fmt.Sprintf("there is nothing for %s before the Period", span(off)))
			}
		}
		if end = 0; p.Duration > 0 {
			if end = p.Start + p.Duration; end < 0 {
				end = math.MaxInt64
			}
		}
		r.checkPeriod(e, p)
	}
}

func (r *mpdReader) checkPeriod(e *element, p *Period) {
	sets := adaptationSets(e)
	if len(sets) == 0 && !e.remote() && e.child("ImportedMPD") == nil && !(r.live && p.Duration == 0) && len(e.all("EventStream")) == 0 {
		r.wrong(Warning, e, "", "5.3.2.2", "add an AdaptationSet", "no set", "the Period has no AdaptationSet: there is nothing to play")
	}
	setIDs, repIDs := make(map[string]bool), make(map[string]*element)
	for i, s := range sets {
		if id := s.str("id"); id != "" {
			if setIDs[id] {
				r.wrong(Error, s, "/@id", "5.3.3.2", "give it another", "", "two AdaptationSets of the Period have the @id "+short(id))
			}
			setIDs[id] = true
		}
		reps := s.all("Representation")
		if len(reps) == 0 && s.name == "AdaptationSet" && !s.remote() {
			r.wrong(Error, s, "", "5.3.3.1", "add one, or remove the AdaptationSet", "no rep", "the AdaptationSet has no Representation")
		}
		for _, rep := range reps {
			id := rep.str("id")
			if first := repIDs[id]; first != nil && id != "" {
				r.wrong(Error, rep, "/@id", "5.3.5.2", "give it another", "", "two Representations of the Period have the @id "+short(id)+"; the first is "+first.path())
			} else {
				repIDs[id] = rep
			}
		}
		if i < len(p.Sets) {
			r.checkSet(s, &p.Sets[i], p)
		}
	}
	for _, s := range sets {
		for _, rep := range s.all("Representation") {
			for on := range strings.FieldsSeq(rep.str("dependencyId")) {
				if repIDs[on] == nil {
					r.wrong(Error, rep, "/@dependencyId", "5.3.5.2", "name a Representation of the Period", "", "there is no Representation "+short(on))
				}
			}
		}
	}
}

func (r *mpdReader) checkSet(e *element, s *Set, p *Period) {
	for i, rep := range e.all("Representation") {
		either := func(name string) string {
			if v := rep.str(name); v != "" {
				return v
			}
			return e.str(name)
		}
		if either("mimeType") == "" {
			r.wrong(Error, rep, "/@mimeType", "5.3.7.2", "add it here or at the AdaptationSet", "mime", "a Representation without @mimeType")
		}
		if either("codecs") == "" && !strings.HasPrefix(either("mimeType"), "image/") && !strings.HasPrefix(either("mimeType"), "text/") && either("mimeType") != "application/ttml+xml" {
			r.wrong(Warning, rep, "/@codecs", "5.3.7.2", "add it here or at the AdaptationSet", "codecs", "a Representation without @codecs: players have to load its initialization to know whether they play it")
		}
		if i < len(s.Representations) && s.Representations[i].Kind == "video" && (either("width") == "" || either("height") == "") && e.str("maxHeight") == "" {
			r.wrong(Warning, rep, "", "5.3.7.2", "add them", "picture", "a video Representation without @width and @height")
		}
		if rep.str("bandwidth") == "0" {
			r.wrong(Warning, rep, "/@bandwidth", "5.3.5.2", "write its bits per second", "bandwidth", "a Representation of 0 bits per second")
		}
		r.checkAddressing(rep, e, s, p)
	}
}

// addressingOf says how the segments of a Representation are found: the
// innermost of SegmentTemplate, SegmentList and SegmentBase counts (5.3.9.1).
func addressingOf(rep *element) string {
	for e := rep; e != nil; e = e.parent {
		if t := e.child("SegmentTemplate"); t != nil {
			return "template " + templateKind(t, rep)
		}
		if e.child("SegmentList") != nil {
			return "list"
		}
		if e.child("SegmentBase") != nil {
			return "one file, indexed"
		}
	}
	return "one file"
}

// templateKind names what of a template counts.
func templateKind(t, rep *element) string {
	media := inherited(rep, "SegmentTemplate", "media")
	kind := ""
	for _, id := range [...]string{"$Time", "$Number", "$SubNumber"} {
		if strings.Contains(media, id) {
			kind += id + "$ "
		}
	}
	for e := rep; e != nil; e = e.parent {
		if s := e.child("SegmentTemplate"); s != nil {
			if s.child("SegmentTimeline") != nil {
				return kind + "timeline"
			}
		}
	}
	return strings.TrimSpace(kind)
}

// inherited gives an attribute of the segment information of a Representation,
// the innermost that has it.
func inherited(rep *element, kind, name string) string {
	for e := rep; e != nil; e = e.parent {
		if s := e.child(kind); s != nil {
			if v, ok := s.get(name); ok {
				return v
			}
		}
	}
	return ""
}

func timescaleOf(rep *element) uint64 {
	for _, kind := range [...]string{"SegmentTemplate", "SegmentList", "SegmentBase"} {
		if n, err := strconv.ParseUint(inherited(rep, kind, "timescale"), 10, 64); err == nil {
			return max(n, 1)
		}
	}
	return 1
}
