package manifest

// StreamKind is what a listed stream is.
type StreamKind uint8

// The kinds of streams. A Variant is what an HLS player switches between (a
// variant stream, RFC 8216, section 4.3.4.2); in DASH, a Representation of
// video is a Video, since audio is chosen beside it.
const (
	Variant StreamKind = iota + 1
	Video
	Audio
	Subtitles
	ClosedCaptions
	TrickPlay // I-frames or images: EXT-X-I-FRAME-STREAM-INF, EssentialProperty trickmode
)

// String names the kind as explanations do.
func (k StreamKind) String() string {
	switch k {
	case Variant:
		return "variant"
	case Video:
		return "video"
	case Audio:
		return "audio"
	case Subtitles:
		return "subtitles"
	case ClosedCaptions:
		return "closed captions"
	case TrickPlay:
		return "trick play"
	}
	return "unknown"
}

// Rendition is one stream that a manifest lists, as far as a [Filter] or a
// reader of explanations asks. What the manifest does not say is the zero
// value.
type Rendition struct {
	Kind StreamKind
	// URI is the reference to the stream's playlist as the manifest has it,
	// its known variables expanded; "" where it has none of its own.
	URI string
	// ID is the name that stays the same over pathways and reloads
	// (STABLE-VARIANT-ID, STABLE-RENDITION-ID, Representation@id).
	ID string
	// Group is the GROUP-ID a rendition belongs to, Name its NAME.
	Group, Name string
	// Language is a tag of BCP 47.
	Language string
	// Default says that it is played unless the viewer chooses otherwise.
	Default bool
	// Pathway is the origin's own PATHWAY-ID or serviceLocation.
	Pathway string

	Bitrate       int // peak, bits per second
	Width, Height int // pixels
	FrameRate     float64
	// Codecs is the list of RFC 6381, comma-separated.
	Codecs string
	// Range is the VIDEO-RANGE: SDR, HLG or PQ.
	Range string
}

// Lines is the number that a resolution is called by ("1080"): the height, or
// the width where the picture stands upright.
func (r *Rendition) Lines() int { return min(r.Width, r.Height) }
