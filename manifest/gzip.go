package manifest

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// gzipForm is the compressed twin of a form: a gzip member (RFC 1952) whose
// slots' first values stand in stored blocks, all later ones being
// back-references to them. A render copies it, patches the values in and
// corrects the CRC-32; the length never depends on a value, so that nothing
// leaks by size.
type gzipForm struct {
	member  []byte // complete, with zeros for the values
	patches []patch
	slots   []gzipSlot
	crc     uint32 // of the text with zeros for the values
}

// gzipSlot is a slot in use and the factor that is the sum of x^(8d) over its
// places, d being the bytes of text that follow.
type gzipSlot struct {
	slot   Slot
	factor crcFactor
	last   atomic.Pointer[lastValue]
	misses atomic.Uint32 // how often another came since it did
}

// lastValue is one of the values that a slot had last: a CDN's token is the same
// for all viewers for minutes.
type lastValue struct {
	value []byte
	part  uint32
}

// patience is how many others come before one of them takes its place; then
// twice as many, and so on: values that are each viewer's own do not make
// renders allocate.
const patience = 64

// part is what a value adds to the CRC of the whole.
func (s *gzipSlot) part(value []byte) uint32 {
	if s.slot == SlotSession {
		return s.factor.times(rawCRC(value))
	}
	last := s.last.Load()
	if last != nil && bytes.Equal(last.value, value) {
		if s.misses.Load() != 0 {
			s.misses.Store(0)
		}
		return last.part
	}
	part := s.factor.times(rawCRC(value))
	if n := s.misses.Add(1); last == nil || n >= patience && n&(n-1) == 0 {
		s.last.Store(&lastValue{bytes.Clone(value), part})
	}
	return part
}

// gzipHeader has no name, no time, no flags, and an unknown system.
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// AppendGzip appends a complete gzip member (RFC 1952) whose content is
// exactly what Append(nil, values) gives. Where all slots have the lengths
// declared and given, it is made from a compressed template, which the first
// call makes (about 1 ms for 70 kB of text); else the text is compressed anew.
func (f *Form) AppendGzip(dst []byte, values [][]byte) []byte {
	f.once.Do(f.makeGzip)
	if f.gz == nil || !f.fits(values) {
		return f.compress(dst, values)
	}
	return f.gz.append(dst, values)
}

func (g *gzipForm) append(dst []byte, values [][]byte) []byte {
	from := len(dst)
	dst = append(dst, g.member...)
	out := dst[from:]
	for _, p := range g.patches {
		copy(out[p.at:p.at+p.n], values[p.slot][p.from:])
	}
	crc := g.crc
	for i := range g.slots {
		crc ^= g.slots[i].part(values[g.slots[i].slot])
	}
	binary.LittleEndian.PutUint32(out[len(out)-8:], crc)
	return dst
}

// compress renders the plain text and compresses it.
func (f *Form) compress(dst []byte, values [][]byte) []byte {
	p := plainGzips.Get().(*plainGzip)
	p.text = f.Append(p.text[:0], values)
	p.out = dst
	p.w.Reset(p)
	_, _ = p.w.Write(p.text)
	_ = p.w.Close()
	dst, p.out = p.out, nil
	if cap(p.text) > maxKeptText {
		p.text = nil
	}
	plainGzips.Put(p)
	return dst
}

// plainGzip is the scratch of a render that no compressed twin serves.
type plainGzip struct {
	text []byte
	out  []byte
	w    *gzip.Writer
}

// Write appends to the output; it never fails.
func (p *plainGzip) Write(b []byte) (int, error) {
	p.out = append(p.out, b...)
	return len(b), nil
}

// plainLevel is the compression level where no twin serves.
const plainLevel = 1

var plainGzips = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, plainLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &plainGzip{w: w}
}}
