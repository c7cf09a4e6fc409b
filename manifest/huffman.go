package manifest

import (
	"math/bits"
	"slices"
)

// Huffman coding of DEFLATE blocks (RFC 1951, section 3.2).

const (
	endOfBlock  = 256
	litLenCodes = 286
	distCodes   = 30
	lengthCodes = 19 // the alphabet in which code lengths are written
	maxCodeBits = 15
	maxLenBits  = 7
)

// A token is a literal byte, or a match: matchToken | (length-3)<<16 |
// (distance-1).
type token uint32

const matchToken token = 1 << 31

// lengthCode gives the code of a match length, less 257, by length less 3;
// lengthBase the first length of a code, less 3 (section 3.2.5).
var (
	lengthCode  [256]uint8
	lengthBase  [29]uint8
	lengthExtra = [29]uint8{8: 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    [distCodes]uint16
	distExtra   [distCodes]uint8
	fixedLit    [288]code
	fixedDist   [distCodes]code
	_           = makeTables()
)

func makeTables() bool {
	next := 0
	for c := range 28 {
		lengthBase[c] = uint8(next)
		for range 1 << lengthExtra[c] {
			if next < 256 {
				lengthCode[next] = uint8(c)
			}
			next++
		}
	}
	lengthBase[28], lengthCode[255] = 255, 28
	next = 0
	for c := range distBase {
		if c > 1 {
			distExtra[c] = uint8(c/2 - 1)
		}
		distBase[c] = uint16(next)
		next += 1 << distExtra[c]
	}
	for i := range fixedLit {
		switch {
		case i < 144 || i >= 280:
			fixedLit[i].len = 8
		case i < 256:
			fixedLit[i].len = 9
		default:
			fixedLit[i].len = 7
		}
	}
	for i := range fixedDist {
		fixedDist[i].len = 5
	}
	assignCodes(fixedLit[:])
	assignCodes(fixedDist[:])
	return true
}

// distCode gives the code of a distance less 1.
func distCode(d uint32) uint32 {
	if d < 4 {
		return d
	}
	n := uint32(bits.Len32(d)) - 2
	return 2*n + d>>n
}

// code is a Huffman code, its bits reversed as they are written.
type code struct {
	bits uint16
	len  uint8
}

// assignCodes gives the canonical codes for the lengths (section 3.2.2).
func assignCodes(codes []code) {
	var count, next [maxCodeBits + 1]uint16
	for i := range codes {
		count[codes[i].len]++
	}
	count[0] = 0
	for l := 1; l <= maxCodeBits; l++ {
		next[l] = (next[l-1] + count[l-1]) << 1
	}
	for i := range codes {
		if l := codes[i].len; l > 0 {
			codes[i].bits = bits.Reverse16(next[l]) >> (16 - l)
			next[l]++
		}
	}
}

// huffman makes length-limited codes from frequencies; its fields are scratch.
type huffman struct {
	order [litLenCodes]uint64 // frequency<<16 | symbol, ascending
	nodes [litLenCodes]uint32
}

// build fills codes, which is as long as freq. At least two symbols get a
// code, as some decoders want a complete one.
func (h *huffman) build(codes []code, freq []uint32, limit int) {
	n := 0
	for i, f := range freq {
		codes[i] = code{}
		if f > 0 {
			h.order[n] = uint64(f)<<16 | uint64(i)
			n++
		}
	}
	for i := 0; n < 2; i++ {
		if freq[i] == 0 {
			h.order[n] = 1<<16 | uint64(i)
			n++
		}
	}
	order := h.order[:n]
	slices.Sort(order)
	for i, o := range order {
		h.nodes[i] = uint32(o >> 16)
	}
	minimumRedundancy(h.nodes[:n])

	// Codes too long are cut to the limit; then codes just shorter are made
	// longer until the code is no more over-full.
	var count [litLenCodes]uint16
	over := 0 // by how much the Kraft sum is over 1, in units of 2^-limit
	for _, l := range h.nodes[:n] {
		l = min(l, uint32(limit))
		count[l]++
		over += 1 << (uint32(limit) - l)
	}
	for over -= 1 << limit; over > 0; {
		l := limit - 1
		for count[l] == 0 {
			l--
		}
		count[l]--
		count[l+1]++
		over -= 1 << (limit - l - 1)
	}
	// A sum under 1 would be an incomplete code: shorten again.
	for l := limit; over < 0; l-- {
		for count[l] > 0 && over+1<<(limit-l) <= 0 {
			count[l]--
			count[l-1]++
			over += 1 << (limit - l)
		}
	}
	i := 0
	for l := limit; l > 0; l-- {
		for range count[l] {
			codes[order[i]&0xffff].len = uint8(l)
			i++
		}
	}
	assignCodes(codes)
}

// minimumRedundancy turns ascending frequencies into descending code lengths,
// in place (the method of Moffat and Katajainen, 1995).
func minimumRedundancy(a []uint32) {
	n := len(a)
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ {
		if leaf >= n || a[root] < a[leaf] {
			a[next], a[root] = a[root], uint32(next)
			root++
		} else {
			a[next] = a[leaf]
			leaf++
		}
		if leaf >= n || root < next && a[root] < a[leaf] {
			a[next], a[root] = a[next]+a[root], uint32(next)
			root++
		} else {
			a[next] += a[leaf]
			leaf++
		}
	}
	a[n-2] = 0
	for next := n - 3; next >= 0; next-- {
		a[next] = a[a[next]] + 1
	}
	avail, used, depth := 1, 0, uint32(0)
	root = n - 2
	for next := n - 1; avail > 0; {
		for root >= 0 && a[root] == depth {
			used++
			root--
		}
		for ; avail > used; avail-- {
			a[next] = depth
			next--
		}
		avail, used = 2*used, 0
		depth++
	}
}
