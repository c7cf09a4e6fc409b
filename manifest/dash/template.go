package dash

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"manifold/manifest"
)

// Template is a compiled MPD. It is immutable and safe for use by many
// goroutines.
type Template struct {
	src   []byte
	nodes []node
	marks []mark
	infos []info
	bases int32 // how many of the marks are BaseURLs

	periods []period
	events  []event
	inband  []inband
	index   manifest.Index

	rootName    span
	dvb         bool   // it follows a profile of DVB
	dvbPrefix   string // the root's prefix for dvbNamespace, "" without
	hasLocation bool   // it has a Location
	steered     bool   // it has a ContentSteering
	head        int32  // start of the MPD's first child after ProgramInformation, 0 without
	tail        span   // the MPD's last child of its namespace that always stays
	close       int32  // start of </MPD>, 0 for an empty-element tag

	maxSegment, update, depth, length, longest time.Duration

	forms manifest.Forms
	held  atomic.Int64 // bytes of the forms made

	once  sync.Once
	plain *manifest.Form // the source, without slots

	listing sync.Once
	listed  []Period

	timing sync.Once
	timed  *Timeline
}

// Compile reads an MPD in UTF-8. The template keeps src, which must not change
// any more. The error is an [*Error]. Document types are refused, and
// everything that XML calls a fatal error; what follows the MPD's schema and
// what does not is not asked.
//
// Time is linear in len(src); the input is bounded to 8 MiB, 64 levels,
// 200,000 elements, comments and sections, 128 attributes of an element and
// 64 namespaces in scope.
func Compile(src []byte) (*Template, error) {
	if len(src) > maxSource {
		return nil, &Error{Offset: maxSource, Text: "the MPD is larger than " + strconv.Itoa(maxSource) + " bytes", Line: 1, Column: 1}
	}
	if f := checkBytes(src); f != nil {
		return nil, explain(src, f)
	}
	t := &Template{src: src}
	t.index.Kind = manifest.DASH
	c := compiler{t: t}
	c.begin(src)
	if f := c.compile(); f != nil {
		return nil, explain(src, f)
	}
	t.settle()
	return t, nil
}

func (t *Template) text(p span) []byte { return t.src[p.from:p.to] }

// Kind is manifest.DASH.
func (t *Template) Kind() manifest.Kind { return manifest.DASH }

// Index is the little that others need to know of the MPD; it is not to be
// changed.
func (t *Template) Index() *manifest.Index { return &t.index }

// Steered tells whether the MPD declares content steering of its own.
func (t *Template) Steered() bool { return t.steered }

// Source is the MPD as it was compiled; it is not to be changed.
func (t *Template) Source() []byte { return t.src }

// Cost is the memory held in bytes: the source, what was found in it, and the
// forms made so far.
func (t *Template) Cost() int64 {
	n := int64(unsafe.Sizeof(*t)) + int64(cap(t.src)) + t.held.Load()
	n += int64(cap(t.nodes)) * int64(unsafe.Sizeof(node{}))
	n += int64(cap(t.marks)) * int64(unsafe.Sizeof(mark{}))
	n += int64(cap(t.infos)) * int64(unsafe.Sizeof(info{}))
	n += int64(cap(t.events)) * int64(unsafe.Sizeof(event{}))
	n += int64(cap(t.inband)) * int64(unsafe.Sizeof(inband{}))
	return n + int64(cap(t.periods))*int64(unsafe.Sizeof(period{}))
}

// Append renders the MPD for a plan onto dst. A nil plan, or one without a
// shape, is identity: the source byte for byte. It allocates nothing where
// dst has room and the form of (plan.Shape, plan.Path) was made before.
//
// Slot values are URL-safe text; an & or ' in one (Bunny's path tokens have
// it) is escaped here, what is escaped already stays. A token that goes into
// the query of a SegmentTemplate has no $.
func (t *Template) Append(dst []byte, plan *manifest.Plan) []byte {
	if plan == nil || plan.Shape == nil {
		return append(dst, t.src...)
	}
	values, borrowed := safeValues(plan.Values)
	dst = t.form(plan, values).Append(dst, values)
	borrowed.put()
	return dst
}

// AppendGzip appends the same as a complete gzip member.
func (t *Template) AppendGzip(dst []byte, plan *manifest.Plan) []byte {
	if plan == nil || plan.Shape == nil {
		t.once.Do(func() {
			b := manifest.NewBuilder(nil, len(t.src))
			b.Bytes(t.src)
			t.plain = b.Form()
			t.held.Add(int64(len(t.src)))
		})
		return t.plain.AppendGzip(dst, nil)
	}
	values, borrowed := safeValues(plan.Values)
	dst = t.form(plan, values).AppendGzip(dst, values)
	borrowed.put()
	return dst
}

// Shared is Append, or with gzip AppendGzip, into memory that all requests
// with the same values read and nobody may change; nil where there is none
// (see [manifest.Form.Shared]).
func (t *Template) Shared(plan *manifest.Plan, gzip bool) []byte {
	if plan == nil || plan.Shape == nil {
		return nil
	}
	form := t.forms.Get(plan.Shape, plan.Path)
	if form == nil || !form.Shareable() {
		return nil
	}
	values, borrowed := safeValues(plan.Values)
	out := form.Shared(values, gzip)
	borrowed.put()
	return out
}

// Specialise gives the form of the MPD for a shape and the MPD's own path
// (see manifest.Plan.Path), asked for without a query, made at the first call.
func (t *Template) Specialise(shape *manifest.Shape, path string) *manifest.Form {
	return t.form(&manifest.Plan{Shape: shape, Path: path}, nil)
}

// form is the form of a plan, made at the first call; values are those of this
// plan, escaped, which may so be longer than the shape declares.
func (t *Template) form(plan *manifest.Plan, values [][]byte) *manifest.Form {
	shape, path := plan.Shape, plan.Path
	if f := t.forms.Get(shape, path); f != nil {
		return f
	}
	made := t.render(plan, escapedLengths(shape.SlotLengths, values))
	kept := t.forms.Add(shape, strings.Clone(path), made)
	if kept == made {
		t.held.Add(int64(made.Held()))
	}
	return kept
}
