package session

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
)

// Claims is what a session address says. All of it is authentic once
// [Keys.Parse] returned it; none of it is secret.
type Claims struct {
	// ID is the session: who is steered, counted and measured as one.
	ID ID
	// Issued and Expires are Unix seconds. They lie on the borders of time
	// buckets (see [Window]) or where the viewer's grant ends, never at now.
	Issued, Expires int64
	// Scope is the directory below the origin's root that the session may
	// read; the zero Scope is all of the channel.
	Scope Scope
	// Tier and Cohort name what the viewer was found to be at the entry; 0 is
	// none. Resolve them by comparing with [NameOf] of the configured names.
	Tier, Cohort Name
	// Device is the number of the device profile (device.Profile.ID).
	Device uint8
	// Country is ISO 3166-1 alpha-2 in upper case; the zero value is unknown.
	Country Country
	// Subject and Token are keyed hashes of the account and of the token that
	// was shown at the entry, for revocation and concurrency; zero is none.
	Subject, Token Hash
	// Bound is the address prefix that the session is bound to; the zero value
	// is not bound.
	Bound Bound
	// Consent and Limits are bits whose meaning belongs to who sets them.
	Consent, Limits uint16

	// KeyID names the key that signed a parsed address. Append ignores it.
	KeyID KeyID
}

// ID is a session's identity: 64 bits of a keyed hash (see [Keys.Derive]).
type ID [8]byte

// String gives the ID as 16 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Hash is 64 bits of a keyed hash. The zero Hash stands for "none" and is
// never the hash of a value.
type Hash [8]byte

// IsZero tells whether there is no value behind the hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// KeyID names a signing key: the first bytes of a hash of it, so that edges
// which have the same keys agree on their names without being told.
type KeyID uint16

// Country is two ASCII letters, or the zero value for unknown.
type Country [2]byte

// CountryOf takes ISO 3166-1 alpha-2 letters; anything else gives unknown.
func CountryOf(s string) Country {
	if len(s) != 2 {
		return Country{}
	}
	c := Country{s[0] &^ 0x20, s[1] &^ 0x20}
	if c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return Country{}
	}
	return c
}

// String gives the two letters, or "" for unknown.
func (c Country) String() string {
	if c == (Country{}) {
		return ""
	}
	return string(c[:])
}

// Name is a configured name (a tier, a cohort) in two bytes. It is a hash, not
// an index, so that an address keeps its meaning when the configuration's
// lists are reordered; [Distinct] shows that a list can be told apart by it.
type Name uint16

// NameOf gives the Name of s; 0 for "" and never 0 otherwise.
func NameOf(s string) Name {
	if s == "" {
		return 0
	}
	var buf [64]byte
	sum := sha256.Sum256(append(buf[:0], s...))
	return max(1, Name(sum[0])<<8|Name(sum[1]))
}

// Distinct returns an error where two of the names have one Name.
func Distinct(names ...string) error {
	have := make(map[Name]string, len(names))
	for _, s := range names {
		n := NameOf(s)
		if other, taken := have[n]; taken && other != s {
			return fmt.Errorf("the names %q and %q are the same in a session address: rename one", other, s)
		}
		have[n] = s
	}
	return nil
}

// Scope is a directory: how deep it lies below the origin's root (1 for
// "movie1/") and the keyed hash of its text. One hash of the requested path,
// cut at that depth, tells whether the path lies in it.
type Scope struct {
	Depth uint8
	Hash  Hash
}

// Bound is the keyed hash of an address prefix, and the prefix's family and
// length, by which an address is cut before it is compared.
type Bound struct {
	kind uint8 // 0 not bound, 1+bits for IPv4, 64+bits for IPv6
	hash [6]byte
}

// The offsets of the families in Bound.kind.
const (
	boundIPv4 = 1
	boundIPv6 = 64
)

// IsZero tells that nothing is bound.
func (b Bound) IsZero() bool { return b.kind == 0 }

// Prefix cuts addr as the bound prefix was cut: where the session is bound and
// addr is in (see [Keys.AtAddress]), this is the bound prefix. ok is false
// where nothing is bound or the family differs.
func (b Bound) Prefix(addr netip.Addr) (p netip.Prefix, ok bool) {
	addr = addr.Unmap().WithZone("")
	switch {
	case b.kind == 0 || !addr.IsValid():
		return netip.Prefix{}, false
	case b.kind >= boundIPv6 && addr.Is6():
		p, err := addr.Prefix(int(b.kind) - boundIPv6)
		return p, err == nil
	case b.kind < boundIPv6 && addr.Is4():
		p, err := addr.Prefix(int(b.kind) - boundIPv4)
		return p, err == nil
	}
	return netip.Prefix{}, false
}
