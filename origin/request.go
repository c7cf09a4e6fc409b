package origin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"manifold/exchange"
)

// Class says how an answer is treated.
type Class uint8

// The classes. A manifest is small, complete before it is shown, may be
// compiled, and grows stale quickly; a segment streams through as it arrives.
// Keys, initialisation segments, subtitles and images are segments.
const (
	Manifest Class = iota + 1
	Segment
)

// String names the class as logs and metrics do.
func (c Class) String() string {
	switch c {
	case Manifest:
		return "manifest"
	case Segment:
		return "segment"
	}
	return "unknown"
}

// Request asks the shield for one resource. Its strings are not kept.
type Request struct {
	Group *Group
	Class Class
	// Path is the canonical, escaped path below the group's root, without a
	// leading slash ("v720/seg%201.m4s"): exchange.AppendEscaped of what
	// exchange.Canonical gave.
	Path string
	// Query is the raw query; only the group's declared parameters are used.
	Query string
	// Header looks up the viewer's fields, of which only the group's declared
	// ones are used; nil has none.
	Header exchange.Headers

	// Range, IfRange, IfNoneMatch and IfModifiedSince are the viewer's fields
	// of the same names, or "". They are answered from the cached whole (RFC
	// 9110, sections 13 and 14): the origin never sees them.
	Range, IfRange, IfNoneMatch, IfModifiedSince string

	// Now is the moment of the request by the shield's clock; the zero time
	// has the shield ask it.
	Now time.Time
}

// checkPath refuses a path that is not canonical or could leave the root. The
// listeners' canonicaliser has seen to it before; this is the second lock.
func checkPath(p string) bool {
	segment := 0
	for i := 0; i <= len(p); i++ {
		if i == len(p) || p[i] == '/' {
			s := p[segment:i]
			if i < len(p) && s == "" || isDots(s) {
				return false
			}
			segment = i + 1
			continue
		}
		switch c := p[i]; {
		case c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '\\':
			return false
		case c == '%':
			if i+2 >= len(p) || !safeEscape(p[i+1], p[i+2]) {
				return false
			}
		}
	}
	return len(p) <= exchange.MaxTarget*3
}

// safeEscape tells whether %hl is an escape that cannot be read as anything
// but a character of its segment.
func safeEscape(h, l byte) bool {
	hi, lo := unhex(h), unhex(l)
	if hi < 0 || lo < 0 {
		return false
	}
	c := byte(hi<<4 | lo)
	return c >= ' ' && c != 0x7f && c != '/' && c != '\\'
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isDots tells a dot segment, also an escaped one.
func isDots(s string) bool {
	n := 0
	for len(s) > 0 {
		switch {
		case s[0] == '.':
			s = s[1:]
		case len(s) >= 3 && s[0] == '%' && s[1] == '2' && (s[2] == 'e' || s[2] == 'E'):
			s = s[3:]
		default:
			return false
		}
		n++
	}
	return n == 1 || n == 2
}

// appendKey appends the cache key: group, class, path, declared query in
// sorted order, declared headers. Access is decided before, and nothing of it
// is in the key.
func appendKey(dst []byte, r *Request) []byte {
	dst = append(dst, r.Group.id...)
	dst = append(dst, byte('0'+r.Class), '/')
	dst = append(dst, r.Path...)
	dst = appendQuery(dst, r.Group.query, r.Query)
	for _, name := range r.Group.cfg.Headers {
		dst = append(dst, 0)
		if r.Header != nil {
			dst = append(dst, r.Header.Get(name)...)
		}
	}
	return dst
}

// DeclaredQuery gives what of a raw query the group's answers depend on, as it
// goes to the origin: the declared parameters, without "?". It allocates only
// where there are any.
func (g *Group) DeclaredQuery(rawQuery string) string {
	if len(g.query) == 0 || rawQuery == "" {
		return ""
	}
	return strings.TrimPrefix(string(appendQuery(nil, g.query, rawQuery)), "?")
}

// appendQuery appends "?" and the declared parameters of a raw query: by
// name, those of one name in the order they came, exactly as they were
// written. A parameter written in another way than declared is not declared.
func appendQuery(dst []byte, declared []string, query string) []byte {
	sep := byte('?')
	for _, name := range declared {
		rest := query
		for rest != "" {
			var pair string
			pair, rest, _ = strings.Cut(rest, "&")
			if len(pair) < len(name) || pair[:len(name)] != name || len(pair) > len(name) && pair[len(name)] != '=' {
				continue
			}
			dst = append(append(dst, sep), pair...)
			sep = '&'
		}
	}
	return dst
}

// target is what a fill asks the origins for: a Request of its own strings.
type target struct {
	class  Class
	path   string
	query  string           // with "?", or ""
	fields []exchange.Field // declared request headers
}

func newTarget(r *Request) target {
	t := target{
		class: r.Class,
		path:  strings.Clone(r.Path),
		query: string(appendQuery(nil, r.Group.query, r.Query)),
	}
	if r.Header != nil {
		for _, name := range r.Group.cfg.Headers {
			if v := r.Header.Get(name); v != "" && !strings.ContainsAny(v, "\r\n\x00") {
				t.fields = append(t.fields, exchange.Field{Name: name, Value: strings.Clone(v)})
			}
		}
	}
	return t
}

// below gives the URL of a target below an origin's root.
func (t *target) below(root *url.URL) (*url.URL, error) {
	u := *root
	base := root.EscapedPath() + t.path
	path, err := url.PathUnescape(base)
	if err != nil {
		return nil, err
	}
	if i := strings.IndexFunc(t.query, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }); i >= 0 {
		return nil, fmt.Errorf("the query has %q", t.query[i])
	}
	u.Path, u.RawPath = path, base
	u.RawQuery = strings.TrimPrefix(t.query, "?")
	return &u, nil
}

// folder is the path up to and with its last slash; "" is the root.
func folder(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// hopByHop are the fields of RFC 9110, section 7.6.1, and those that only a
// proxy and its neighbour may say to each other.
var hopByHop = []string{
	"connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
	"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

func isHopByHop(name string) bool { return slices.Contains(hopByHop, strings.ToLower(name)) }

// ownRequestField tells the fields that the shield itself writes or answers.
func ownRequestField(name string) bool {
	return slices.Contains([]string{
		"host", "content-length", "accept-encoding", "via", "range", "if-range", "if-match",
		"if-none-match", "if-modified-since", "if-unmodified-since", "set-cookie", "age",
	}, strings.ToLower(name))
}

// isToken tells whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar(s[i]) {
			return false
		}
	}
	return s != ""
}

func tokenChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
