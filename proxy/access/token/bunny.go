package token

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"manifold/manifest"
)

// Bunny token authentication: the token, its expiry and its parameters stand
// in the query, or in one element at the root of the path
// (/bcdn_token=…&token_path=…&expires=…/). Signed are the path (token_path,
// where there is one), the expiry, the viewer's address (if bound: four bytes,
// or an IPv6 /64 as sixteen) and the parameters, sorted, unescaped, as in a
// query:
//
//	token = "HS256-" ["1-"] base64url(HMAC-SHA-256(key, path expires address parameters))
//
// The former way, still accepted, hashes the key in front and has the address
// as text: base64url(SHA-256(key path expires address parameters)).
//
// A request's own query belongs to the parameters unless token_ignore_params
// is true. We always say so: players add CMCD to a URL that was signed.
var bunny = format{
	name: "bunny", query: "token", path: "bcdn_token",
	plainHash: true, list: true,
	hls:   manifest.InPath,
	owned: []string{"expires", "token_path", "token_ignore_params", "token_countries", "token_countries_blocked", "limit"},
	mint:  mintBunny, verify: verifyBunny,
}

const bunnyHMAC = "HS256-"

func mintBunny(m *Minter, dst []byte, s *Scope, place manifest.Placement) ([]byte, error) {
	if s.Starts != 0 || !m.plainHash && s.Client.Addr().Is6() && s.Client.Bits() > 64 {
		return nil, ErrScope // no start there, and an IPv6 address stands for its /64
	}
	name := m.query
	if place == manifest.InPath {
		name = m.path
	}
	dst = append(append(dst, name...), '=')
	key := m.keys[0]
	g := key.get()
	dst = m.appendBunnyToken(dst, key, g, s)
	key.put(g)
	dst = append(dst, "&token_ignore_params=true"...)
	if s.File == "" {
		dst = escape(append(dst, "&token_path="...), m.root, "~", upperHex)
		dst = escape(dst, s.Dir, "~", upperHex)
	}
	return strconv.AppendInt(append(dst, "&expires="...), s.Expires, 10), nil
}

func (m *Minter) appendBunnyToken(dst []byte, key *signer, g *signing, s *Scope) []byte {
	if m.plainHash {
		g.msg = append(g.msg, key.key...)
	}
	g.msg = append(append(append(g.msg, m.root...), s.Dir...), s.File...)
	g.msg = strconv.AppendInt(g.msg, s.Expires, 10)
	g.msg = m.appendBunnyAddress(g.msg, s.Client.Addr())
	g.msg = append(g.msg, "token_ignore_params=true"...)
	if s.File == "" {
		g.msg = append(append(append(g.msg, "&token_path="...), m.root...), s.Dir...)
	}
	if m.plainHash {
		g.sha256()
		return append(dst, g.base64()...)
	}
	g.hmac()
	dst = append(dst, bunnyHMAC...)
	if s.Client.IsValid() {
		dst = append(dst, "1-"...)
	}
	return append(dst, g.base64()...)
}

// appendBunnyAddress adds the address that a token is bound to, if any.
func (c *common) appendBunnyAddress(msg []byte, addr netip.Addr) []byte {
	switch {
	case !addr.IsValid():
		return msg
	case c.plainHash:
		return addr.AppendTo(msg)
	case addr.Is4():
		raw := addr.As4()
		return append(msg, raw[:]...)
	}
	raw := addr.As16()
	clear(raw[8:])
	return append(msg, raw[:]...)
}

func verifyBunny(v *Verifier, r *request) error {
	source := r.token
	if r.inQuery {
		source = r.query
	}
	params, err := parseBunny(source)
	if err != nil {
		return err
	}
	signature := params[r.name]
	expires := params["expires"]
	delete(params, r.name)
	delete(params, "expires")
	if params["token_countries"] != "" || params["token_countries_blocked"] != "" {
		return ErrUnsupported
	}
	if params["token_ignore_params"] == "true" {
		for name := range params {
			if name != "token_ignore_params" && name != "token_path" {
				delete(params, name)
			}
		}
	} else if !r.inQuery {
		more, err := parseBunny(r.query)
		if err != nil {
			return err
		}
		for name, value := range more {
			if _, twice := params[name]; twice {
				return ErrMalformed
			}
			params[name] = value
		}
	}
	until, ok := unixTime(expires)
	if !ok {
		return ErrMalformed
	}
	prefix, directory := params["token_path"]
	path := prefix
	if !directory {
		path = r.path
	}
	if err := v.signedBunny(signature, path+expires, joinSorted(params), r.remote); err != nil {
		return err
	}
	if err := checkTime(0, until, r.now); err != nil {
		return err
	}
	if directory && !strings.HasPrefix(r.path, prefix) {
		return ErrPath
	}
	return nil
}

// signedBunny tries the ways in which a token may be signed; which one it is
// (HMAC or not, bound or not) is part of the token or of the CDN's settings.
func (v *Verifier) signedBunny(token, head, params string, remote netip.Addr) error {
	signature, isHMAC := strings.CutPrefix(token, bunnyHMAC)
	try := func(addr netip.Addr) bool {
		c := &common{plainHash: !isHMAC}
		return v.signed(signature, func(s *signer, g *signing) []byte {
			if !isHMAC {
				g.msg = append(g.msg, s.key...)
			}
			g.msg = append(g.msg, head...)
			g.msg = append(c.appendBunnyAddress(g.msg, addr), params...)
			if isHMAC {
				g.hmac()
			} else {
				g.sha256()
			}
			return g.base64()
		})
	}
	bound := false
	if isHMAC {
		signature, bound = strings.CutPrefix(signature, "1-")
	}
	switch {
	case bound && try(remote), !bound && try(netip.Addr{}):
		return nil
	case !isHMAC && try(remote):
		return nil
	}
	return ErrSignature // or another address: they look the same
}

// parseBunny reads name=value pairs; no name may come twice.
func parseBunny(text string) (map[string]string, error) {
	params := map[string]string{}
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, ok1 := unescape(rawName)
		value, ok2 := unescape(rawValue)
		if !ok1 || !ok2 {
			return nil, ErrMalformed
		}
		if _, twice := params[name]; twice {
			return nil, ErrMalformed
		}
		params[name] = value
	}
	return params, nil
}

func joinSorted(params map[string]string) string {
	parts := make([]string, 0, len(params))
	for name, value := range params {
		parts = append(parts, name+"="+value)
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}
