package manifest

import (
	"sync"
	"sync/atomic"
)

// Form is a template specialised for one shape and path: text with slots cut
// into it. It is immutable, and rendering it neither parses nor allocates.
type Form struct {
	text []byte
	cuts []cut
	// size is the rendered length with all slots at their declared lengths.
	size int
	lens []int

	once sync.Once
	gz   *gzipForm // nil after once: no compressed form holds for this text
}

// cut is a slot before text[at].
type cut struct {
	at   int
	slot Slot
}

// Append renders the form onto dst.
func (f *Form) Append(dst []byte, values [][]byte) []byte {
	if n := f.size; cap(dst)-len(dst) < n {
		grown := make([]byte, len(dst), len(dst)+n)
		copy(grown, dst)
		dst = grown
	}
	from := 0
	for _, c := range f.cuts {
		dst = append(dst, f.text[from:c.at]...)
		if int(c.slot) < len(values) {
			dst = append(dst, values[c.slot]...)
		}
		from = c.at
	}
	return append(dst, f.text[from:]...)
}

// Size is the rendered length in bytes when every slot has its declared
// length.
func (f *Form) Size() int { return f.size }

// Builder collects the text of a form. The zero Builder is not ready: see
// [NewBuilder].
type Builder struct {
	f *Form
}

// NewBuilder begins a form whose slots have the given lengths (see
// Shape.SlotLengths) and whose text will be about size bytes long.
func NewBuilder(lengths []int, size int) *Builder {
	return &Builder{&Form{text: make([]byte, 0, size), lens: lengths}}
}

// Bytes adds literal text.
func (b *Builder) Bytes(p []byte) { b.f.text = append(b.f.text, p...) }

// String adds literal text.
func (b *Builder) String(s string) { b.f.text = append(b.f.text, s...) }

// Byte adds one byte of literal text.
func (b *Builder) Byte(c byte) { b.f.text = append(b.f.text, c) }

// Slot adds a slot.
func (b *Builder) Slot(s Slot) { b.f.cuts = append(b.f.cuts, cut{len(b.f.text), s}) }

// Form ends the building and gives the result; the Builder is spent.
func (b *Builder) Form() *Form {
	f := b.f
	b.f = nil
	f.size = len(f.text)
	for _, c := range f.cuts {
		if int(c.slot) < len(f.lens) {
			f.size += f.lens[c.slot]
		}
	}
	return f
}

// formsKept bounds the forms that one template keeps. A live template lives
// for seconds, and its audience falls into few shapes: pathway orders times
// device profiles in use.
const formsKept = 64

// Forms is the bounded cache of a template's forms, by shape and path. The
// zero Forms is ready. Reading takes no lock.
type Forms struct {
	list atomic.Pointer[[]formEntry]
	mu   sync.Mutex
}

type formEntry struct {
	shape *Shape
	path  string
	form  *Form
}

// Get finds the form of (shape, path), or nil.
func (c *Forms) Get(shape *Shape, path string) *Form {
	if l := c.list.Load(); l != nil {
		for i := range *l {
			if e := &(*l)[i]; e.shape == shape && e.path == path {
				return e.form
			}
		}
	}
	return nil
}

// Add keeps a form. Where two goroutines made the same, the first one stays,
// and is returned. When the cache is full the oldest entry leaves.
func (c *Forms) Add(shape *Shape, path string, form *Form) *Form {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.Get(shape, path); have != nil {
		return have
	}
	var old []formEntry
	if l := c.list.Load(); l != nil {
		old = *l
	}
	if len(old) >= formsKept {
		old = old[1:]
	}
	list := make([]formEntry, 0, len(old)+1)
	list = append(append(list, old...), formEntry{shape, path, form})
	c.list.Store(&list)
	return form
}
