package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Segment information: ISO/IEC 23009-1, 5.3.9.

// checkAddressing checks how the segments of a Representation are found.
func (r *mpdReader) checkAddressing(rep, set *element, s *Set, p *Period) {
	var found []*element
	for e := rep; e != nil; e = e.parent {
		here := slices.Concat(e.all("SegmentTemplate"), e.all("SegmentList"), e.all("SegmentBase"))
		if len(here) > 1 {
			r.wrong(Error, here[1], "", "5.3.9.1", "keep one", "two kinds", "two of SegmentBase, SegmentList and SegmentTemplate at one level")
		}
		found = append(found, here...)
	}
	if len(found) == 0 {
		if rep.child("BaseURL") == nil && set.child("BaseURL") == nil {
			r.wrong(Error, rep, "", "5.3.9.1", "add a SegmentTemplate, SegmentList, SegmentBase or BaseURL", "no segments", "nothing says where the segments of the Representation are")
		}
		return
	}
	if r.checked[found[0]] { // by another Representation of the same
		return
	}
	r.checked[found[0]] = true
	switch found[0].name {
	case "SegmentTemplate":
		r.checkTemplate(found[0], rep)
	case "SegmentList":
		if len(found[0].all("SegmentURL")) == 0 && !slices.ContainsFunc(found, func(e *element) bool { return len(e.all("SegmentURL")) > 0 }) && !found[0].remote() {
			r.wrong(Warning, found[0], "", "5.3.9.3.2", "", "", "a SegmentList without SegmentURLs")
		}
	}
	for _, e := range found {
		if line := e.child("SegmentTimeline"); line != nil {
			if !r.checked[line] {
				r.checked[line] = true
				r.checkTimeline(line, rep, p)
			}
			break
		}
	}
	if s.Longest > Seconds(time.Hour) && inherited(rep, found[0].name, "timescale") == "" {
		r.wrong(Warning, found[0], "/@timescale", "5.3.9.2.2", "add it: without it times are in whole seconds", "", "segments of "+spanOf(s.Longest)+", and no @timescale")
	}
}

// checkTemplate checks a SegmentTemplate: 5.3.9.4.
func (r *mpdReader) checkTemplate(t, rep *element) {
	media := inherited(rep, "SegmentTemplate", "media")
	timeline := inheritedChild(rep, "SegmentTimeline")
	duration := inherited(rep, "SegmentTemplate", "duration")
	for _, name := range [...]string{"media", "initialization", "index", "bitstreamSwitching"} {
		if v, ok := t.get(name); ok {
			r.identifiers(t, name, v)
		}
	}
	if media == "" {
		r.wrong(Error, t, "/@media", "5.3.9.4.2", "add it", "no media", "a SegmentTemplate without @media: the segments have no URLs")
		return
	}
	counts, times := strings.Contains(media, "$Number"), strings.Contains(media, "$Time")
	switch {
	case counts && times:
		r.wrong(Error, t, "/@media", "5.3.9.4.4", "keep one", "both", "@media has both $Number$ and $Time$")
	case times && timeline == nil && duration == "":
		r.wrong(Error, t, "", "5.3.9.4.4", "add a SegmentTimeline", "time", "@media has $Time$, and there is no SegmentTimeline")
	case counts && timeline == nil && duration == "":
		r.wrong(Error, t, "", "5.3.9.2.2", "add @duration or a SegmentTimeline", "duration", "@media has $Number$, and neither @duration nor a SegmentTimeline says how many there are")
	case !counts && !times && (timeline != nil && len(timeline.all("S")) > 1 || r.live):
		r.wrong(Warning, t, "/@media", "5.3.9.4.4", "use $Number$ or $Time$", "same", "every segment has the same URL: @media has neither $Number$ nor $Time$")
	}
	if timeline != nil && duration != "" {
		r.wrong(Error, t, "/@duration", "5.3.9.2.2", "keep one", "duration and timeline", "@duration together with a SegmentTimeline")
	}
	if duration == "0" {
		r.wrong(Error, t, "/@duration", "5.3.9.2.2", "write the length of a segment", "zero", "@duration is 0")
	}
}

// inheritedChild is the innermost child of a name of the segment information
// that counts for a Representation.
func inheritedChild(rep *element, name string) *element {
	for e := rep; e != nil; e = e.parent {
		if s := e.child("SegmentTemplate"); s != nil {
			if c := s.child(name); c != nil {
				return c
			}
		}
	}
	return nil
}

