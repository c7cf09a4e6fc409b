package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// The reference rendition of a Period (of the presentation, in HLS) is the one
// on which a break is snapped. It is, of the siblings whose tracks are known:
//
//  1. one with pictures before one that may have some, before one of sound
//     alone, before one of subtitles; I-frames and images never: their
//     boundaries are not those of segments that are played;
//  2. then one that ever had a cue before one that never had: what is told
//     where breaks are is right about where they can be;
//  3. then the highest bitrate, then the most lines, then the first listed.
//
// So it follows from what the manifest lists and from which tracks were seen,
// and not from the order in which they came.

// class is how good a reference a rendition is, 0 the best, noReference never.
type class uint8

const (
	withPictures class = iota
	perhapsPictures
	soundAlone
	textAlone
	noReference
)

func classOf(r *Rendition) class {
	switch r.Kind {
	case Video:
		return withPictures
	case Audio:
		return soundAlone
	case Subtitles:
		return textAlone
	case TrickPlay, ClosedCaptions:
		return noReference
	}
	switch {
	case r.Height > 0:
		return withPictures
	case r.Codecs == "":
		return perhapsPictures
	}
	for codec := range strings.SplitSeq(r.Codecs, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(codec), "."); pictures[name] {
			return withPictures
		} else if !sounds[name] {
			return perhapsPictures
		}
	}
	return soundAlone
}

// The sample entries of RFC 6381 codec strings that are pictures, or sound.
var (
	pictures = setOf("avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "dva1", "dvav", "av01", "vp08", "vp09", "vvc1", "vvi1", "mp4v")
	sounds   = setOf("mp4a", "ac-3", "ec-3", "ac-4", "Opus", "opus", "fLaC", "flac", "alac", "mhm1", "mha1", "dtsc", "dtse", "dtsh", "dtsx", "iamf")
)

func setOf(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// rank orders siblings by the rule, but for the cues: best first.
func rank(siblings []Sibling) (order []int32, classes []class) {
	order, classes = make([]int32, len(siblings)), make([]class, len(siblings))
	for i := range siblings {
		order[i], classes[i] = int32(i), classOf(&siblings[i].Rendition)
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		a, b := &siblings[x].Rendition, &siblings[y].Rendition
		return cmp.Or(cmp.Compare(siblings[x].Period, siblings[y].Period), cmp.Compare(classes[x], classes[y]),
			cmp.Compare(b.Bitrate, a.Bitrate), cmp.Compare(b.Lines(), a.Lines()))
	})
	return order, classes
}

// references finds the reference of each Period; -1 where there is none.
func (v *View) references() {
	p := v.p
	v.reference = make([]int32, max(len(p.periods), 1))
	for i := range v.reference {
		v.reference[i] = -1
	}
	for _, i := range p.order {
		t, at := v.tracks[i], p.siblings[i].Period
		if t == nil || p.classes[i] == noReference || len(t.Line.Runs) == 0 {
			continue
		}
		if was := v.reference[at]; was < 0 || p.classes[was] == p.classes[i] && v.cued[i] && !v.cued[was] {
			v.reference[at] = i
		}
	}
}
