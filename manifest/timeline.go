package manifest

import "time"

// Timeline is what a media playlist lists, in order, with its times.
type Timeline struct {
	Segments []Segment
	Cues     []Cue
	// Tail is where the source goes on behind the last segment.
	Tail int
}

// Segment is a media segment.
type Segment struct {
	// Sequence is its media sequence number.
	Sequence uint64
	// Start is the media time since the first segment listed.
	Start, Duration time.Duration
	// Date is the wall-clock time of its first sample: EXT-X-PROGRAM-DATE-TIME,
	// or what follows from the nearest one before it, else behind it. Zero
	// where there is none.
	Date time.Time
	// Dated says that the segment has an EXT-X-PROGRAM-DATE-TIME of its own.
	Dated bool
	// Discontinuity and Gap say that it has the tag.
	Discontinuity, Gap bool
	// From and To enclose its lines in the source, tags and URI.
	From, To int
}

// Cue is a line that speaks of a break, as it stands in the source; ssai reads
// it. A break of the DATERANGE form has its time in itself; the others stand
// where they mean.
type Cue struct {
	// Tag is the line's tag without "#" ("EXT-X-CUE-OUT"), Raw the whole line
	// without its line end.
	Tag string
	Raw []byte
	// At is the offset of Raw in the source.
	At int
	// Segment is the index of the segment that the line stands before;
	// len(Segments) behind the last.
	Segment int
}
