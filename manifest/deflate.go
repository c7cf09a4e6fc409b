package manifest

import "math/bits"

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

	// Text made to be slow has so many steps a byte; then chains are cut
	// short. Manifests take less than one.
	maxEffort  = 8
	tiredChain = 4

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
	effort int            // steps left in the chains

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
	d.effort = maxEffort*d.n + 1<<16
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

// emit adds the token for pos.
func (d *deflater) emit(pos int, t token) {
	if len(d.tokens) == maxTokens {
		if d.rawIsSmaller(pos, 0) {
			d.tokens = d.tokens[:0]
		} else {
			d.flush(0)
			d.raw = pos
		}
		d.done = pos
	}
	d.tokens = append(d.tokens, t)
}

// flush writes the stored bytes that wait, then the tokens as measured.
func (d *deflater) flush(final uint64) {
	d.writeStored(0)
	d.w.block(d.tokens, final)
	d.tokens = d.tokens[:0]
}
