package session

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// The text of a session address is base64url without padding (RFC 4648,
// section 5) of these bytes, big endian. Their number divides by three, so
// that no bits are left over and every text has one reading:
//
//	 0  version     1
//	 1  key id      2
//	 3  session id  8
//	11  issued      4  Unix seconds
//	15  expires     4  Unix seconds
//	19  scope       9  depth, hash
//	28  tier        2
//	30  cohort      2
//	32  device      1
//	33  country     2
//	35  subject     8
//	43  token       8
//	51  bound       7  family and length, hash
//	58  consent     2
//	60  limits      2
//	62  HMAC       16  HMAC-SHA-256, cut
//
// The HMAC covers the bytes before it, the channel and the prefix.
const (
	version = 1
	payload = 62
	macSize = 16
	size    = payload + macSize
)

// TextLen is the length of every session address's text in bytes.
const TextLen = size / 3 * 4

// Leeway is how far in the future the issue time of an address may lie: edges
// whose clocks differ serve each other's sessions.
const Leeway = 2 * time.Minute

// The errors of [Keys.Parse].
var (
	ErrMalformed  = errors.New("the session address is malformed")
	ErrUnknownKey = errors.New("the session address is signed with a key that is not in use")
	ErrSignature  = errors.New("the session address has a wrong signature, or belongs to another channel")
	ErrExpired    = errors.New("the session has expired")
	ErrNotYet     = errors.New("the session is not valid yet")
)

// Append adds the text of c, signed for the channel's name and path prefix, to
// dst: TextLen bytes. It does not allocate where dst has room.
func (k *Keys) Append(dst []byte, c *Claims, channel, prefix string) []byte {
	key := k.live[0]
	s := key.get()
	s.msg = appendPayload(s.msg, c, key.id)
	s.text(channel)
	s.text(prefix)
	s.finish()
	var raw [size]byte
	copy(raw[:], s.msg[:payload])
	copy(raw[payload:], s.sum[:macSize])
	key.put(s)
	return base64.RawURLEncoding.AppendEncode(dst, raw[:])
}

func appendPayload(b []byte, c *Claims, id KeyID) []byte {
	b = append(b, version)
	b = binary.BigEndian.AppendUint16(b, uint16(id))
	b = append(b, c.ID[:]...)
	b = binary.BigEndian.AppendUint32(b, seconds(c.Issued))
	b = binary.BigEndian.AppendUint32(b, seconds(c.Expires))
	b = append(b, c.Scope.Depth)
	b = append(b, c.Scope.Hash[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(c.Tier))
	b = binary.BigEndian.AppendUint16(b, uint16(c.Cohort))
	b = append(b, c.Device, c.Country[0], c.Country[1])
	b = append(b, c.Subject[:]...)
	b = append(b, c.Token[:]...)
	b = append(b, c.Bound.kind)
	b = append(b, c.Bound.hash[:]...)
	b = binary.BigEndian.AppendUint16(b, c.Consent)
	return binary.BigEndian.AppendUint16(b, c.Limits)
}

// seconds keeps a time in the years 1970 to 2106.
func seconds(unix int64) uint32 { return uint32(min(max(unix, 0), 1<<32-1)) }

// Parse reads the text of a session address that was asked for under the
// channel's name and path prefix into c. With ErrExpired and ErrNotYet the
// claims are authentic and set; with the other errors they are empty. It does
// not allocate, but for an address that is new and is remembered.
func (k *Keys) Parse(c *Claims, text, channel, prefix string, now time.Time) error {
	*c = Claims{}
	if len(text) != TextLen {
		return ErrMalformed
	}
	unix := now.Unix()
	if known := k.known.get(text, channel, prefix, unix); known != nil {
		*c = *known
		return c.at(unix)
	}
	if err := k.verify(c, text, channel, prefix); err != nil {
		return err
	}
	k.known.put(text, channel, prefix, c, unix)
	return c.at(unix)
}

// at tells whether the claims hold at a time.
func (c *Claims) at(unix int64) error {
	switch {
	case unix >= c.Expires:
		return ErrExpired
	case unix < c.Issued-int64(Leeway/time.Second):
		return ErrNotYet
	}
	return nil
}

// verify reads the claims of an address and checks its signature.
func (k *Keys) verify(c *Claims, text, channel, prefix string) error {
	var raw [size]byte
	if !decode(&raw, text) || raw[0] != version {
		return ErrMalformed
	}
	id := KeyID(binary.BigEndian.Uint16(raw[1:]))
	err := ErrUnknownKey
	for _, key := range k.live {
		if key.id != id {
			continue
		}
		if key.verify(&raw, channel, prefix) {
			err = nil
			break
		}
		err = ErrSignature
	}
	if err != nil {
		return err
	}
	parsePayload(c, &raw)
	c.KeyID = id
	return nil
}

func (m *macKey) verify(raw *[size]byte, channel, prefix string) bool {
	s := m.get()
	s.msg = append(s.msg, raw[:payload]...)
	s.text(channel)
	s.text(prefix)
	s.finish()
	same := subtle.ConstantTimeCompare(s.sum[:macSize], raw[payload:])
	m.put(s)
	return same == 1
}

func parsePayload(c *Claims, b *[size]byte) {
	copy(c.ID[:], b[3:11])
	c.Issued = int64(binary.BigEndian.Uint32(b[11:]))
	c.Expires = int64(binary.BigEndian.Uint32(b[15:]))
	c.Scope.Depth = b[19]
	copy(c.Scope.Hash[:], b[20:28])
	c.Tier = Name(binary.BigEndian.Uint16(b[28:]))
	c.Cohort = Name(binary.BigEndian.Uint16(b[30:]))
	c.Device = b[32]
	copy(c.Country[:], b[33:35])
	copy(c.Subject[:], b[35:43])
	copy(c.Token[:], b[43:51])
	c.Bound.kind = b[51]
	copy(c.Bound.hash[:], b[52:58])
	c.Consent = binary.BigEndian.Uint16(b[58:])
	c.Limits = binary.BigEndian.Uint16(b[60:])
}

// decode reads text of exactly TextLen characters of the base64url alphabet.
// (encoding/base64 skips line ends within the text; an address has one form.)
func decode(raw *[size]byte, text string) bool {
	if len(text) != TextLen {
		return false
	}
	var bad byte
	for i, o := 0, 0; i < TextLen; i, o = i+4, o+3 {
		a, b, c, d := sextet[text[i]], sextet[text[i+1]], sextet[text[i+2]], sextet[text[i+3]]
		bad |= a | b | c | d
		raw[o] = a<<2 | b>>4
		raw[o+1] = b<<4 | c>>2
		raw[o+2] = c<<6 | d
	}
	return bad&0x80 == 0
}

// sextet gives the value of a base64url character, or 0x80.
var sextet = func() (t [256]byte) {
	for i := range t {
		t[i] = 0x80
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	return t
}()
