package session

import "encoding/binary"

// Peek reads what the text of a session address says without checking its
// signature: for people who look at one. Nothing may be decided by it.
func Peek(text string) (Claims, bool) {
	var raw [size]byte
	if !decode(&raw, text) || raw[0] != version {
		return Claims{}, false
	}
	var c Claims
	parsePayload(&c, &raw)
	c.KeyID = KeyID(binary.BigEndian.Uint16(raw[1:]))
	return c, true
}

// Bits gives the length and family of a bound prefix, for people who look at
// it: ok is false where nothing is bound.
func (b Bound) Bits() (bits int, ipv6, ok bool) {
	if b.kind >= boundIPv6 {
		return int(b.kind) - boundIPv6, true, true
	}
	return int(b.kind) - boundIPv4, false, b.kind != 0
}
