package hls

import "manifold/manifest"

// media specialises a media playlist. Segments and what is read like them
// (maps, parts, hints, keys) come from the current pathway; playlists stay in
// the session: reports of sibling renditions under the same pathway,
// interstitial assets as manifests of their own (appendix D of rfc8216bis). What
// the edge does not do is not offered (serverControl).
func (t *Template) media(shape *manifest.Shape, path string) *manifest.Form {
	r := newResolver(t, shape, path)
	current := &shape.Pathways[shape.Current]
	from := t.pathways(shape)
	b := manifest.NewBuilder(shape.SlotLengths, len(t.src)+len(t.marks)*mediaGrowth(shape, r.dir))
	at := uint32(0)
	for i := range t.marks {
		m := &t.marks[i]
		if m.tag == tagServerControl {
			b.Bytes(t.src[at:m.from])
			at = m.to
			continue
		}
		to := target{where: below}
		var plain bool
		if to.text, plain = r.plain(m.from, m.to); !plain {
			if to = r.resolve(m.from, m.to); to.where == elsewhere {
				continue
			}
		}
		b.Bytes(t.src[at:m.from])
		at = m.to
		if m.bare {
			b.Byte('"')
		}
		switch {
		case to.where == outside:
			b.String(to.text)
		case m.tag == tagRenditionReport:
			b.Address(shape, current.ID, to.text)
		case m.tag == tagDateRange:
			b.Address(shape, manifest.NoPathway, to.text)
		default:
			b.MediaURL(shape, from(i), to.text)
		}
		b.String(to.fragment)
		if m.bare {
			b.Byte('"')
		}
	}
	b.Bytes(t.src[at:])
	return b.Form()
}

// pathways tells from which pathway what a mark names is fetched: asked for the
// marks in their order. What stands before a segment goes with it.
func (t *Template) pathways(shape *manifest.Shape) func(mark int) int {
	away := shape.Away
	if away == nil || uint(away.Pathway) >= uint(len(shape.Pathways)) || len(t.segments) == 0 {
		return func(int) int { return shape.Current }
	}
	list := t.Timeline().Segments
	next, at := 0, shape.Current // the next segment, and the pathway up to it
	enter := func() {
		i := min(next, len(list)-1)
		end := list[i].Date.Add(list[i].Duration)
		if next == len(list) { // parts of the one that comes
			end = end.Add(t.index.Target)
		}
		if at = shape.Current; away.Has(end, t.index.Target) {
			at = away.Pathway
		}
	}
	enter()
	return func(mark int) int {
		for next < len(list) && int(t.segments[next].mark) < mark {
			next++
			enter()
		}
		return at
	}
}

// mediaGrowth is by how many bytes a plain reference grows.
func mediaGrowth(shape *manifest.Shape, dir string) int {
	p := &shape.Pathways[shape.Current]
	n := len(dir) + 2
	slot := manifest.SlotSession
	if shape.Segments == manifest.SegmentsDirect {
		n += len(p.Base)
		if slot = manifest.SlotToken(shape.Current); p.Token == manifest.NoToken {
			return n
		}
	} else {
		n += len(shape.Prefix) + len(shape.Cohort) + len(p.ID) + len("/~c.//")
	}
	if int(slot) < len(shape.SlotLengths) {
		n += shape.SlotLengths[slot]
	}
	return n
}