// identifiers checks the $…$ of a template: 5.3.9.4.4.
func (r *mpdReader) identifiers(t *element, name, text string) {
	wrong := func(cure, what string) {
		r.wrong(Error, t, "/@"+name, "5.3.9.4.4", cure, "", "@"+name+": "+what)
	}
	parts := strings.Split(text, "$")
	if len(parts)%2 == 0 {
		wrong("write $$ for a dollar sign", "a $ that nothing closes")
		return
	}
	for i := 1; i < len(parts); i += 2 {
		id, format, formatted := strings.Cut(parts[i], "%")
		switch id {
		case "":
			continue // $$
		case "RepresentationID":
			if formatted {
				wrong("write $RepresentationID$", "$RepresentationID$ with a format")
			}
		case "Number", "Time", "Bandwidth", "SubNumber":
			if formatted && !isFormat(format) {
				wrong("write it like $"+id+"%05d$", "the format %"+short(format)+" of $"+id+"$ is not %0<width>d")
			}
			if name == "initialization" && (id == "Number" || id == "Time") {
				wrong("leave it out", "$"+id+"$ has no meaning here")
			}
		default:
			wrong("use $RepresentationID$, $Number$, $Time$, $Bandwidth$ or $SubNumber$", "there is no $"+short(id)+"$")
		}
	}
}

func isFormat(f string) bool {
	width, ok := strings.CutSuffix(f, "d")
	return ok && strings.HasPrefix(width, "0") && strings.Trim(width, "0123456789") == ""
}

// checkTimeline checks a SegmentTimeline: 5.3.9.6.
func (r *mpdReader) checkTimeline(line, rep *element, p *Period) {
	scale := timescaleOf(rep)
	all := line.all("S")
	if len(all) == 0 && !r.live {
		r.wrong(Error, line, "", "5.3.9.6.2", "add S elements", "no S", "a SegmentTimeline without S")
	}
	longest, _ := parseDuration(r.doc.root.str("maxSegmentDuration"))
	var now uint64
	known := false // where the next S should begin
	for i, s := range all {
		t, hasT := s.get("t")
		if start, err := strconv.ParseUint(t, 10, 64); hasT && err == nil {
			switch {
			case known && start < now:
				r.wrong(Error, s, "/@t", "5.3.9.6.1", "begin where the one before ends", "overlap", fmt.Sprintf("the segment begins %s before the one before it ends", span(mediaSpan(now-start, scale))))
			case known && start > now:
				r.wrong(Warning, s, "/@t", "5.3.9.6.1", "list what is missing, or signal it as a gap", "gap", fmt.Sprintf("there is nothing for %s before the segment", span(mediaSpan(start-now, scale))))
			}
			now = start
		}
		d := s.uintOf("d", 0)
		if d == 0 && s.str("d") != "" {
			r.wrong(Error, s, "/@d", "5.3.9.6.2", "write its length", "zero", "a segment of no duration")
		}
		if longest > 0 && mediaSpan(d, scale) > longest+time.Millisecond {
			g := Error
			if mediaSpan(d, scale) < longest+longest/10 {
				g = Warning // audio frames do not divide seconds
			}
			r.wrong(g, s, "/@d", "5.3.1.2", "raise it", "longest", fmt.Sprintf("a segment of %s is longer than @maxSegmentDuration (%s)", span(mediaSpan(d, scale)), span(longest)))
		}
		repeats, _ := strconv.ParseInt(s.str("r"), 10, 64)
		if known = repeats >= 0; !known {
			if _, next := nextTime(all, i); !next && i+1 < len(all) {
				r.wrong(Error, s, "/@r", "5.3.9.6.2", "give the next S its @t", "open", "an S that repeats until the next one, which has no @t")
			}
			continue
		}
		if n := uint64(repeats) + 1; d > 0 && n > (1<<63-now)/d {
			r.wrong(Error, s, "/@r", "5.3.9.6.2", "", "huge", "an S repeats beyond every clock")
			return
		}
		now += (uint64(repeats) + 1) * d
	}
	r.timelineEnd(line, rep, p, now, known, scale)
}

func nextTime(all []*element, i int) (string, bool) {
	if i+1 == len(all) {
		return "", false
	}
	return all[i+1].get("t")
}

// timelineEnd compares the end of a timeline with that of its Period.
func (r *mpdReader) timelineEnd(line, rep *element, p *Period, end uint64, known bool, scale uint64) {
	if !known || end == 0 || p.Duration == 0 {
		return
	}
	offset, _ := strconv.ParseUint(inherited(rep, "SegmentTemplate", "presentationTimeOffset"), 10, 64)
	if end < offset {
		r.wrong(Error, line, "", "5.3.9.2.2", "correct @presentationTimeOffset", "offset", "all segments end before the @presentationTimeOffset: none is ever shown")
		return
	}
	have, want := mediaSpan(end-offset, scale), time.Duration(p.Duration)
	longest := time.Duration(0)
	for _, s := range line.all("S") {
		longest = max(longest, mediaSpan(s.uintOf("d", 0), scale))
	}
	switch {
	case have > want+longest+time.Millisecond:
		r.wrong(Warning, line, "", "5.3.9.6.1", "leave out what is behind the Period's end", "beyond", fmt.Sprintf("the segments go on %s behind the end of the Period", span(have-want)))
	case !r.live && have+max(longest, 500*time.Millisecond) < want:
		r.wrong(Warning, line, "", "5.3.9.6.1", "list the missing segments, or shorten the Period", "short", fmt.Sprintf("the segments end %s before the Period", span(want-have)))
	}
}
