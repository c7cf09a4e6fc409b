package access

import (
	"net/netip"
	"strings"
	"time"
)

// Grant is what a verified token allows. It is immutable.
type Grant struct {
	// Issuer, Subject, Tier and Session are the claims iss, sub, tier and sid,
	// "" where not there.
	Issuer, Subject, Tier, Session string
	// TokenID is the jti claim, else the beginning of the token's SHA-256 in
	// hex; "" where no token was asked for.
	TokenID string
	// Paths are the directories that may be read, as paths at the edge: each
	// begins and ends with "/" ("/vod/movie1/"). Empty is all of them.
	Paths []string
	// NotBefore (the leeway taken off) and Expires are Unix seconds; 0 is none.
	NotBefore, Expires int64
	// Address is the only prefix that clients may come from; the invalid
	// prefix is no bound.
	Address netip.Prefix
}

// Allows checks a canonical path at the edge, asked for from addr at now.
func (g *Grant) Allows(path string, addr netip.Addr, now time.Time) error {
	if err := g.check(addr, now.Unix()); err != nil {
		return err
	}
	if path == "" || path[0] != '/' {
		return ErrPath
	}
	if _, ok := g.scope("", path[1:]); !ok {
		return ErrPath
	}
	return nil
}

// check is what does not depend on the path.
func (g *Grant) check(addr netip.Addr, now int64) error {
	switch {
	case g.Expires != 0 && now >= g.Expires:
		return ErrExpired
	case now < g.NotBefore:
		return ErrNotYet
	case g.Address.IsValid() && !g.Address.Contains(addr.Unmap().WithZone("")):
		return ErrAddress
	}
	return nil
}

// scope finds the widest directory below prefix ("/vod", no slash at the end)
// that the grant opens and that holds path (below the prefix, no slash in
// front): "" for all that is below, else "movie1/".
func (g *Grant) scope(prefix, path string) (dir string, ok bool) {
	if len(g.Paths) == 0 {
		return "", true
	}
	for _, p := range g.Paths {
		if covers(p, prefix) {
			return "", true
		}
		if !strings.HasPrefix(p, prefix) || p[len(prefix)] != '/' {
			continue
		}
		below := p[len(prefix)+1:]
		if strings.HasPrefix(path, below) && (!ok || len(below) < len(dir)) {
			dir, ok = below, true
		}
	}
	return dir, ok
}

// covers tells whether the directory p is the prefix or holds it.
func covers(p, prefix string) bool {
	p = p[:len(p)-1]
	return strings.HasPrefix(prefix, p) && (len(prefix) == len(p) || prefix[len(p)] == '/')
}

// directory brings a path claim into the form of Grant.Paths: "/vod/movie1",
// "/vod/movie1/" and "/vod/movie1/*" are all that is below /vod/movie1.
func directory(claim string) (string, bool) {
	if strings.HasSuffix(claim, "/*") {
		claim = claim[:len(claim)-1]
	}
	if claim == "" || claim[0] != '/' || len(claim) > maxClaim {
		return "", false
	}
	claim = strings.TrimSuffix(claim, "/") + "/"
	if claim == "/" {
		return claim, true
	}
	for segment := range strings.SplitSeq(claim[1:len(claim)-1], "/") {
		if segment == "" || segment == "." || segment == ".." || strings.HasPrefix(segment, "~") {
			return "", false
		}
	}
	for i := range len(claim) {
		if c := claim[i]; c < ' ' || c == 0x7f || c == '\\' || c == '*' || c == '?' {
			return "", false
		}
	}
	return claim, true
}
