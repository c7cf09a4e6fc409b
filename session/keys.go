package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// MinSecret is the least length of a secret in bytes: what an HMAC-SHA-256 key
// should have (RFC 2104, section 3).
const MinSecret = 32

// Secrets is the key material of session addresses. Every edge that serves
// the same viewers has the same.
type Secrets struct {
	// Sign are the live keys, each of at least MinSecret bytes. The first one
	// signs, all of them verify: a new key is first added as the second on all
	// edges, then made the first, and the old one is dropped when the longest
	// session has ended.
	Sign [][]byte
	// Hash keys the hashes: session ids, subjects, token ids, scopes, address
	// prefixes. It stays while signing keys are rotated, so that an account's
	// sessions count as one account's, a derived session keeps its id and bound
	// sessions stay good. Nil: made from the first key of Sign, and changes
	// when that does.
	Hash []byte
}

// Keys signs and verifies session addresses. It is immutable, but for what it
// remembers of the addresses verified, and safe for concurrent use.
type Keys struct {
	live  []*macKey
	hash  *macKey
	known verified
}

// NewKeys prepares secrets.
func NewKeys(s Secrets) (*Keys, error) {
	if len(s.Sign) == 0 {
		return nil, errors.New("cannot make session keys: there is no signing key")
	}
	k := &Keys{}
	for i, secret := range s.Sign {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("cannot make session keys: signing key %d has %d bytes, at least %d are needed", i+1, len(secret), MinSecret)
		}
		k.live = append(k.live, newMacKey(secret, "manifold session address"))
	}
	secret := s.Hash
	if secret == nil {
		secret = s.Sign[0]
	}
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("cannot make session keys: the hash key has %d bytes, at least %d are needed", len(secret), MinSecret)
	}
	k.hash = newMacKey(secret, "manifold session hash")
	return k, nil
}

// macKey is a key with its prepared HMAC states. The pool keeps the states
// after the key's first block, so that a signature costs only the message.
type macKey struct {
	id   KeyID
	pool sync.Pool // of *macState
}

// macState is what one computation needs. All it touches lives in it, for
// what is handed to a hash.Hash escapes.
type macState struct {
	hash hash.Hash
	msg  []byte
	sum  [sha256.Size]byte
}

// newMacKey derives the key for one purpose from a secret (NIST SP 800-108's
// idea: a PRF over a label), so that addresses and hashes never share a key.
func newMacKey(secret []byte, purpose string) *macKey {
	prf := hmac.New(sha256.New, secret)
	prf.Write([]byte(purpose))
	key := prf.Sum(nil)
	name := sha256.Sum256(append([]byte("manifold key id"), key...))
	m := &macKey{id: KeyID(binary.BigEndian.Uint16(name[:]))}
	m.pool.New = func() any {
		return &macState{hash: hmac.New(sha256.New, key), msg: make([]byte, 0, 256)}
	}
	return m
}

func (m *macKey) get() *macState {
	s := m.pool.Get().(*macState)
	s.msg = s.msg[:0]
	return s
}

// put gives a state back; one that a long message has grown is dropped.
func (m *macKey) put(s *macState) {
	if cap(s.msg) <= 4<<10 {
		m.pool.Put(s)
	}
}

// text adds a string to the message with its length before it, so that no
// two lists of strings give the same message.
func (s *macState) text(v string) {
	s.msg = binary.BigEndian.AppendUint32(s.msg, uint32(len(v)))
	s.msg = append(s.msg, v...)
}

// finish leaves the HMAC of the message in s.sum.
func (s *macState) finish() {
	s.hash.Reset()
	s.hash.Write(s.msg)
	s.hash.Sum(s.sum[:0])
}
