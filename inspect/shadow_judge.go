package inspect

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"manifold/manifest"
	"manifold/manifest/dash"
	"manifold/manifest/hls"
)

// judge compares what a library keeps of an answer with what our templates say
// of its source. Where they differ, what the library keeps of the source itself
// tells whether it can be a witness at all.
func (c *shadowCase) judge() (v verdict, what []string) {
	err := recovered("the comparison", func() error {
		v, what = c.compare()
		return nil
	})
	if err != nil {
		return differs, []string{err.Error()}
	}
	return v, what
}

func (c *shadowCase) compare() (verdict, []string) {
	if bytes.HasPrefix(c.output, []byte{0x1f, 0x8b}) {
		plainText, err := inflate(c.output)
		if err != nil {
			return differs, []string{err.Error()}
		}
		c.output = plainText
	}
	switch c.kind {
	case manifest.HLSMedia, manifest.HLSMultivariant:
		t, err := hls.Compile(c.source)
		if err != nil {
			return differs, []string{"the source does not compile again: " + err.Error()}
		}
		if c.kind == manifest.HLSMedia {
			return c.media(t)
		}
		return c.multivariant(t)
	case manifest.DASH:
		t, err := dash.Compile(c.source)
		if err != nil {
			return differs, []string{"the source does not compile again: " + err.Error()}
		}
		return c.mpd(t)
	}
	return unread, nil
}

// media compares segments: how many, how long, from which number, and whether
// there will be more.
func (c *shadowCase) media(t *hls.Template) (verdict, []string) {
	h, err := hearMedia(c.output)
	if err != nil {
		return unread, nil
	}
	d := diffMedia(t, &h)
	if len(d) == 0 {
		return agrees, nil
	}
	if own, err := hearMedia(c.source); err != nil || len(diffMedia(t, &own)) > 0 {
		return disputed, d
	}
	return differs, d
}

func diffMedia(t *hls.Template, h *heardMedia) (d differences) {
	x, tl := t.Index(), t.Timeline()
	d.ints("segments", len(tl.Segments), h.segments)
	d.ints("media sequence", int(x.MediaSequence), int(h.sequence))
	if h.ended == x.Live {
		d = append(d, fmt.Sprintf("ended: %v here, %v there", !x.Live, h.ended))
	}
	for i := range min(len(tl.Segments), len(h.durations)) {
		if !near(tl.Segments[i].Duration, h.durations[i]) {
			d.spans(fmt.Sprintf("segment %d", i+1), tl.Segments[i].Duration, h.durations[i])
			break
		}
	}
	return d
}

// multivariant compares variants: each of the source's that the filter keeps,
// once for each pathway that is listed.
func (c *shadowCase) multivariant(t *hls.Template) (verdict, []string) {
	h, err := hearMaster(c.output)
	if err != nil {
		return unread, nil
	}
	own, err := hearMaster(c.source)
	if err != nil {
		return unread, nil
	}
	d := c.diffMaster(t, &h, &own)
	switch {
	case len(d) == 0:
		return agrees, nil
	case len(own.variants) != t.Index().Variants:
		return disputed, d
	}
	return differs, d
}

func (c *shadowCase) diffMaster(t *hls.Template, h, own *heardMaster) (d differences) {
	shape := c.plan.Shape
	if len(shape.Pathways) == 0 {
		d.ints("variants", t.Index().Variants, len(h.variants))
		return d
	}
	if want := c.expected(t); len(want) > 0 && !want[len(h.variants)] {
		d = append(d, fmt.Sprintf("variants: %s here, %d there", anyOf(want), len(h.variants)))
	}
	known := make(map[heardVariant]bool)
	for _, v := range own.variants {
		v.uri = ""
		known[v] = true
	}
	perPathway := make(map[string]int)
	for i, v := range h.variants {
		perPathway[pathwayOfAddress(v.uri)]++
		if v.uri = ""; !known[v] {
			d = append(d, fmt.Sprintf("variant %d of the answer is none of the source's", i+1))
			break
		}
	}
	// A URI that it did not see (it takes a blank line for one) proves nothing.
	if shape.Steering != nil && perPathway[""] == 0 {
		for _, p := range shape.Pathways[1:] {
			if first := shape.Pathways[0].ID; perPathway[first] != perPathway[p.ID] {
				d = append(d, fmt.Sprintf("variants of pathway %s: %d, of %s: %d", first, perPathway[first], p.ID, perPathway[p.ID]))
			}
		}
	}
	return d
}

