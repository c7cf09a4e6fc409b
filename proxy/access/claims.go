package access

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strconv"
)

// The claims of a viewer's JWT: of RFC 7519, section 4.1, iss sub aud exp nbf
// iat jti; and path (a directory at the edge, or a list of them), tier, sid
// (the session it is for) and ip (an address or prefix). Others are passed
// over, as RFC 7519, section 4, wants it.
type claims struct {
	issuer, subject, id, tier, session string
	audience                           []string
	paths                              []string
	expires, notBefore, issued         int64 // 0: not there
	address                            netip.Prefix
}

// The bounds of claims.
const (
	maxClaim = 512 // bytes of a text
	maxList  = 32  // elements
	// lastTime is the end of the year 9999. A time beyond, as 2^63, is not an
	// expiry but a way to make one overflow.
	lastTime = 253402300799
)

var errClaims = errors.New("cannot read claims")

// parseClaims reads the payload of a JWT. A member that comes twice is
// refused (RFC 7519, section 4): readers differ in which one they take. So is
// a known claim of a wrong type, null included.
func parseClaims(b []byte) (c claims, err error) {
	err = members(b, func(name string, raw []byte) error {
		switch name {
		case "iss":
			return text(raw, &c.issuer)
		case "sub":
			return text(raw, &c.subject)
		case "jti":
			return text(raw, &c.id)
		case "tier":
			return text(raw, &c.tier)
		case "sid":
			return text(raw, &c.session)
		case "aud":
			return texts(raw, &c.audience)
		case "exp":
			return numericDate(raw, &c.expires)
		case "nbf":
			return numericDate(raw, &c.notBefore)
		case "iat":
			return numericDate(raw, &c.issued)
		case "path":
			return paths(raw, &c.paths)
		case "ip":
			return address(raw, &c.address)
		}
		return nil
	})
	return c, err
}

func text(raw []byte, to *string) error {
	var ok bool
	if *to, ok = unquote(raw); !ok || len(*to) > maxClaim {
		return errClaims
	}
	return nil
}

// texts reads a string or a list of strings; an empty list is refused.
func texts(raw []byte, to *[]string) error {
	if raw[0] == '"' {
		*to = make([]string, 1)
		return text(raw, &(*to)[0])
	}
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > maxList {
		return errClaims
	}
	*to = make([]string, len(list))
	for i, item := range list {
		if err := text(item, &(*to)[i]); err != nil {
			return err
		}
	}
	return nil
}

func paths(raw []byte, to *[]string) error {
	if err := texts(raw, to); err != nil {
		return err
	}
	for i, p := range *to {
		dir, ok := directory(p)
		if !ok {
			return errClaims
		}
		(*to)[i] = dir
	}
	return nil
}

// numericDate reads seconds since 1970 (RFC 7519, section 2), rounding a
// fraction down. Zero counts as 1: it was there.
func numericDate(raw []byte, to *int64) error {
	if len(raw) > 24 || raw[0] == '"' || raw[0] == '-' {
		return errClaims
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || math.IsNaN(f) || f > lastTime {
			return errClaims
		}
		n = int64(f)
	}
	if n < 0 || n > lastTime {
		return errClaims
	}
	*to = max(n, 1)
	return nil
}

func address(raw []byte, to *netip.Prefix) error {
	var s string
	if err := text(raw, &s); err != nil {
		return err
	}
	if p, err := netip.ParsePrefix(s); err == nil && !p.Addr().Is4In6() {
		*to = p.Masked()
		return nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return errClaims
	}
	a = a.Unmap()
	*to = netip.PrefixFrom(a, a.BitLen())
	return nil
}
