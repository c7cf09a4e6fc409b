package manifest

import (
	"hash/crc32"
	"testing"

	"pgregory.net/rapid"
)

// crcMulSlow multiplies bit by bit.
func crcMulSlow(a, b uint32) uint32 {
	p := uint32(0)
	for ; a != 0; a <<= 1 {
		if a>>31 == 1 {
			p ^= b
		}
		b = b>>1 ^ crc32.IEEE&-(b&1)
	}
	return p
}

func TestCRCFactor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		factor := newCRCFactor(b)
		if got, want := factor.times(a), crcMulSlow(a, b); got != want {
			t.Fatalf("%08x times %08x is %08x, want %08x", a, b, got, want)
		}
	})
}

// The CRC of a text with one value in many places is that of the text with
// zeros, and the value's own times the sum of the places.
func TestCRCSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "value")
		var text, blank []byte
		var sum crcSum
		for range rapid.IntRange(1, 8).Draw(t, "places") {
			between := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "between")
			text = append(append(text, between...), value...)
			blank = append(append(blank, between...), make([]byte, len(value))...)
			sum.add(len(text))
		}
		tail := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "tail")
		text, blank = append(text, tail...), append(blank, tail...)
		factor := newCRCFactor(sum.at(len(text)))
		got := crc32.ChecksumIEEE(blank) ^ factor.times(rawCRC(value))
		if want := crc32.ChecksumIEEE(text); got != want {
			t.Fatalf("CRC %08x, want %08x", got, want)
		}
	})
}
