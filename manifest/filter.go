package manifest

import (
	"slices"
	"strings"
)

// Order says how the variants of a multivariant playlist are arranged. Players
// start with the first they can play.
type Order uint8

// The orders of variants.
const (
	AsListed Order = iota
	Ascending
	Descending
)

// Filter says which of a manifest's streams a shape lists. The zero Filter
// lists all. A property that the manifest does not state passes; what would
// leave a player with nothing to play is not carried through (see the format's
// package).
type Filter struct {
	// MinLines and MaxLines bound the picture (see [Rendition.Lines]); 0: no
	// bound.
	MinLines, MaxLines int
	// MinBitrate and MaxBitrate bound the peak bits per second; 0: no bound.
	// They are not asked of trick play.
	MinBitrate, MaxBitrate int
	// MaxFrameRate bounds the pictures per second; 0: no bound.
	MaxFrameRate float64
	// Codecs are what may be listed, as RFC 6381 begins them ("avc1",
	// "mp4a.40", "hvc1.1"): a stream passes when each of its audio and video
	// codecs begins with one of them. Empty: any.
	Codecs []string
	// SDROnly drops what VIDEO-RANGE says is HLG or PQ.
	SDROnly bool
	// Languages are those of audio that is listed, as ranges of RFC 4647,
	// section 3.3.1 ("de" has "de-AT" too); Subtitles are those of subtitles.
	// Empty: any.
	Languages, Subtitles []string
	// Order arranges HLS variants by bitrate.
	Order Order
	// StartBitrate puts the best variant of no more bits per second first (or
	// the smallest, where all have more); 0: none is put first.
	StartBitrate int
}

// Keeps decides about one stream, by itself.
func (f *Filter) Keeps(r *Rendition) bool {
	switch r.Kind {
	case Audio:
		return f.keepsCodecs(r.Codecs) && matches(f.Languages, r.Language)
	case Subtitles:
		return matches(f.Subtitles, r.Language)
	case ClosedCaptions:
		return true
	}
	lines := r.Lines()
	if lines > 0 && (lines < f.MinLines || f.MaxLines > 0 && lines > f.MaxLines) {
		return false
	}
	if f.SDROnly && r.Range != "" && r.Range != "SDR" {
		return false
	}
	if r.Kind == TrickPlay {
		return f.keepsCodecs(r.Codecs)
	}
	if r.Bitrate > 0 && (r.Bitrate < f.MinBitrate || f.MaxBitrate > 0 && r.Bitrate > f.MaxBitrate) {
		return false
	}
	// 29.97 is written as 29.970 and 30000/1001: a bound of 30 has both.
	if f.MaxFrameRate > 0 && r.FrameRate > f.MaxFrameRate+0.001 {
		return false
	}
	return f.keepsCodecs(r.Codecs)
}

func (f *Filter) keepsCodecs(list string) bool {
	if len(f.Codecs) == 0 {
		return true
	}
	for codec := range strings.SplitSeq(list, ",") {
		codec = strings.TrimSpace(codec)
		if codec == "" || isText(codec) {
			continue
		}
		if !slices.ContainsFunc(f.Codecs, func(begin string) bool { return within(codec, begin) }) {
			return false
		}
	}
	return true
}

// isText tells the codecs of subtitles and pictures, which no list of audio
// and video codecs means.
func isText(codec string) bool {
	family, _, _ := strings.Cut(codec, ".")
	return slices.Contains([]string{"stpp", "wvtt", "tx3g", "c608", "c708", "text", "vtt", "jpeg", "mjpg", "png"}, family)
}

// matches is the basic filtering of RFC 4647: without regard to case, whole
// subtags. A stream without a language matches.
func matches(ranges []string, tag string) bool {
	if len(ranges) == 0 || tag == "" {
		return true
	}
	return slices.ContainsFunc(ranges, func(r string) bool {
		return r == "*" || len(tag) >= len(r) && strings.EqualFold(tag[:len(r)], r) && (len(tag) == len(r) || tag[len(r)] == '-')
	})
}