// expected are the numbers of variants that an answer may have. There are
// several where the origin has pathways of its own, of which one stays.
func (c *shadowCase) expected(t *hls.Template) map[int]bool {
	shape := c.plan.Shape
	theirs := shape.OriginSteering && shape.Steering == nil
	byOrigin := make(map[string][]manifest.Rendition)
	for _, r := range t.Renditions() {
		if r.Kind != manifest.Variant {
			continue
		}
		id := pathwayName(r.Pathway)
		if theirs {
			id = "" // all stay
		}
		byOrigin[id] = append(byOrigin[id], r)
	}
	want := make(map[int]bool)
	for _, list := range byOrigin {
		var kept []manifest.Rendition
		for _, r := range list {
			if shape.Filter == nil || shape.Filter.Keeps(&r) {
				kept = append(kept, r)
			}
		}
		if len(kept) == 0 { // the least stays: there must be something to play
			kept = list[:1]
			if shape.Steering == nil && shape.Backups > 0 && !theirs {
				// Which one it is decides whether it has backups.
				want[1] = true
				want[min(len(shape.Pathways), 1+shape.Backups)] = true
				continue
			}
		}
		n := 0
		for _, r := range kept {
			n += c.copies(&r, theirs)
		}
		want[n] = true
	}
	return want
}

// copies is how often a variant stands in the answer.
func (c *shadowCase) copies(r *manifest.Rendition, theirs bool) int {
	shape := c.plan.Shape
	switch {
	case theirs:
		return 1
	case shape.Steering != nil:
		return len(shape.Pathways)
	}
	if _, ours := manifest.Resolve(shape.Source, c.plan.Path, strings.Trim(r.URI, " \t")); !ours {
		return 1
	}
	return min(len(shape.Pathways), 1+max(shape.Backups, 0))
}

func anyOf(want map[int]bool) string {
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(want)) {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, " or ")
}

