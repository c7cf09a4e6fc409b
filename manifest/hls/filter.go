package hls

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"manifold/manifest"
)

// Renditions gives the streams that a multivariant playlist lists, in its
// order; none for a media playlist. It reads the tags anew each time.
func (t *Template) Renditions() []manifest.Rendition {
	m := multivariant{t: t}
	m.read()
	var all []manifest.Rendition
	for i := range m.lines {
		if r := m.rendition(&m.lines[i]); r.Kind != 0 {
			all = append(all, r)
		}
	}
	return all
}

// rendition reads what a line says of its stream; Kind is 0 where it lists
// none.
func (m *multivariant) rendition(l *line) (r manifest.Rendition) {
	switch l.tag {
	case tagStreamInf:
		r.Kind = manifest.Variant
	case tagIFrameStreamInf, tagImageStreamInf:
		r.Kind = manifest.TrickPlay
	case tagMedia:
		switch m.groupOf(l).kind {
		case "AUDIO":
			r.Kind = manifest.Audio
		case "VIDEO":
			r.Kind = manifest.Video
		case "SUBTITLES":
			r.Kind = manifest.Subtitles
		case "CLOSED-CAPTIONS":
			r.Kind = manifest.ClosedCaptions
		}
	}
	if r.Kind == 0 {
		return r
	}
	if l.uriEnd > l.uri {
		r.URI = m.t.expand(l.uri, l.uriEnd)
	}
	for i := range l.attrs {
		a := &l.attrs[i]
		value := m.t.expand(a.val, a.valEnd)
		switch strings.ToUpper(string(m.t.src[a.at:a.nameEnd])) {
		case "STABLE-VARIANT-ID", "STABLE-RENDITION-ID":
			r.ID = value
		case "GROUP-ID":
			r.Group = value
		case "NAME":
			r.Name = value
		case "LANGUAGE":
			r.Language = value
		case "DEFAULT":
			r.Default = value == "YES"
		case "PATHWAY-ID":
			r.Pathway = value
		case "BANDWIDTH":
			r.Bitrate, _ = strconv.Atoi(value)
		case "RESOLUTION":
			w, h, _ := strings.Cut(value, "x")
			r.Width, _ = strconv.Atoi(w)
			r.Height, _ = strconv.Atoi(h)
		case "FRAME-RATE":
			r.FrameRate, _ = strconv.ParseFloat(value, 64)
		case "CODECS":
			r.Codecs = value
		case "VIDEO-RANGE":
			r.Range = value
		}
	}
	return r
}

// filter drops what the shape's filter does not keep. Something is always left
// to play: where no variant passes, the one of the lowest bitrate stays (of
// those with a picture, if any has), and an audio group of which no rendition
// passes stays whole. Subtitles may all go; variants then name their group no
// more.
func (m *multivariant) filter() {
	f := m.shape.Filter
	if f == nil {
		return
	}
	var lowest *line
	var least manifest.Rendition
	kept := false
	passes := make([]bool, len(m.lines))
	heard := make(map[group]bool) // audio groups with a rendition that passes
	for i := range m.lines {
		l := &m.lines[i]
		r := m.rendition(l)
		if r.Kind == 0 || l.dropped {
			continue
		}
		passes[i] = f.Keeps(&r)
		switch r.Kind {
		case manifest.Variant:
			if lowest == nil || r.Height > 0 && least.Height == 0 ||
				r.Bitrate < least.Bitrate && (r.Height > 0 || least.Height == 0) {
				lowest, least = l, r
			}
			kept = kept || passes[i]
		case manifest.Audio:
			g := m.groupOf(l)
			heard[g] = heard[g] || passes[i]
		}
	}
	left := make(map[group]bool)
	for i := range m.lines {
		l := &m.lines[i]
		switch {
		case l.tag == tagMedia:
			g := m.groupOf(l)
			if g == (group{}) {
				continue
			}
			l.dropped = !passes[i] && (g.kind != "AUDIO" || heard[g])
			left[g] = left[g] || !l.dropped
		case l.isVariant() && !passes[i] && (kept || l != lowest):
			l.dropped = true
		}
	}
	m.gone = make(map[group]bool)
	for g, some := range left {
		m.gone[g] = !some
	}
}

// arrange decides in which places the variants stand: those of the playlist,
// filled in the filter's order.
func (m *multivariant) arrange() {
	m.placed = make([]*line, len(m.lines))
	var places []int
	var variants []*line
	for i := range m.lines {
		m.placed[i] = &m.lines[i]
		if l := &m.lines[i]; l.tag == tagStreamInf && !l.dropped {
			places, variants = append(places, i), append(variants, l)
		}
	}
	f := m.shape.Filter
	if f == nil || f.Order == manifest.AsListed && f.StartBitrate == 0 {
		return
	}
	bitrate := make(map[*line]int, len(variants))
	for _, l := range variants {
		bitrate[l] = m.rendition(l).Bitrate
	}
	if f.Order != manifest.AsListed {
		slices.SortStableFunc(variants, func(a, b *line) int {
			if f.Order == manifest.Descending {
				a, b = b, a
			}
			return cmp.Compare(bitrate[a], bitrate[b])
		})
	}
	if f.StartBitrate > 0 && len(variants) > 0 {
		first := 0
		for i, l := range variants {
			best, most := bitrate[variants[first]], f.StartBitrate
			switch is := bitrate[l]; {
			case best > most && is < best, best < is && is <= most:
				first = i
			}
		}
		l := variants[first]
		copy(variants[1:first+1], variants[:first])
		variants[0] = l
	}
	for k, i := range places {
		m.placed[i] = variants[k]
	}
}
