package token

import (
	"net/netip"
	"strconv"
	"strings"

	"manifold/manifest"
)

// Akamai EdgeAuth, "Auth Token 2.0": fields separated by "~", the last one the
// HMAC-SHA-256 in hex over the text before it, to which a URL token adds the
// path and a salted one the salt, neither of which is sent. An acl is a list
// separated by "!" with the wildcards "*" and "?".
//
// In a path the acl's slashes are escaped before signing, for the element must
// stay one segment; there it also carries data=hdntl, by which Akamai's
// segmented-media verification knows a long token.
var akamai = format{
	name: "akamai", query: "hdnts", path: "hdntl",
	named: true, salted: true,
	hls: manifest.InQuery, openAddress: true,
	mint: mintAkamai, verify: verifyAkamai,
}

func mintAkamai(m *Minter, dst []byte, s *Scope, place manifest.Placement) ([]byte, error) {
	name, keep := m.query, "/"
	if place == manifest.InPath {
		name, keep = m.path, ""
	}
	dst = append(append(dst, name...), '=')
	start := len(dst)
	if s.Client.IsValid() {
		dst = append(s.Client.Addr().AppendTo(append(dst, "ip="...)), '~')
	}
	if s.Starts != 0 {
		dst = append(strconv.AppendInt(append(dst, "st="...), s.Starts, 10), '~')
	}
	dst = strconv.AppendInt(append(dst, "exp="...), s.Expires, 10)
	if s.File == "" {
		if strings.ContainsAny(m.root, "*?!") || strings.ContainsAny(s.Dir, "*?!") {
			return nil, ErrScope
		}
		dst = escape(append(dst, "~acl="...), m.root, keep, lowerHex)
		dst = append(escape(dst, s.Dir, keep, lowerHex), '*')
	}
	if s.Session != "" {
		dst = append(append(dst, "~id="...), s.Session...)
	}
	if place == manifest.InPath {
		dst = append(dst, "~data=hdntl"...)
	}
	key := m.keys[0]
	g := key.get()
	g.msg = append(g.msg, dst[start:]...)
	if s.File != "" {
		g.msg = append(append(append(g.msg, "~url="...), m.root...), s.File...)
	}
	g.msg = m.appendSalt(g.msg)
	g.hmac()
	dst = append(append(dst, "~hmac="...), g.hex()...)
	key.put(g)
	return dst, nil
}

func (c *common) appendSalt(msg []byte) []byte {
	if len(c.salt) == 0 {
		return msg
	}
	return append(append(msg, "~salt="...), c.salt...)
}

var akamaiFields = []string{"ip", "st", "exp", "acl", "id", "data"}

func verifyAkamai(v *Verifier, r *request) error {
	f, err := parseFields(r.token, akamaiFields, nil)
	if err != nil {
		return err
	}
	urlToken := !f.has("acl")
	good := v.signed(f.hmac, func(_ *signer, g *signing) []byte {
		g.msg = append(g.msg, f.signed...)
		if urlToken {
			g.msg = append(append(g.msg, "~url="...), r.path...)
		}
		g.msg = v.appendSalt(g.msg)
		g.hmac()
		return g.hex()
	})
	if !good && urlToken { // "Escape token input" is on at the issuer
		good = v.signed(f.hmac, func(_ *signer, g *signing) []byte {
			g.msg = append(append(g.msg, f.signed...), "~url="...)
			g.msg = v.appendSalt(escape(g.msg, r.path, "!()", lowerHex))
			g.hmac()
			return g.hex()
		})
	}
	if !good {
		return ErrSignature
	}
	from, until, err := f.times("st", "exp")
	if err != nil {
		return err
	}
	if err := checkTime(from, until, r.now); err != nil {
		return err
	}
	if text, bound := f.values["ip"]; bound {
		text, _ = unescape(text)
		if addr, err := netip.ParseAddr(text); err != nil || addr.Unmap() != r.remote {
			return ErrAddress
		}
	}
	if urlToken {
		return nil
	}
	acl, ok := unescape(f.values["acl"])
	if !ok {
		return ErrMalformed
	}
	for pattern := range strings.SplitSeq(acl, "!") {
		if glob(pattern, r.path) {
			return nil
		}
	}
	return ErrPath
}
