package token

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"

	"manifold/exchange"
	"manifold/manifest"
)

// Google Media CDN tokens: fields separated by "~"; what is signed is the
// token's own text, but for FullPath, which is signed with the path and sent
// without. HMAC-SHA-256 in hex.
//
// In a query the scope is written as PathGlobs, which holds for every host; in
// a path, where slashes cannot stand, as URLPrefix (base64url of scheme, host
// and path). The path element stands after the prefix it opens, so that
// relative references keep it.
var mediaCDN = format{
	name: "mediacdn", query: "edge-cache-token", path: "edge-cache-token",
	named: true,
	hls:   manifest.InQuery, atEnd: true, openAddress: true,
	mint: mintMediaCDN, verify: verifyMediaCDN,
}

func mintMediaCDN(m *Minter, dst []byte, s *Scope, place manifest.Placement) ([]byte, error) {
	dst = append(append(dst, m.query...), '=')
	key := m.keys[0]
	g := key.get()
	defer key.put(g)
	start := len(dst)
	switch {
	case s.File != "":
		g.msg = append(append(append(g.msg, "FullPath="...), m.root...), s.File...)
		dst = append(dst, "FullPath"...)
		start = len(dst)
	case place == manifest.InPath:
		dst = append(dst, "URLPrefix="...)
		g.msg = exchange.AppendEscaped(append(g.msg, m.origin...), m.root)
		g.msg = exchange.AppendEscaped(g.msg, s.Dir)
		dst = base64.RawURLEncoding.AppendEncode(dst, g.msg)
		g.msg = g.msg[:0]
	default:
		if strings.ContainsAny(m.root, "*?!,~%") || strings.ContainsAny(s.Dir, "*?!,~%") {
			return nil, ErrScope
		}
		dst = escape(append(dst, "PathGlobs="...), m.root, "/", upperHex)
		dst = append(escape(dst, s.Dir, "/", upperHex), '*')
	}
	if s.Starts != 0 {
		dst = strconv.AppendInt(append(dst, "~Starts="...), s.Starts, 10)
	}
	dst = strconv.AppendInt(append(dst, "~Expires="...), s.Expires, 10)
	if s.Session != "" {
		dst = append(append(dst, "~SessionID="...), s.Session...)
	}
	if s.Client.IsValid() {
		var buf [64]byte
		text := s.Client.Masked().AppendTo(buf[:0])
		dst = base64.RawURLEncoding.AppendEncode(append(dst, "~IPRanges="...), text)
	}
	g.msg = append(g.msg, dst[start:]...)
	g.hmac()
	return append(append(dst, "~hmac="...), g.hex()...), nil
}

var (
	mediaCDNFields = []string{"PathGlobs", "URLPrefix", "Starts", "Expires", "SessionID", "Data", "IPRanges"}
	mediaCDNBare   = []string{"FullPath"}
)

func verifyMediaCDN(v *Verifier, r *request) error {
	f, err := parseFields(r.token, mediaCDNFields, mediaCDNBare)
	if err != nil {
		return err
	}
	scopes := 0
	for _, name := range [...]string{"FullPath", "PathGlobs", "URLPrefix"} {
		if f.has(name) {
			scopes++
		}
	}
	if scopes != 1 {
		return ErrMalformed
	}
	signed := f.signed
	if f.has("FullPath") {
		rest, first := strings.CutPrefix(signed, "FullPath")
		if !first {
			return ErrMalformed
		}
		signed = "FullPath=" + r.path + rest
	}
	if !v.signed(f.hmac, func(_ *signer, g *signing) []byte {
		g.msg = append(g.msg, signed...)
		g.hmac()
		return g.hex()
	}) {
		return ErrSignature
	}
	from, until, err := f.times("Starts", "Expires")
	if err != nil {
		return err
	}
	if err := checkTime(from, until, r.now); err != nil {
		return err
	}
	if text, bound := f.values["IPRanges"]; bound {
		if err := inRanges(text, r.remote); err != nil {
			return err
		}
	}
	if !f.has("FullPath") && !v.mediaCDNScope(f, r.path) {
		return ErrPath
	}
	return nil
}

func (v *Verifier) mediaCDNScope(f *fields, path string) bool {
	if text, globs := f.values["PathGlobs"]; globs {
		text, ok := unescape(text)
		if !ok {
			return false
		}
		for pattern := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '!' || c == ',' }) {
			if glob(pattern, path) {
				return true
			}
		}
		return false
	}
	prefix, err := base64.RawURLEncoding.Strict().DecodeString(f.values["URLPrefix"])
	if err != nil {
		return false
	}
	for _, origin := range v.origins {
		if strings.HasPrefix(string(exchange.AppendEscaped([]byte(origin), path)), string(prefix)) {
			return true
		}
	}
	return false
}

// inRanges tells whether addr lies in the base64url list of ranges.
func inRanges(text string, addr netip.Addr) error {
	list, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return ErrMalformed
	}
	for item := range strings.SplitSeq(string(list), ",") {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return ErrMalformed
		}
		if p.Contains(addr) {
			return nil
		}
	}
	return ErrAddress
}
