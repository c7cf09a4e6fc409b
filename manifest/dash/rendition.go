package dash

import (
	"strconv"
	"strings"

	"manifold/manifest"
)

// Renditions gives the Representations of all Periods, in document order. It
// reads their tags anew each time. Group is the AdaptationSet's id.
func (t *Template) Renditions() []manifest.Rendition { return t.first(t.index.Variants) }

// first gives the first n Representations, or all.
func (t *Template) first(n int) []manifest.Rendition {
	n = min(n, t.index.Variants)
	all := make([]manifest.Rendition, 0, n)
	d := describer{t: t, set: -1, tags: &tags{scanner{src: t.src}}}
	for i := range t.nodes {
		if len(all) == n {
			break
		}
		if t.nodes[i].ctx == ctxRepresentation {
			all = append(all, d.describe(int32(i)))
		}
	}
	return all
}

// describer reads what Representations and their AdaptationSets say (ISO/IEC
// 23009-1, 5.3.7.2: most attributes may stand at either; the inner one counts).
type describer struct {
	t    *Template
	tags *tags
	set  int32       // the AdaptationSet that was read last, or -1
	all  description // what it says
}

type description struct {
	manifest.Rendition
	content, mime string
	trick         bool
}

func (d *describer) describe(i int32) manifest.Rendition {
	n := &d.t.nodes[i]
	if d.set != n.parent {
		d.set, d.all = n.parent, description{}
		d.all.read(d.t, d.tags, n.parent)
		d.all.Group, d.all.ID = d.all.ID, ""
	}
	one := d.all
	one.read(d.t, d.tags, i)
	one.Kind = kindOf(one.content, one.mime, one.Codecs)
	if one.Kind != 0 && one.trick {
		one.Kind = manifest.TrickPlay
	}
	if one.Range == "" && (strings.HasPrefix(one.Codecs, "dvh") || strings.HasPrefix(one.Codecs, "dav")) {
		one.Range = "PQ" // Dolby Vision; no player without it has the codec
	}
	return one.Rendition
}

// read takes the attributes and properties of one level.
func (d *description) read(t *Template, tags *tags, level int32) {
	n := &t.nodes[level]
	for _, a := range tags.of(span{n.start, n.tag}) {
		value := t.text(a.value)
		switch string(t.text(a.name)) {
		case "id":
			d.ID = decode(value)
		case "lang":
			d.Language = decode(value)
		case "contentType":
			d.content = decode(value)
		case "mimeType":
			d.mime = decode(value)
		case "codecs":
			d.Codecs = decode(value)
		case "bandwidth":
			d.Bitrate, _ = strconv.Atoi(decode(value))
		case "width":
			d.Width, _ = strconv.Atoi(decode(value))
		case "height":
			d.Height, _ = strconv.Atoi(decode(value))
		case "frameRate":
			d.FrameRate = frameRate(decode(value))
		}
	}
	if n.transfer != 0 {
		d.Range = rangeOf(n.transfer)
	}
	d.trick = d.trick || n.trick
}

// kindOf tells what a Representation is by its AdaptationSet's content type,
// else by its media type; 0 where neither says.
func kindOf(content, mime, codecs string) manifest.StreamKind {
	family, subtype, _ := strings.Cut(mime, "/")
	if content == "" {
		content = family
	}
	switch content {
	case "video":
		return manifest.Video
	case "audio":
		return manifest.Audio
	case "text":
		return manifest.Subtitles
	case "image":
		return manifest.TrickPlay
	case "application":
		if subtype == "ttml+xml" || strings.HasPrefix(codecs, "stpp") || strings.HasPrefix(codecs, "wvtt") {
			return manifest.Subtitles
		}
	}
	return 0
}

// frameRate reads "25" and "30000/1001"; what is neither counts as not said.
func frameRate(s string) float64 {
	above, below, ratio := strings.Cut(s, "/")
	n, err := strconv.ParseFloat(above, 64)
	if err != nil || !(n >= 0) {
		return 0
	}
	if !ratio {
		return n
	}
	d, err := strconv.ParseFloat(below, 64)
	if err != nil || !(d > 0) {
		return 0
	}
	return n / d
}

// rangeOf names transfer characteristics (ISO/IEC 23091-2, 8.2) as HLS does.
func rangeOf(v uint8) string {
	switch v {
	case 16:
		return "PQ"
	case 18:
		return "HLG"
	}
	return "SDR"
}
