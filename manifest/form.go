package manifest

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Form is a template specialised for one shape and path: text with slots cut
// into it. It is immutable, and rendering it neither parses nor allocates.
type Form struct {
	// text has a gap of zeros, as long as declared, for each slot: so a render
	// is one large copy and one small one a slot.
	text []byte
	cuts []cut
	lens []int // the slots' declared lengths, by Slot; 0: varies
	uses []int // how many cuts a slot has, by Slot

	once sync.Once
	gz   *gzipForm // nil after once: no compressed form holds for this text

	plain, compressed lastRender
}

// cut is a slot whose gap begins at text[at].
type cut struct {
	at   int
	slot Slot
}

// Append renders the form onto dst. It allocates only where dst has not the
// room.
func (f *Form) Append(dst []byte, values [][]byte) []byte {
	if !f.fits(values) {
		return f.appendPieces(dst, values)
	}
	from := len(dst)
	dst = append(dst, f.text...)
	out := dst[from:]
	for _, c := range f.cuts {
		copy(out[c.at:], values[c.slot])
	}
	return dst
}

// fits tells whether the values of all slots in use have their declared
// lengths.
func (f *Form) fits(values [][]byte) bool {
	for s, n := range f.uses {
		if n > 0 && (s >= len(values) || len(values[s]) != f.gap(Slot(s))) {
			return false
		}
	}
	return true
}

// gap is the declared length of a slot, or 0.
func (f *Form) gap(s Slot) int {
	if int(s) < len(f.lens) {
		return max(f.lens[s], 0)
	}
	return 0
}

// appendPieces renders values of any lengths.
func (f *Form) appendPieces(dst []byte, values [][]byte) []byte {
	size := len(f.text)
	for s, n := range f.uses {
		size -= n * f.gap(Slot(s))
		if s < len(values) {
			size += n * len(values[s])
		}
	}
	dst = slices.Grow(dst, size)
	from := 0
	for _, c := range f.cuts {
		dst = append(dst, f.text[from:c.at]...)
		if int(c.slot) < len(values) {
			dst = append(dst, values[c.slot]...)
		}
		from = c.at + f.gap(c.slot)
	}
	return append(dst, f.text[from:]...)
}

// Size is the rendered length in bytes when every slot has its declared
// length.
func (f *Form) Size() int { return len(f.text) }

// Held is the memory in bytes that the form is to be charged with: its text,
// and another one where a render of it may be shared.
func (f *Form) Held() int {
	if f.Shareable() {
		return 2 * len(f.text)
	}
	return len(f.text)
}

// Builder collects the text of a form. The zero Builder is not ready: see
// [NewBuilder].
type Builder struct {
	f *Form
}

// NewBuilder begins a form whose slots have the given lengths (see
// Shape.SlotLengths) and which will render to about size bytes.
func NewBuilder(lengths []int, size int) *Builder {
	return &Builder{&Form{text: make([]byte, 0, size), lens: lengths}}
}

// Bytes adds literal text.
func (b *Builder) Bytes(p []byte) { b.f.text = append(b.f.text, p...) }

// String adds literal text.
func (b *Builder) String(s string) { b.f.text = append(b.f.text, s...) }

// Byte adds one byte of literal text.
func (b *Builder) Byte(c byte) { b.f.text = append(b.f.text, c) }

// Slot adds a slot; s is not negative.
func (b *Builder) Slot(s Slot) {
	f := b.f
	for int(s) >= len(f.uses) {
		f.uses = append(f.uses, 0)
	}
	f.uses[s]++
	f.cuts = append(f.cuts, cut{len(f.text), s})
	f.text = append(f.text, make([]byte, f.gap(s))...)
}

// Form ends the building and gives the result; the Builder is spent.
func (b *Builder) Form() *Form {
	f := b.f
	b.f = nil
	return f
}

// formsKept bounds the forms that one template keeps, and formBytesKept their
// text. A live template lives for seconds, and its audience falls into few
// shapes: pathway orders times device profiles in use.
const (
	formsKept     = 64
	formBytesKept = 64 << 20
)

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
// and is returned. When the cache is full the oldest entries leave.
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
	size := form.Held()
	for i := range old {
		size += old[i].form.Held()
	}
	for len(old) > 0 && (len(old) >= formsKept || size > formBytesKept) {
		size -= old[0].form.Held()
		old = old[1:]
	}
	list := make([]formEntry, 0, len(old)+1)
	list = append(append(list, old...), formEntry{shape, path, form})
	c.list.Store(&list)
	return form
}
