package manifest

import (
	"testing"

	"pgregory.net/rapid"
)

// Codes are complete, within the limit, no longer for what is more frequent,
// and without a limit as short as can be.
func TestHuffman(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{maxLenBits, maxCodeBits}).Draw(t, "limit")
		size := lengthCodes
		if limit == maxCodeBits {
			size = litLenCodes
		}
		count := rapid.OneOf(
			rapid.SampledFrom([]uint32{0, 0, 0, 1}),
			rapid.Map(rapid.IntRange(0, 20), func(n int) uint32 { return 1 << n }), // steep: over the limit
			rapid.Uint32Range(0, maxTokens),
		)
		freq := rapid.SliceOfN(count, size, size).Draw(t, "frequencies")
		codes := make([]code, size)
		new(huffman).build(codes, freq, limit)

		kraft, used, bits := 0, 0, uint64(0)
		for i, c := range codes {
			if int(c.len) > limit || freq[i] > 0 && c.len == 0 {
				t.Fatalf("symbol %d has a code of %d bits", i, c.len)
			}
			if c.len > 0 {
				kraft += 1 << (limit - int(c.len))
				used++
			}
			bits += uint64(c.len) * uint64(freq[i])
			for k, o := range codes {
				if freq[k] > freq[i] && freq[i] > 0 && o.len > c.len {
					t.Fatalf("symbol %d is more frequent than %d and has the longer code", k, i)
				}
			}
		}
		if kraft != 1<<limit || used < 2 {
			t.Fatalf("%d codes fill %d of %d", used, kraft, 1<<limit)
		}
		if best, depth := huffmanCost(freq); depth <= limit && bits > best && used > 2 {
			t.Fatalf("%d bits, %d would do", bits, best)
		}
	})
}

// huffmanCost is the cost of the optimal code and a bound of its depth, by
// merging the two least frequent again and again.
func huffmanCost(freq []uint32) (bits uint64, depth int) {
	type node struct {
		n     uint64
		depth int
	}
	var all []node
	for _, f := range freq {
		if f > 0 {
			all = append(all, node{uint64(f), 0})
		}
	}
	least := func() node {
		k := 0
		for i := range all {
			if all[i].n < all[k].n {
				k = i
			}
		}
		l := all[k]
		all = append(all[:k], all[k+1:]...)
		return l
	}
	for len(all) > 1 {
		a, b := least(), least()
		m := node{a.n + b.n, max(a.depth, b.depth) + 1}
		bits += m.n
		depth = max(depth, m.depth)
		all = append(all, m)
	}
	return bits, depth
}
