package manifest

import "time"

// Kind is what a manifest is.
type Kind uint8

// The kinds of manifest.
const (
	HLSMultivariant Kind = iota + 1
	HLSMedia
	DASH
)

// String names the kind as logs and metrics do.
func (k Kind) String() string {
	switch k {
	case HLSMultivariant:
		return "hls-multivariant"
	case HLSMedia:
		return "hls-media"
	case DASH:
		return "dash"
	}
	return "unknown"
}

// Index is the little that others need to know of a compiled manifest.
type Index struct {
	Kind Kind
	// Live says that the origin will publish another version: a media
	// playlist without EXT-X-ENDLIST, an MPD of type dynamic.
	Live bool
	// Target is EXT-X-TARGETDURATION, or the longest segment of an MPD
	// (maxSegmentDuration, else minimumUpdatePeriod); 0 where unknown.
	Target time.Duration
	// Window is the media time listed: the sum of EXTINF, or
	// timeShiftBufferDepth, or mediaPresentationDuration.
	Window time.Duration
	// MediaSequence is EXT-X-MEDIA-SEQUENCE of a media playlist.
	MediaSequence uint64
	// DiscontinuitySequence is EXT-X-DISCONTINUITY-SEQUENCE alike.
	DiscontinuitySequence uint64
	// Segments counts what a media playlist lists, or an MPD at most of the
	// streams of each Period, where numbers stand for the time-shift buffer.
	Segments int
	// Variants counts the variants of a multivariant playlist, or the
	// Representations of an MPD.
	Variants int
}
