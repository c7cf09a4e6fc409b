package hls

import "time"

// segment is a media segment: its lines begin at src[at] and end with the URI
// line of its mark.
type segment struct {
	at       uint32
	mark     uint32 // index into marks
	duration time.Duration
	flags    segmentFlags
}

// segmentFlags tell which tags a segment has.
type segmentFlags uint8

const (
	discontinuity segmentFlags = 1 << iota
	gap
	dated // EXT-X-PROGRAM-DATE-TIME
)

// cue is a line that speaks of a break, raw: src[from:to]. It stands before
// segments[segment].
type cue struct {
	from, to uint32
	segment  uint32
	tag      tag
}

func (c *compiler) cue(tg tag) {
	c.t.cues = append(c.t.cues, cue{uint32(c.from), uint32(c.to), uint32(len(c.t.segments)), tg})
}
