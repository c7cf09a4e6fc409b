package manifest

import "encoding/binary"

// The three block types of RFC 1951, section 3.2.3.
const (
	blockStored = iota
	blockFixed
	blockDynamic
)

// maxStored is the most bytes that a stored block holds (section 3.2.4).
const maxStored = 65535

// lengthOrder is the order in which the code length codes are written
// (section 3.2.7).
var lengthOrder = [lengthCodes]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// blockWriter writes DEFLATE blocks onto out.
type blockWriter struct {
	out  []byte
	acc  uint64
	nacc uint

	huff     huffman
	lit      [litLenCodes]code
	dist     [distCodes]code
	lens     [lengthCodes]code
	litFreq  [litLenCodes]uint32
	distFreq [distCodes]uint32
	lensFreq [lengthCodes]uint32
	// runs are the two trees' lengths in run-length form: symbol | value<<8.
	runs        []uint16
	nlit, ndist int
	nlens       int
	kind        uint64 // of the block that measure chose
}

func (w *blockWriter) reset(out []byte) { w.out, w.acc, w.nacc = out, 0, 0 }

// put writes the n low bits of v; n ≤ 32.
func (w *blockWriter) put(v uint64, n uint) {
	w.acc |= v << w.nacc
	w.nacc += n
	if w.nacc >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.acc))
		w.acc >>= 32
		w.nacc -= 32
	}
}

// align fills up to a whole byte.
func (w *blockWriter) align() {
	for ; w.nacc > 0; w.nacc -= min(w.nacc, 8) {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
	w.acc = 0
}

// measure counts the tokens, makes the dynamic codes, and gives the size in
// bits of the smaller of the two Huffman blocks, which put will then write.
func (w *blockWriter) measure(tokens []token) int {
	w.litFreq, w.distFreq = [litLenCodes]uint32{endOfBlock: 1}, [distCodes]uint32{}
	for _, t := range tokens {
		if t < matchToken {
			w.litFreq[t]++
			continue
		}
		w.litFreq[257+int(lengthCode[t>>16&0xff])]++
		w.distFreq[distCode(uint32(t&0xffff))]++
	}
	w.huff.build(w.lit[:], w.litFreq[:], maxCodeBits)
	w.huff.build(w.dist[:], w.distFreq[:], maxCodeBits)
	dynamic := 3 + w.measureTrees()
	fixed := 3
	for i, n := range w.litFreq {
		extra := 0
		if i > endOfBlock {
			extra = int(lengthExtra[i-257])
		}
		fixed += int(n) * (int(fixedLit[i].len) + extra)
		dynamic += int(n) * (int(w.lit[i].len) + extra)
	}
	for i, n := range w.distFreq {
		fixed += int(n) * (5 + int(distExtra[i]))
		dynamic += int(n) * (int(w.dist[i].len) + int(distExtra[i]))
	}
	if fixed <= dynamic {
		w.kind = blockFixed
		return fixed
	}
	w.kind = blockDynamic
	return dynamic
}

// measureTrees prepares the header of a dynamic block (section 3.2.7) and
// gives its size in bits.
func (w *blockWriter) measureTrees() int {
	w.nlit, w.ndist = litLenCodes, distCodes
	for w.lit[w.nlit-1].len == 0 {
		w.nlit--
	}
	for w.dist[w.ndist-1].len == 0 {
		w.ndist--
	}
	var all [litLenCodes + distCodes]uint8
	for i := range w.nlit {
		all[i] = w.lit[i].len
	}
	for i := range w.ndist {
		all[w.nlit+i] = w.dist[i].len
	}
	w.runs, w.lensFreq = w.runs[:0], [lengthCodes]uint32{}
	add := func(symbol, value int) {
		w.runs = append(w.runs, uint16(symbol|value<<8))
		w.lensFreq[symbol]++
	}
	for rest := all[:w.nlit+w.ndist]; len(rest) > 0; {
		l, n := int(rest[0]), 1
		for n < len(rest) && rest[n] == rest[0] {
			n++
		}
		rest = rest[n:]
		if l > 0 {
			add(l, 0)
			n--
			for ; n >= 3; n -= min(n, 6) {
				add(16, min(n, 6)-3)
			}
		} else {
			for ; n >= 11; n -= min(n, 138) {
				add(18, min(n, 138)-11)
			}
			if n >= 3 {
				add(17, n-3)
				n = 0
			}
		}
		for ; n > 0; n-- {
			add(l, 0)
		}
	}
	w.huff.build(w.lens[:], w.lensFreq[:], maxLenBits)
	w.nlens = lengthCodes
	for w.nlens > 4 && w.lens[lengthOrder[w.nlens-1]].len == 0 {
		w.nlens--
	}
	size := 5 + 5 + 4 + 3*w.nlens
	for i, n := range w.lensFreq {
		size += int(n) * (int(w.lens[i].len) + int(runExtra(i)))
	}
	return size
}

// runExtra is the number of extra bits of a code length symbol.
func runExtra(symbol int) uint {
	switch symbol {
	case 16:
		return 2
	case 17:
		return 3
	case 18:
		return 7
	}
	return 0
}

// block writes the tokens that were measured last.
func (w *blockWriter) block(tokens []token, final uint64) {
	w.put(final|w.kind<<1, 3)
	lit, dist := fixedLit[:litLenCodes], fixedDist[:]
	if w.kind == blockDynamic {
		lit, dist = w.lit[:], w.dist[:]
		w.put(uint64(w.nlit-257)|uint64(w.ndist-1)<<5|uint64(w.nlens-4)<<10, 14)
		for _, i := range lengthOrder[:w.nlens] {
			w.put(uint64(w.lens[i].len), 3)
		}
		for _, r := range w.runs {
			symbol := int(r & 0xff)
			c := w.lens[symbol]
			w.put(uint64(c.bits)|uint64(r>>8)<<c.len, uint(c.len)+runExtra(symbol))
		}
	}
	for _, t := range tokens {
		if t < matchToken {
			c := lit[t]
			w.put(uint64(c.bits), uint(c.len))
			continue
		}
		n := uint8(t >> 16)
		l := lengthCode[n]
		c := lit[257+int(l)]
		w.put(uint64(c.bits)|uint64(n-lengthBase[l])<<c.len, uint(c.len+lengthExtra[l]))
		d := uint32(t & 0xffff)
		k := distCode(d)
		c = dist[k]
		w.put(uint64(c.bits)|uint64(d-uint32(distBase[k]))<<c.len, uint(c.len+distExtra[k]))
	}
	c := lit[endOfBlock]
	w.put(uint64(c.bits), uint(c.len))
}

// stored writes the header of a stored block of n bytes, which the caller
// appends to out.
func (w *blockWriter) stored(n int, final uint64) {
	w.put(final|blockStored<<1, 3)
	w.align()
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(n)|^uint32(n)<<16)
}
