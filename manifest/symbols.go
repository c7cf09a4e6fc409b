package manifest

import "encoding/binary"

// maxSymbols is how many symbols there are: 256 for text, the rest for the
// bytes of the slots in use.
const maxSymbols = 1 << 16

// read makes the symbols of a form. It gives false where the length of a slot
// in use varies, or the slots are too long together.
func (d *deflater) read(f *Form) bool {
	d.last, d.first = d.last[:0], d.first[:0]
	next := 256
	for s, n := range f.uses {
		d.last = append(d.last, -1)
		d.first = append(d.first, next)
		if n == 0 {
			continue
		}
		gap := f.gap(Slot(s))
		if gap <= 0 || gap > maxSymbols-next {
			return false
		}
		next += gap
	}
	d.text, d.n = f.text, len(f.text)
	if need := 2*d.n + 8; cap(d.sym) < need {
		d.sym = make([]byte, need)
	} else {
		d.sym = d.sym[:need]
	}
	d.occ = d.occ[:0]
	from := 0
	for _, c := range f.cuts {
		d.readText(from, c.at)
		from = c.at + f.lens[c.slot]
		d.occ = append(d.occ, occurrence{c.at, from, c.slot})
		first := d.first[c.slot] - c.at
		for i := c.at; i < from; i++ {
			binary.LittleEndian.PutUint16(d.sym[2*i:], uint16(first+i))
		}
	}
	d.readText(from, d.n)
	clear(d.sym[2*d.n:])
	return true
}

func (d *deflater) readText(from, to int) {
	text, sym := d.text[from:to], d.sym[2*from:2*to]
	for i, c := range text {
		binary.LittleEndian.PutUint16(sym[2*i:], uint16(c))
	}
}
