package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"sync"
)

// signer is one live key with its prepared HMAC states.
type signer struct {
	key  []byte
	pool sync.Pool // of *signing
}

// signing is what one signature needs; what is handed to a hash.Hash escapes,
// so all of it lives here.
type signing struct {
	hash hash.Hash
	msg  []byte
	sum  [sha256.Size]byte
	text [2 * sha256.Size]byte
}

func newSigner(key []byte) *signer {
	s := &signer{key: key}
	s.pool.New = func() any {
		return &signing{hash: hmac.New(sha256.New, key), msg: make([]byte, 0, 512)}
	}
	return s
}

func (s *signer) get() *signing {
	g := s.pool.Get().(*signing)
	g.msg = g.msg[:0]
	return g
}

func (s *signer) put(g *signing) {
	if cap(g.msg) <= 16<<10 {
		s.pool.Put(g)
	}
}

// hmac leaves the HMAC-SHA-256 of the message in g.sum.
func (g *signing) hmac() {
	g.hash.Reset()
	g.hash.Write(g.msg)
	g.hash.Sum(g.sum[:0])
}

// sha256 leaves the plain SHA-256 of the message in g.sum.
func (g *signing) sha256() { g.sum = sha256.Sum256(g.msg) }

// hex gives the sum in lower-case hexadecimal, good until the next use of g.
func (g *signing) hex() []byte {
	hex.Encode(g.text[:], g.sum[:])
	return g.text[:]
}

// base64 gives the sum in base64url without padding.
func (g *signing) base64() []byte {
	return base64.RawURLEncoding.AppendEncode(g.text[:0], g.sum[:])
}

// signed tells whether a live key gives the signature: sign must leave the
// message's signature as text.
func (v *Verifier) signed(signature string, sign func(*signer, *signing) []byte) bool {
	want := []byte(signature)
	good := 0
	for _, s := range v.keys {
		g := s.get()
		good |= subtle.ConstantTimeCompare(sign(s, g), want)
		s.put(g)
	}
	return good == 1
}
