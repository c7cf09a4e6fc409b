package manifest

import (
	"encoding/binary"
	"math/bits"
)

// The compressor of forms (RFC 1951). It differs from others in what it
// reads: not bytes but symbols. A byte of text is the symbol of its value; a
// byte of a slot is a symbol of its own, by slot and offset. So a match never
// depends on what a slot holds, and a slot's bytes match only the same bytes
// of an earlier occurrence. Slot bytes are never coded as literals: an
// occurrence with no predecessor in the window goes into a stored block,
// where it stays open to patching.

const (
	minMatch  = 3
	maxMatch  = 258
	window    = 32 << 10
	hashMatch = 4 // shortest match that the hash chains find

	// As gzip -6: how long a chain is followed, the length with which one is
	// content, and the length below which the next position is tried as well.
	maxChain  = 128
	niceMatch = 128
	lazyMatch = 16

	maxTokens = 1 << 15 // in a block
)

// occurrence is one place of a slot, in rendered offsets.
type occurrence struct {
	at, end int
	slot    Slot
}

// patch says that out[at:at+n] holds the slot's value[from:from+n].
type patch struct {
	at, from, n int
	slot        Slot
}

// deflater compresses one form. Its fields are scratch that is kept.
type deflater struct {
	w    blockWriter
	text []byte // with zeros in the slots
	sym  []byte // two bytes a symbol, little endian, and 8 bytes more
	n    int    // symbols
	occ  []occurrence
	// past is the index of the first occurrence that does not end at or
	// before the position being coded; last the start of the latest
	// occurrence before it, by slot, or -1.
	past  int
	last  []int
	first []int // the first symbol of a slot

	head   [1 << 15]int32 // latest position+1 of a hash
	prev   [window]int32  // the one before, by position modulo window
	shift  uint           // 64 less the bits of the hash in use
	next   int            // first position not in the chains
	nextOc int            // first occurrence not before next

	tokens  []token
	done    int // first position of the tokens
	raw     int // first position of the stored bytes not yet written; they end at done
	patched int // first occurrence that may have bytes from raw on
	patches []patch
}

// run compresses what read has prepared onto out. The patches are left in
// d.patches.
func (d *deflater) run(out []byte) []byte {
	d.w.reset(out)
	d.tokens, d.patches = d.tokens[:0], d.patches[:0]
	d.past, d.next, d.nextOc, d.done, d.raw, d.patched = 0, 0, 0, 0, 0, 0
	hashBits := max(9, min(15, bits.Len(uint(d.n))))
	d.shift = uint(64 - hashBits)
	clear(d.head[:1<<hashBits])

	for pos := 0; pos < d.n; {
		length, dist := d.find(pos, 0)
		if length == 0 {
			if o := d.slotAt(pos); o != nil {
				d.store(o)
				pos = o.end
			} else {
				d.emit(pos, token(d.text[pos]))
				pos++
			}
			continue
		}
		for length < lazyMatch && pos+1 < d.n && d.slotAt(pos) == nil {
			l, far := d.find(pos+1, length)
			if l <= length {
				break
			}
			d.emit(pos, token(d.text[pos]))
			pos++
			length, dist = l, far
		}
		length = d.cut(pos, length)
		d.emit(pos, matchToken|token(length-minMatch)<<16|token(dist-1))
		pos += length
		d.pass(pos)
	}
	d.finish()
	return d.w.out
}

// slotAt is the occurrence that pos lies in, or nil.
func (d *deflater) slotAt(pos int) *occurrence {
	if d.past < len(d.occ) && d.occ[d.past].at <= pos {
		return &d.occ[d.past]
	}
	return nil
}

// pass notes that all before pos is coded.
func (d *deflater) pass(pos int) {
	for ; d.past < len(d.occ) && d.occ[d.past].end <= pos; d.past++ {
		d.last[d.occ[d.past].slot] = d.occ[d.past].at
	}
}

// find gives the longest match for pos that is longer than floor, or 0.
func (d *deflater) find(pos, floor int) (length, dist int) {
	limit := min(maxMatch, d.n-pos)
	best := max(floor, minMatch-1)
	if o := d.slotAt(pos); o != nil {
		// The occurrence before this one is sure to match: it need not be
		// looked for, and where it is too far, so is everything else.
		from := d.last[o.slot]
		if from < 0 || o.at-from > window {
			return 0, 0
		}
		if l := d.extend(from+pos-o.at, pos, limit); l > best {
			best, length, dist = l, l, o.at-from
		}
		if pos > o.at {
			return length, dist
		}
	}
	d.insert(pos)
	best = max(best, hashMatch-1)
	if limit <= best {
		return length, dist
	}
	tail := d.load(pos + best - 3)
	low := max(pos-window, 0)
	at := int(d.head[d.hash(pos)]) - 1
	for chain := maxChain; at >= low && chain > 0; chain-- {
		if d.load(at+best-3) == tail {
			if l := d.extend(at, pos, limit); l > best {
				best, length, dist = l, l, pos-at
				if l >= niceMatch || l == limit {
					break
				}
				tail = d.load(pos + best - 3)
			}
		}
		at = int(d.prev[at&(window-1)]) - 1
	}
	return length, dist
}

