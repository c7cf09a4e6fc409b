package manifest

import "hash/crc32"

// CRC-32 by linearity (RFC 1952, section 8; ISO 3309). A message whose values
// change in place keeps everything else of its CRC: the CRC of the whole is
// that of the message with zeros for values, plus, for each value, its own
// raw CRC times the sum of x^(8d), d being the bytes that follow each of its
// places. So four bytes a slot are all that a template keeps.
//
// Polynomials are held reflected, as crc32 does: bit 31 is x^0.

// rawCRC is p(x)·x^32 mod P: a CRC without the inversions at start and end.
func rawCRC(p []byte) uint32 { return ^crc32.Update(^uint32(0), crc32.IEEETable, p) }

var zeros [1 << 10]byte

// crcZeros continues a crc32.Update over n zero bytes.
func crcZeros(crc uint32, n int) uint32 {
	for n > len(zeros) {
		crc = crc32.Update(crc, crc32.IEEETable, zeros[:])
		n -= len(zeros)
	}
	return crc32.Update(crc, crc32.IEEETable, zeros[:n])
}

// crcSum gathers the sum of x^(8d) over the places of a slot.
type crcSum struct {
	sum uint32 // with respect to upTo
	end int
}

// add notes a place that ends at end; places are added in order.
func (s *crcSum) add(end int) {
	s.sum = s.at(end) ^ 1<<31
	s.end = end
}

// at is the sum as seen from a message that ends at end.
func (s *crcSum) at(end int) uint32 { return ^crcZeros(^s.sum, end-s.end) }

// crcShift4[b] is b·x^4 reduced, for the four bits shifted out.
var crcShift4 = func() (t [16]uint32) {
	for i := range t {
		c := uint32(i)
		for range 4 {
			c = c>>1 ^ crc32.IEEE&-(c&1)
		}
		t[i] = c
	}
	return t
}()

// crcFactor is what multiplies by b: crcFactor[n] is b times the polynomial that
// the bits of n are.
type crcFactor [16]uint32

func newCRCFactor(b uint32) (t crcFactor) {
	t[8] = b
	t[4] = b>>1 ^ crc32.IEEE&-(b&1)
	t[2] = t[4]>>1 ^ crc32.IEEE&-(t[4]&1)
	t[1] = t[2]>>1 ^ crc32.IEEE&-(t[2]&1)
	t[3] = t[1] ^ t[2]
	for i := uint32(5); i < 8; i++ {
		t[i] = t[4] ^ t[i-4]
	}
	for i := uint32(9); i < 16; i++ {
		t[i] = t[8] ^ t[i-8]
	}
	return t
}

// times is a·b mod P, four bits of a at a time from the highest power down.
func (t *crcFactor) times(a uint32) uint32 {
	p := t[a&15]
	for i := 4; i < 32; i += 4 {
		p = p>>4 ^ crcShift4[p&15] ^ t[a>>i&15]
	}
	return p
}
