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

// makeGzip makes the compressed twin, and leaves it out where it does not
// hold.
func (f *Form) makeGzip() {
	m := gzipMakers.Get().(*gzipMaker)
	if g := m.form(f); g != nil && m.holds(f, g) {
		f.gz = g
	}
	if len(f.text) <= maxKeptText {
		m.d.text = nil
		gzipMakers.Put(m)
	}
}

// maxTwinText bounds the text that a compressed twin is made for, in bytes: it
// is above what a manifest may be, and within what positions can count.
const maxTwinText = 64 << 20

// maxKeptText bounds the text whose buffers the pools keep, in bytes.
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

// crcSlots gives the slots in use with their factors.
func (f *Form) crcSlots() []gzipSlot {
	sums := make([]crcSum, len(f.uses))
	for _, c := range f.cuts {
		sums[c.slot].add(c.at + f.lens[c.slot])
	}
	slots := make([]gzipSlot, 0, len(sums))
	for s := range sums {
		if f.uses[s] > 0 {
			slots = slots[:len(slots)+1]
			slot := &slots[len(slots)-1]
			slot.slot, slot.factor = Slot(s), newCRCFactor(sums[s].at(len(f.text)))
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
		for s := range f.uses {
			v := make([]byte, f.gap(Slot(s)))
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
