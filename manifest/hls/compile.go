package hls

import (
	"bytes"
	"slices"
	"time"

	"manifold/manifest"
)

// Bounds of what is compiled. A playlist over one of them is refused with
// [ErrBounds]; time and memory are linear in its size.
const (
	MaxSource     = 4 << 20  // bytes of a playlist
	MaxLine       = 16 << 10 // bytes of a line, and of a URI with its variables expanded
	MaxAttributes = 256      // attributes of a tag
	MaxSegments   = 100_000  // segments and parts of a media playlist
	MaxEntries    = 10_000   // variants, renditions and other tags of a multivariant playlist
)

// Compile reads a playlist once. The Template keeps src: nobody may change it
// afterwards. The error is an *[Error].
func Compile(src []byte) (*Template, error) {
	if len(src) > MaxSource {
		return nil, &Error{1, 1, 0, "playlist is larger than 4 MiB", ErrBounds}
	}
	c := compiler{src: src, t: &Template{src: src}, waiting: -1}
	if err := c.header(); err != nil {
		return nil, err
	}
	const most = 1 << 14 // what is longer grows as needed: many lines may be no segments
	guess := min(bytes.Count(src, newline)/2+4, most)
	c.t.marks = make([]mark, 0, guess)
	c.t.segments = make([]segment, 0, guess)
	for c.next < len(src) {
		if c.kind == manifest.HLSMedia && c.t.variables == nil {
			if c.pairs(); c.next == len(src) {
				break
			}
		}
		if err := c.readLine(); err != nil {
			return nil, err
		}
	}
	return c.finish()
}

var newline = []byte{'\n'}

// mark is a URI in a media playlist: src[from:to] is replaced when the
// playlist is specialised. With tagServerControl it is left out.
type mark struct {
	from, to uint32
	tag      tag
	bare     bool // an attribute's value that should have been quoted and is not
}

// entry is a tag of a multivariant playlist that is rewritten as a whole.
type entry struct {
	tag         tag
	at, end     uint32 // the tag from "#" to the end of its text
	list        uint32 // where its attribute list begins
	uri, uriEnd uint32 // the URI: an attribute's value or, for a variant, its line
	stop        uint32 // behind the line end of the tag or, for a variant, of its URI line
}

// compiler is the state of one pass.
type compiler struct {
	src []byte
	t   *Template

	line int
	// The line at hand: at is its first byte, from to to its text without
	// blanks and line end, next the line that follows.
	at, from, to, next int

	attr    attribute // the one at hand
	kind    manifest.Kind
	waiting int // the variant whose URI line has not come, or -1
	inHead  bool

	parts    int
	duration time.Duration
	flags    segmentFlags
	block    int // where the lines of the next segment begin
	expanded int // bytes that variables add
	window   time.Duration
}

func (c *compiler) fail(kind error, at int, text string) error {
	return &Error{c.line, at - c.at + 1, at, text, kind}
}

// finish completes the template.
func (c *compiler) finish() (*Template, error) {
	if c.waiting >= 0 {
		return nil, c.noVariantURI()
	}
	t := c.t
	if c.kind == 0 {
		c.kind = manifest.HLSMedia
	}
	if t.tail = c.block; c.inHead {
		t.tail = len(c.src)
	}
	t.index.Kind = c.kind
	t.index.Live = c.kind == manifest.HLSMedia && !t.ended
	t.index.Window = c.window
	t.index.Segments = len(t.segments)
	if c.kind == manifest.HLSMultivariant {
		t.marks, t.segments = nil, nil
	}
	t.marks, t.segments = fit(t.marks), fit(t.segments)
	return t, nil
}

// fit gives back room that was guessed and is not needed.
func fit[T any](s []T) []T {
	if cap(s) > 2*len(s)+8 {
		return slices.Clone(s)
	}
	return s
}