// pathwayOfAddress gives the pathway of a session address:
// {prefix}/~{session}/{pathway}/{path}.
func pathwayOfAddress(uri string) string {
	_, rest, ok := strings.Cut(uri, "/~")
	if !ok {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "/")
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// mpd compares Periods, AdaptationSets, Representations, segments and pathways.
func (c *shadowCase) mpd(t *dash.Template) (verdict, []string) {
	h, err := hearMPD(c.output)
	if err != nil {
		return unread, nil
	}
	diff := func(h *heardMPD) differences {
		if c.plan.Shape.Filter == nil && !inQuery(c.plan.Shape) {
			return diffMPD(t, h)
		}
		return diffFiltered(t, h)
	}
	d := diff(&h)
	if len(d) > 0 {
		if own, err := hearMPD(c.source); err != nil || len(diffMPD(t, &own)) > 0 {
			return disputed, d
		}
		return differs, d
	}
	if d = c.diffBases(&h); len(d) > 0 {
		return differs, d
	}
	return agrees, nil
}

// diffFiltered compares an answer from which a filter may have taken
// Representations: none may be new, no Period may be empty that was not, and
// the segments of those that are there are the source's.
func diffFiltered(t *dash.Template, h *heardMPD) (d differences) {
	ours := t.Periods()
	if d.ints("Periods", len(ours), len(h.periods)); len(d) > 0 {
		return d
	}
	all := t.Renditions()
	listed := 0
	for i := range ours {
		place := make(map[string]int)
		for _, s := range ours[i].Sets {
			for j := range s.Count {
				place[all[s.First+j].ID] = s.First + j
			}
		}
		left := 0
		for j, z := range h.periods[i].sets {
			for k := range z.representations {
				left++
				r := &z.representations[k]
				n, ok := place[r.id]
				if !ok {
					d = append(d, fmt.Sprintf("Period %d: Representation %s is none of the source's", i+1, short(r.id)))
				} else if k == 0 && listed <= maxListed {
					listed += lookUp + d.segments(t, fmt.Sprintf("Period %d, AdaptationSet %d", i+1, j+1), n, r)
				}
			}
		}
		if left == 0 && hasSound(all, place) {
			d = append(d, fmt.Sprintf("Period %d: nothing is left to play", i+1))
		}
		if len(d) > 16 {
			break
		}
	}
	return d
}

// hasSound tells whether a Period had video or audio.
func hasSound(all []manifest.Rendition, place map[string]int) bool {
	for _, n := range place {
		if k := all[n].Kind; k == manifest.Video || k == manifest.Audio {
			return true
		}
	}
	return false
}

// listedIn are the pathways that an MPD lists. One whose token stands in the
// query is listed alone or not at all: a reference below a BaseURL replaces
// the query.
func listedIn(shape *manifest.Shape) []manifest.Pathway {
	all := shape.Pathways
	if shape.Steering == nil {
		all = all[:min(len(all), 1+max(shape.Backups, 0))]
	}
	if shape.Segments != manifest.SegmentsDirect {
		return all
	}
	if inQuery(shape) {
		return all[:1]
	}
	return slices.DeleteFunc(slices.Clone(all), func(p manifest.Pathway) bool { return p.Token == manifest.InQuery })
}

// inQuery tells that the first pathway has its token in the query: in MPDs, the
// one in use. Representations at other hosts that share a SegmentTemplate with
// ours are left out then, as under a filter.
func inQuery(shape *manifest.Shape) bool {
	return len(shape.Pathways) > 0 && shape.Segments == manifest.SegmentsDirect && shape.Pathways[0].Token == manifest.InQuery
}

// diffBases asks for the same number of base URLs of the MPD on every pathway
// that is listed.
func (c *shadowCase) diffBases(h *heardMPD) (d differences) {
	shape := c.plan.Shape
	if len(shape.Pathways) == 0 || shape.OriginSteering && shape.Steering == nil {
		return nil
	}
	all := listedIn(shape)
	count := make([]int, len(all))
	for _, url := range h.bases {
		if i := pathwayOfBase(strings.TrimSpace(url), shape, all); i >= 0 {
			count[i]++
		}
	}
	for i := range count {
		if count[i] != count[0] {
			d = append(d, fmt.Sprintf("base URLs of pathway %s: %d, of %s: %d", all[0].ID, count[0], all[i].ID, count[i]))
		}
	}
	return d
}

// pathwayOfBase finds whose a base URL is; -1 where it is nobody's.
func pathwayOfBase(url string, shape *manifest.Shape, listed []manifest.Pathway) int {
	best, length := -1, 0
	for i := range listed {
		p := &listed[i]
		if shape.Segments != manifest.SegmentsDirect {
			if pathwayOfAddress(url) == p.ID {
				return i
			}
			continue
		}
		begin, end := p.Base, ""
		if p.Token == manifest.InPath {
			begin, end = p.Base[:p.TokenAt], "/"+p.Base[p.TokenAt:]
		}
		if strings.HasPrefix(url, begin) && strings.Contains(url[len(begin):]+"/", end) && len(p.Base) > length {
			best, length = i, len(p.Base)
		}
	}
	return best
}

// stampOf is the time that a case is named by.
func stampOf(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }
