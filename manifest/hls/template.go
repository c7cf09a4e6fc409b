package hls

import (
	"strings"
	"sync"
	"unsafe"

	"manifold/manifest"
)

// Template is a compiled playlist: the origin's bytes and what of them is to
// be replaced. It is safe for use by many goroutines.
type Template struct {
	src   []byte
	index manifest.Index

	marks    []mark    // media playlists: every URI
	segments []segment // media playlists
	cues     []cue     // media playlists
	entries  []entry   // multivariant playlists

	variables map[string]variable
	top       int // behind #EXTM3U and EXT-X-VERSION: where tags may be added
	tail      int // behind the last segment
	crlf      bool
	ended     bool
	steered   bool // it has an EXT-X-CONTENT-STEERING

	skipped uint64 // segments that EXT-X-SKIP stands for

	forms    manifest.Forms
	once     sync.Once
	source   *manifest.Form // the source as it is
	timed    sync.Once
	timeline *manifest.Timeline
}

// Append renders the playlist for one request onto dst. A nil plan, or one
// without a Shape, gives the source byte for byte. The first request of a
// shape and path makes the form; after that nothing is allocated but what dst
// lacks in room.
func (t *Template) Append(dst []byte, plan *manifest.Plan) []byte {
	if plan == nil || plan.Shape == nil {
		return append(dst, t.src...)
	}
	return t.form(plan).Append(dst, plan.Values)
}

// AppendGzip is Append with the result compressed: a whole gzip stream
// (RFC 1952).
func (t *Template) AppendGzip(dst []byte, plan *manifest.Plan) []byte {
	if plan == nil || plan.Shape == nil {
		t.once.Do(func() {
			b := manifest.NewBuilder(nil, len(t.src))
			b.Bytes(t.src)
			t.source = b.Form()
		})
		return t.source.AppendGzip(dst, nil)
	}
	return t.form(plan).AppendGzip(dst, plan.Values)
}

// Shared is Append, or with gzip AppendGzip, into memory that all requests
// with the same values read and nobody may change; nil where there is none
// (see [manifest.Form.Shared]).
func (t *Template) Shared(plan *manifest.Plan, gzip bool) []byte {
	if plan == nil || plan.Shape == nil {
		return nil
	}
	return t.form(plan).Shared(plan.Values, gzip)
}

// form finds the form of a plan, or makes it. The plan's path may be gone
// after the request: what is kept is a copy.
func (t *Template) form(plan *manifest.Plan) *manifest.Form {
	if f := t.forms.Get(plan.Shape, plan.Path); f != nil {
		return f
	}
	path := strings.Clone(plan.Path)
	return t.forms.Add(plan.Shape, path, t.Specialise(plan.Shape, path))
}

// Specialise makes the form of the template for a shape, where path is the
// playlist's own canonical path below the origin's root. Append does it as
// needed; who knows his shapes beforehand can do it ahead.
//
// A shape without pathways has nothing to say: the source stays as it is.
func (t *Template) Specialise(shape *manifest.Shape, path string) *manifest.Form {
	switch {
	case len(shape.Pathways) == 0 || uint(shape.Current) >= uint(len(shape.Pathways)):
		b := manifest.NewBuilder(shape.SlotLengths, len(t.src))
		b.Bytes(t.src)
		return b.Form()
	case t.index.Kind == manifest.HLSMultivariant:
		return t.multivariant(shape, path)
	}
	return t.media(shape, path)
}

// Steered tells whether the playlist declares content steering of its own.
func (t *Template) Steered() bool { return t.steered }

// Index tells what others need to know of the playlist. It must not be
// changed.
func (t *Template) Index() *manifest.Index { return &t.index }

// Kind is HLSMultivariant or HLSMedia.
func (t *Template) Kind() manifest.Kind { return t.index.Kind }

// Source is the playlist as the origin sent it. It must not be changed.
func (t *Template) Source() []byte { return t.src }

// Cost is the memory in bytes that the template is to be charged with: the
// source, the marks, and one specialised form with its compressed twin and what
// is shared of it, since a template in use has at least that.
func (t *Template) Cost() int64 {
	n := int64(unsafe.Sizeof(*t)) + int64(cap(t.src))
	n += int64(cap(t.marks)) * int64(unsafe.Sizeof(mark{}))
	n += int64(cap(t.segments)) * int64(unsafe.Sizeof(segment{}))
	n += int64(cap(t.cues)) * int64(unsafe.Sizeof(cue{}))
	n += int64(cap(t.entries)) * int64(unsafe.Sizeof(entry{}))
	n += int64(len(t.variables)) * 64
	const growth = 64 // a session address is about that much longer than a reference
	return n + 2*(int64(len(t.src))+growth*int64(len(t.marks)+len(t.entries)))
}
