package manifest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"sync"

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

// gzipSlot is a slot in use and the sum of x^(8d) over its places, d being the
// bytes of text that follow.
type gzipSlot struct {
	slot Slot
	sum  uint32
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
	for _, s := range g.slots {
		crc ^= crcMul(rawCRC(values[s.slot]), s.sum)
	}
	binary.LittleEndian.PutUint32(out[len(out)-8:], crc)
	return dst
}

// makeGzip makes the compressed twin, and leaves it out where it does not
// hold.
func (f *Form) makeGzip() {
	m := gzipMakers.Get().(*gzipMaker)
	if g := m.form(f); g != nil && m.holds(f, g) {
		f.gz = g
	}
	m.d.text = nil
	if cap(m.d.sym) > 4*maxKeptText {
		m.d.sym = nil
	}
	if cap(m.text) > maxKeptText {
		m.text, m.back = nil, nil
	}
	gzipMakers.Put(m)
}

// maxTwinText bounds the text that a compressed twin is made for, in bytes: it
// is above what a manifest may be, and within what positions can count.
const maxTwinText = 64 << 20

// maxKeptText bounds the text buffers that the pools keep, in bytes.
const maxKeptText = 1 << 20

// gzipMaker is the scratch of making and verifying compressed twins.
type gzipMaker struct {
	d      deflater
	out    []byte
	text   []byte
	back   []byte
	values [][]byte
	src    bytes.Reader
	r      gzip.Reader
}

var gzipMakers = sync.Pool{New: func() any { return new(gzipMaker) }}

// form makes the twin of f, or nil where a slot's length varies.
func (m *gzipMaker) form(f *Form) *gzipForm {
	if len(f.text) > maxTwinText || !m.d.read(f) {
		return nil
	}
	m.out = m.d.run(append(m.out[:0], gzipHeader...))
	g := &gzipForm{
		patches: slices.Clone(m.d.patches),
		slots:   f.crcSlots(),
		crc:     crc32.ChecksumIEEE(f.text),
	}
	m.out = binary.LittleEndian.AppendUint32(m.out, g.crc)
	m.out = binary.LittleEndian.AppendUint32(m.out, uint32(len(f.text)))
	g.member = slices.Clone(m.out)
	return g
}

// crcSlots gives the slots in use with their sums.
func (f *Form) crcSlots() []gzipSlot {
	sums := make([]crcSum, len(f.uses))
	for _, c := range f.cuts {
		sums[c.slot].add(c.at + f.lens[c.slot])
	}
	var slots []gzipSlot
	for s := range sums {
		if f.uses[s] > 0 {
			slots = append(slots, gzipSlot{Slot(s), sums[s].at(len(f.text))})
		}
	}
	return slots
}

// holds inflates renders of g with two sets of values and compares them with
// the plain renders.
func (m *gzipMaker) holds(f *Form, g *gzipForm) bool {
	const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	const token = "st=0123456789~exp/abcdef.hmac*!%2FURLPrefix&Signature:KeyName,()"
	seed := uint32(len(f.text))*2 + 1
	for _, alphabet := range [...]string{base64url, token} {
		m.values = m.values[:0]
		for _, n := range f.lens {
			v := make([]byte, n)
			for i := range v {
				seed = seed*1664525 + 1013904223
				v[i] = alphabet[seed>>26]
			}
			m.values = append(m.values, v)
		}
		m.text = f.Append(m.text[:0], m.values)
		m.out = g.append(m.out[:0], m.values)
		if !m.inflates(m.out, m.text) {
			return false
		}
	}
	return true
}

// inflates tells whether member is one complete gzip member of text.
func (m *gzipMaker) inflates(member, text []byte) bool {
	m.src.Reset(member)
	if m.r.Reset(&m.src) != nil {
		return false
	}
	m.r.Multistream(false)
	if cap(m.back) <= len(text) {
		m.back = make([]byte, len(text)+1)
	}
	back := m.back[:len(text)+1]
	for n := 0; n < len(back); {
		k, err := m.r.Read(back[n:])
		n += k
		if err == io.EOF {
			return bytes.Equal(back[:n], text) && m.src.Len() == 0
		}
		if err != nil {
			return false
		}
	}
	return false
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