// cut shortens a match that ends inside a slot so that what remains of the
// slot is not too short for a match. Only maxMatch ends a match there.
func (d *deflater) cut(pos, length int) int {
	end := pos + length
	for i := d.past; i < len(d.occ) && d.occ[i].at < end; i++ {
		if o := &d.occ[i]; end < o.end && o.end-end < minMatch {
			return max(o.end-minMatch, o.at) - pos
		}
	}
	return length
}

// load gives the four symbols from pos.
func (d *deflater) load(pos int) uint64 { return binary.LittleEndian.Uint64(d.sym[2*pos:]) }

func (d *deflater) hash(pos int) uint64 { return d.load(pos) * 0x9E3779B97F4A7C15 >> d.shift }

// extend is how long the match of pos with at is, up to limit.
func (d *deflater) extend(at, pos, limit int) int {
	for n := 0; n < limit; n += 4 {
		if x := d.load(at+n) ^ d.load(pos+n); x != 0 {
			return min(n+bits.TrailingZeros64(x)/16, limit)
		}
	}
	return limit
}

// insert puts all positions before pos into the hash chains; of a slot, only
// where it begins.
func (d *deflater) insert(pos int) {
	for d.next < pos {
		end := pos
		if d.nextOc < len(d.occ) {
			end = min(pos, d.occ[d.nextOc].at+1)
		}
		for i := d.next; i < end; i++ {
			h := d.hash(i)
			d.prev[i&(window-1)] = d.head[h]
			d.head[h] = int32(i + 1)
		}
		d.next = max(d.next, end)
		if d.nextOc < len(d.occ) && d.next > d.occ[d.nextOc].at {
			d.next = d.occ[d.nextOc].end
			d.nextOc++
		}
	}
}

// emit adds the token for pos.
func (d *deflater) emit(pos int, t token) {
	if len(d.tokens) == maxTokens {
		d.w.measure(d.tokens)
		d.flush(0)
		d.done, d.raw = pos, pos
	}
	d.tokens = append(d.tokens, t)
}

// flush writes the stored bytes that wait, then the tokens as measured.
func (d *deflater) flush(final uint64) {
	d.writeStored(0)
	d.w.block(d.tokens, final)
	d.tokens = d.tokens[:0]
}

// storedHeader is the size in bits of a stored block's header, with its usual
// padding.
const storedHeader = 3 + 4 + 32

// store puts an occurrence into a stored block, with the tokens before it
// where that is shorter.
func (d *deflater) store(o *occurrence) {
	if len(d.tokens) > 0 {
		if d.rawIsSmaller(o.at, storedHeader) {
			d.tokens = d.tokens[:0]
		} else {
			d.flush(0)
			d.raw = o.at
		}
	}
	d.done = o.end
	d.pass(o.end)
}

// rawIsSmaller tells whether the tokens, which end before end, are larger as
// a Huffman block, after which more bits follow, than as stored bytes. If
// not, they are measured.
func (d *deflater) rawIsSmaller(end, more int) bool {
	if d.raw == d.done {
		more -= storedHeader // there is no stored block to lengthen
	}
	return d.w.measure(d.tokens)+more > 8*(end-d.done)
}

// finish writes what remains, and the final bit.
func (d *deflater) finish() {
	switch {
	case d.n > 0 && (len(d.tokens) == 0 || d.rawIsSmaller(d.n, 0)):
		d.done = d.n
		d.writeStored(1)
	case d.n == 0:
		d.w.measure(nil)
		fallthrough
	default:
		d.flush(1)
	}
	d.w.align()
}

// writeStored writes the bytes from raw to done, and notes the slots in them.
func (d *deflater) writeStored(final uint64) {
	for d.raw < d.done {
		end, last := d.done, final
		if end-d.raw > maxStored {
			end, last = d.raw+maxStored, 0
		}
		d.w.stored(end-d.raw, last)
		d.patch(end)
		d.w.out = append(d.w.out, d.text[d.raw:end]...)
		d.raw = end
	}
}

// patch notes the slots between raw and end, which are about to be written.
func (d *deflater) patch(end int) {
	for ; d.patched < len(d.occ) && d.occ[d.patched].at < end; d.patched++ {
		o := &d.occ[d.patched]
		if o.end <= d.raw {
			continue
		}
		from, to := max(o.at, d.raw), min(o.end, end)
		d.patches = append(d.patches, patch{
			at: len(d.w.out) + from - d.raw, from: from - o.at, n: to - from, slot: o.slot,
		})
		if o.end > end {
			return // the rest stands in the next block
		}
	}
}

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
