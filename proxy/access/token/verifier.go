package token

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"manifold/exchange"
)

// Verifier is what a CDN does with a request: find the token, take it off,
// check it. It is immutable and safe for concurrent use.
type Verifier struct {
	common
	origins []string // scheme and authority of the bases
}

// NewVerifier makes the verifier of a CDN that serves below the given bases
// (only Media CDN's URLPrefix needs them: a CDN that answers on two ports has
// two).
func NewVerifier(cfg Config, bases []string, s Secrets) (*Verifier, error) {
	c, err := newCommon(&cfg, s)
	if err != nil {
		return nil, fmt.Errorf("cannot make the token verifier: %w", err)
	}
	v := &Verifier{common: c}
	for _, base := range bases {
		origin, _, err := splitBase(base)
		if err != nil {
			return nil, fmt.Errorf("cannot make the token verifier: %q: %w", base, err)
		}
		v.origins = append(v.origins, origin)
	}
	return v, nil
}

// request is one request as a format's verifier sees it.
type request struct {
	name    string // the element's name as found
	token   string // its value; for Bunny in a path, the whole element
	inQuery bool
	query   string // the query as sent
	path    string // canonical, without the token
	remote  netip.Addr
	now     int64
}

// The bounds of what is looked at.
const (
	maxToken   = 4 << 10
	maxElement = 64 // path elements
)

// Verify checks a request whose target was path?rawQuery, both as sent
// (undecoded: a token in a path has escaped slashes in it), from remote. It
// returns them without the token. The errors are those of this package, or of
// exchange.Canonical where the path without its token is not canonical.
func (v *Verifier) Verify(path, rawQuery string, remote netip.Addr, now time.Time) (strippedPath, strippedQuery string, err error) {
	r := request{query: rawQuery, remote: remote.Unmap().WithZone(""), now: now.Unix()}
	strippedPath, err = v.takeFromPath(path, &r)
	if err != nil {
		return "", "", err
	}
	strippedQuery, err = v.takeFromQuery(rawQuery, &r)
	if err != nil {
		return "", "", err
	}
	if r.name == "" {
		return "", "", ErrMissing
	}
	if len(r.token) > maxToken {
		return "", "", ErrMalformed
	}
	canonical, _, err := exchange.Canonical(nil, strippedPath)
	if err != nil {
		return "", "", err
	}
	r.path = string(canonical)
	if err := v.format.verify(v, &r); err != nil {
		return "", "", err
	}
	return strippedPath, strippedQuery, nil
}

// nameOf gives the token's name that text begins with, before a "=".
func (v *Verifier) nameOf(text string) string {
	for _, name := range [...]string{v.query, v.path} {
		if len(text) > len(name) && text[len(name)] == '=' && text[:len(name)] == name {
			return name
		}
	}
	return ""
}

// takeFromPath finds the path element that is a token and takes it out. In
// formats whose element stands at the root it is only looked for there.
func (v *Verifier) takeFromPath(path string, r *request) (string, error) {
	if path == "" || path[0] != '/' {
		return "", exchange.ErrTarget
	}
	stripped := path
	at := 1
	for range maxElement {
		element := path[at:]
		end := strings.IndexByte(element, '/')
		if end < 0 {
			return stripped, nil // the last element is a file, never a token
		}
		element = element[:end]
		if name := v.nameOf(element); name != "" {
			if r.name != "" {
				return "", ErrMalformed
			}
			r.name, r.token = name, element[len(name)+1:]
			if v.format.list {
				r.token = element
			}
			stripped = path[:at] + path[at+end+1:]
		}
		if !v.format.atEnd {
			break
		}
		at += end + 1
	}
	return stripped, nil
}

// takeFromQuery finds the parameter that is a token and takes it and those
// that belong to it out.
func (v *Verifier) takeFromQuery(query string, r *request) (string, error) {
	inPath := r.name != ""
	var rest strings.Builder
	for part := range strings.SplitSeq(query, "&") {
		name := v.nameOf(part)
		switch {
		case name != "" && r.name != "":
			return "", ErrMalformed
		case name != "":
			r.name, r.token, r.inQuery = name, part[len(name)+1:], true
		case part == "" || !inPath && v.owns(part):
		default:
			if rest.Len() > 0 {
				rest.WriteByte('&')
			}
			rest.WriteString(part)
		}
	}
	if inPath || r.name == "" {
		return query, nil
	}
	return rest.String(), nil
}

// owns tells whether a parameter belongs to the token.
func (v *Verifier) owns(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	return contains(v.format.owned, name)
}
