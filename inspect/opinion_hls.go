package inspect

import (
	"fmt"
	"time"

	grafov "github.com/grafov/m3u8"

	"manifold/manifest"
	"manifold/manifest/hls"
)

// heardMedia is what grafov/m3u8 keeps of a media playlist.
type heardMedia struct {
	segments  int
	sum       time.Duration
	durations []time.Duration
	sequence  uint64
	ended     bool
}

func hearMedia(src []byte) (h heardMedia, err error) {
	list, err := grafovMedia(src)
	if err != nil {
		return h, err
	}
	h = heardMedia{sequence: list.SeqNo, ended: list.Closed}
	for _, s := range list.Segments[:min(int(list.Count()), len(list.Segments))] {
		if s == nil {
			continue
		}
		d := time.Duration(s.Duration * 1e9)
		h.segments++
		h.sum += d
		h.durations = append(h.durations, d)
	}
	return h, nil
}

// secondMedia asks grafov/m3u8 about a media playlist.
func secondMedia(t *hls.Template) Opinion {
	o := Opinion{Reader: grafovName}
	h, err := hearMedia(t.Source())
	if err != nil {
		o.Failed = err.Error()
		return o
	}
	x := t.Index()
	o.Reads = fmt.Sprintf("%s, %s, sequence %d", number(h.segments, "segment", "segments"), span(h.sum), h.sequence)
	var d differences
	d.ints("segments", x.Segments, h.segments)
	if x.Segments == h.segments {
		d.spans("window", x.Window, h.sum)
	}
	d.ints("media sequence", int(x.MediaSequence), int(h.sequence))
	if h.ended == x.Live {
		d = append(d, fmt.Sprintf("ended: %v here, %v there", !x.Live, h.ended))
	}
	o.Differs = d
	return o
}

// heardVariant is what grafov/m3u8 keeps of a variant.
type heardVariant struct {
	uri, resolution, codecs string
	bandwidth               uint32
}

// heardMaster is what it keeps of a multivariant playlist.
type heardMaster struct {
	variants []heardVariant
	trick    int
}

func hearMaster(src []byte) (h heardMaster, err error) {
	list, err := grafovMaster(src)
	if err != nil {
		return h, err
	}
	for _, v := range list.Variants {
		if v == nil {
			continue
		}
		if v.Iframe {
			h.trick++
			continue
		}
		h.variants = append(h.variants, variantHeard(v))
	}
	return h, nil
}

func variantHeard(v *grafov.Variant) heardVariant {
	return heardVariant{v.URI, v.Resolution, v.Codecs, v.Bandwidth}
}

// secondMaster asks grafov/m3u8 about a multivariant playlist.
func secondMaster(t *hls.Template) Opinion {
	o := Opinion{Reader: grafovName}
	h, err := hearMaster(t.Source())
	if err != nil {
		o.Failed = err.Error()
		return o
	}
	o.Reads = number(len(h.variants), "variant", "variants")
	if h.trick > 0 {
		o.Reads += ", " + number(h.trick, "I-frame playlist", "I-frame playlists")
	}
	var d differences
	d.ints("variants", t.Index().Variants, len(h.variants))
	var ours []manifest.Rendition
	for _, r := range t.Renditions() {
		if r.Kind == manifest.Variant {
			ours = append(ours, r)
		}
	}
	for i := range ours {
		if i < len(h.variants) && len(ours) == len(h.variants) && uint32(ours[i].Bitrate) != h.variants[i].bandwidth {
			d = append(d, fmt.Sprintf("bandwidth of variant %d: %d here, %d there", i+1, ours[i].Bitrate, h.variants[i].bandwidth))
			break
		}
	}
	o.Differs = d
	return o
}
