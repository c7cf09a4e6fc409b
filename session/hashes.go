package session

import (
	"net/netip"
	"strings"
)

// Labels keep the kinds of hashed values apart.
const (
	labelSubject = "subject"
	labelToken   = "token"
	labelScope   = "scope"
	labelAddress = "address"
	labelSession = "session"
)

func (s *macState) hash8() (h Hash) {
	s.finish()
	copy(h[:], s.sum[:])
	if h.IsZero() {
		h[7] = 1
	}
	return h
}

func (k *Keys) hashText(label, v string) Hash {
	s := k.hash.get()
	s.text(label)
	s.text(v)
	h := s.hash8()
	k.hash.put(s)
	return h
}

// Subject hashes an account's name; "" gives the zero Hash.
func (k *Keys) Subject(name string) Hash {
	if name == "" {
		return Hash{}
	}
	return k.hashText(labelSubject, name)
}

// Token hashes a token's id; "" gives the zero Hash.
func (k *Keys) Token(id string) Hash {
	if id == "" {
		return Hash{}
	}
	return k.hashText(labelToken, id)
}

// Scope makes the Scope of a directory below the origin's root: canonical,
// without a leading slash, with or without the last one ("movie1/"). "" is the
// root: all of the channel. A directory deeper than 255 is not ok.
func (k *Keys) Scope(dir string) (s Scope, ok bool) {
	dir = strings.TrimSuffix(dir, "/")
	if dir == "" {
		return Scope{}, true
	}
	depth := strings.Count(dir, "/") + 1
	if depth > 255 {
		return Scope{}, false
	}
	return Scope{Depth: uint8(depth), Hash: k.hashText(labelScope, dir)}, true
}

// InScope tells whether the canonical path below the origin's root (without a
// leading slash) lies below the scope's directory, and gives that directory:
// "" for the root, else a prefix of path that ends in "/".
func (k *Keys) InScope(s Scope, path string) (dir string, ok bool) {
	if s.Depth == 0 {
		return "", true
	}
	end := 0
	for range s.Depth {
		i := strings.IndexByte(path[end:], '/')
		if i < 0 {
			return "", false
		}
		end += i + 1
	}
	if k.hashText(labelScope, path[:end-1]) != s.Hash {
		return "", false
	}
	return path[:end], true
}

// Address binds a session to an address prefix; the invalid prefix binds
// nothing.
func (k *Keys) Address(p netip.Prefix) Bound {
	if !p.IsValid() {
		return Bound{}
	}
	addr, bits := p.Addr(), p.Bits()
	if addr.Is4In6() && bits >= 96 {
		addr, bits = addr.Unmap(), bits-96
	}
	b := Bound{kind: uint8(bits) + boundIPv4}
	if addr.Is6() {
		b.kind = uint8(bits) + boundIPv6
	}
	p, ok := b.Prefix(addr)
	if ok {
		b.hash = k.hashPrefix(p)
	}
	return b
}

// AtAddress tells whether a client at addr may use a session so bound.
func (k *Keys) AtAddress(b Bound, addr netip.Addr) bool {
	if b.IsZero() {
		return true
	}
	p, ok := b.Prefix(addr)
	return ok && k.hashPrefix(p) == b.hash
}

func (k *Keys) hashPrefix(p netip.Prefix) (h [6]byte) {
	s := k.hash.get()
	s.text(labelAddress)
	raw := p.Addr().As16()
	s.msg = append(append(s.msg, raw[:]...), uint8(p.Bits()))
	full := s.hash8()
	k.hash.put(s)
	copy(h[:], full[:])
	return h
}
