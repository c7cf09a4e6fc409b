package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Date ranges: rfc8216bis, section 4.4.5.1, and interstitials, appendix D.

const interstitial = "com.apple.hls.interstitial"

// dateRange takes an EXT-X-DATERANGE.
func (r *mediaReader) dateRange(l *line, all []attribute) {
	here := at{l.number, l.indent + 1, ""}
	id := valueOf(all, "ID")
	before := r.attrs[id]
	if before == nil {
		before = make(map[string]string)
		r.attrs[id] = before
		r.ranges[id] = len(r.m.Ranges)
		r.m.Ranges = append(r.m.Ranges, Range{Line: l.number, ID: id})
	}
	for i := range all {
		a := &all[i]
		if v, have := before[a.name]; have && v != a.value {
			r.add(at{l.number, a.column, ""}, hlsRule(Error, "4.4.5.1", "give it another ID, or the same value"), "", fmt.Sprintf("date range %q has another %s than on line %d", short(id), short(a.name), r.m.Ranges[r.ranges[id]].Line))
			continue
		}
		before[a.name] = a.value
		if strings.HasPrefix(a.name, "X-ASSET-") && a.value != "" {
			r.host(a.value)
		}
	}
	wrong := func(cure, text string) { r.add(here, hlsRule(Error, "4.4.5.1", cure), "", text) }
	if before["START-DATE"] == "" {
		wrong("add it", "a date range without START-DATE")
	}
	if before["END-ON-NEXT"] == "YES" {
		if before["CLASS"] == "" {
			wrong("add CLASS", "END-ON-NEXT without CLASS")
		}
		if before["DURATION"] != "" || before["END-DATE"] != "" {
			wrong("keep one of them", "END-ON-NEXT together with DURATION or END-DATE")
		}
	}
	if cue := strings.Split(before["CUE"], ","); slices.Contains(cue, "PRE") && slices.Contains(cue, "POST") {
		wrong("keep one of them", "CUE has both PRE and POST")
	}
	if before["CLASS"] == interstitial && (before["X-ASSET-URI"] == "") == (before["X-ASSET-LIST"] == "") {
		r.add(here, hlsRule(Error, "D.2", "give it one"), "", "an interstitial has X-ASSET-URI or X-ASSET-LIST, exactly one of them")
	}
	r.times(here, &r.m.Ranges[r.ranges[id]], before)
}

// times reads and checks the times of a range.
func (r *mediaReader) times(here at, g *Range, have map[string]string) {
	g.Class, g.Asset = have["CLASS"], cmp.Or(have["X-ASSET-URI"], have["X-ASSET-LIST"])
	g.SCTE35 = have["SCTE35-CMD"]+have["SCTE35-OUT"]+have["SCTE35-IN"] != ""
	start, _, ok := parseDate(have["START-DATE"])
	if ok {
		g.Start = dateOrNil(start)
	}
	d, said := seconds(have["DURATION"])
	if !said {
		var planned bool
		if d, planned = seconds(have["PLANNED-DURATION"]); planned {
			g.Planned = true
		}
	}
	g.Duration = Seconds(d)
	end, _, ends := parseDate(have["END-DATE"])
	switch {
	case !ends || !ok:
	case end.Before(start):
		r.add(here, hlsRule(Error, "4.4.5.1", "swap them"), "", "END-DATE is before START-DATE")
	case said && (end.Sub(start)-d).Abs() > overlap/100:
		r.add(here, hlsRule(Error, "4.4.5.1", "correct one of them"), "", "END-DATE is not START-DATE plus DURATION")
	default:
		g.Duration, g.Planned = Seconds(end.Sub(start)), false
	}
}

// finishRanges checks that dates can be mapped at all.
func (r *mediaReader) finishRanges() {
	if len(r.m.Ranges) > 0 && !r.dated && r.m.Skipped == 0 {
		r.add(at{r.m.Ranges[0].Line, 1, ""}, hlsRule(Error, "4.4.5.1", "add EXT-X-PROGRAM-DATE-TIME to a segment"), "",
			"date ranges without EXT-X-PROGRAM-DATE-TIME: nothing says where they are")
	}
}

// listKeys gives the kinds of encryption, the most declared first.
func (r *mediaReader) listKeys() []Key {
	if len(r.keys) == 0 {
		return nil
	}
	byKind := make(map[Key]int)
	uris := make(map[Key]int)
	for k, n := range r.keys {
		kind := Key{Method: k.Method, Format: k.Format}
		byKind[kind] += n
		uris[kind]++
	}
	var list []Key
	for k, n := range byKind {
		if k.Times = n; uris[Key{Method: k.Method, Format: k.Format}] == 1 {
			for one := range r.keys {
				if one.Method == k.Method && one.Format == k.Format {
					k.URI = one.URI
				}
			}
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Key) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Method+a.Format, b.Method+b.Format))
	})
	return list
}
