package dash

import (
	"strings"

	"manifold/manifest"
)

// A reference in an MPD is one of these, as seen from the base that it is
// resolved against (ISO/IEC 23009-1, 5.6.4; RFC 3986, section 5.2).
type reach uint8

const (
	relative reach = iota // stays below the base of the pathway as it is written
	rooted                // below the origin's root, but written from its top
	outside               // on the origin's host or above its root: not on any pathway
	foreign               // elsewhere
)

// target is where a reference leads: path is the target below the origin's
// root with its query (relative, rooted), or the absolute URL, "" where that
// is not known.
type target struct {
	reach reach
	path  string
	form  form
}

// form is how a reference is written (RFC 3986, section 4.2).
type form uint8

const (
	formPath     form = iota // relative path, query alone, or empty
	formRooted               // absolute path: "/x"
	formNetwork              // "//host/x"
	formAbsolute             // "http://host/x"
)

// maxURL bounds the references looked at; longer ones (data: URLs) are left
// alone. maxLevels bounds how far references are made relative.
const (
	maxURL    = 4096
	maxLevels = 32
)

// origin resolves references as the origin meant them.
type origin struct {
	scheme    string // "http:"
	authority string // "http://origin.example"
	path      string // "/live/"
}

func newOrigin(source string) origin {
	i := strings.Index(source, "://")
	if i < 0 {
		return origin{path: "/"}
	}
	j := strings.IndexByte(source[i+3:], '/')
	if j < 0 {
		return origin{source[:i+1], source, "/"}
	}
	j += i + 3
	return origin{source[:i+1], source[:j], source[j:]}
}

// resolve finds where ref leads from the directory dir below the root ("" or
// ending in "/").
func (o *origin) resolve(dir, ref string) target {
	if len(ref) > maxURL {
		return target{reach: foreign}
	}
	for i := 0; i < len(ref); i++ {
		// Browsers drop tabs and newlines and read \ as /: such a reference
		// could be anything, and is nothing that a packager writes.
		if ref[i] < ' ' || ref[i] == '\\' {
			return target{reach: foreign}
		}
	}
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	f := formOf(ref)
	switch {
	case f == formPath:
		path, query := cutQuery(ref)
		if p, ok := normal(dir + path); ok {
			return target{relative, p + query, f}
		}
		if o.authority == "" {
			return target{reach: outside, form: f}
		}
		t := o.place(o.authority, clamp(o.path+dir+path), query)
		t.form = f
		return t
	case o.authority == "":
		return target{reach: foreign, form: f}
	case f == formRooted:
		ref = o.authority + ref
	case f == formNetwork:
		ref = o.scheme + ref
	}
	t := o.absolute(ref)
	t.form = f
	return t
}

func formOf(ref string) form {
	switch {
	case hasScheme(ref):
		return formAbsolute
	case strings.HasPrefix(ref, "//"):
		return formNetwork
	case strings.HasPrefix(ref, "/"):
		return formRooted
	}
	return formPath
}

// absolute looks whether an absolute URL is on the origin's host and below
// its root. Of one elsewhere the path is the URL itself.
func (o *origin) absolute(ref string) target {
	i := strings.Index(ref, "://")
	if i < 0 {
		return target{reach: foreign, path: ref}
	}
	j := strings.IndexAny(ref[i+3:], "/?")
	if j < 0 {
		j = len(ref) - i - 3
	}
	j += i + 3
	if !sameHost(o.authority, ref[:j]) {
		return target{reach: foreign, path: ref}
	}
	path, query := cutQuery(ref[j:])
	return o.place(ref[:j], clamp(path), query)
}

// place tells whether a path on the origin's host, without dot segments, is
// below the root: a reference may climb above it and come back.
func (o *origin) place(authority, path, query string) target {
	if below, ok := strings.CutPrefix(path, o.path); ok {
		return target{reach: rooted, path: below + query}
	}
	return target{reach: outside, path: authority + path + query}
}

// sameHost compares scheme and authority without regard to case and default
// ports.
func sameHost(a, b string) bool {
	trim := func(s string) string {
		if len(s) > 7 && strings.EqualFold(s[:7], "http://") {
			return strings.TrimSuffix(s, ":80")
		}
		if len(s) > 8 && strings.EqualFold(s[:8], "https://") {
			return strings.TrimSuffix(s, ":443")
		}
		return s
	}
	return strings.EqualFold(trim(a), trim(b))
}

func hasScheme(ref string) bool {
	for i := 0; i < len(ref); i++ {
		switch c := ref[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= ref[i] && ref[i] <= '9' || ref[i] == '+' || ref[i] == '-' || ref[i] == '.'):
		default:
			return i > 0 && ref[i] == ':'
		}
	}
	return false
}

func cutQuery(ref string) (path, query string) {
	if i := strings.IndexByte(ref, '?'); i >= 0 {
		return ref[:i], ref[i:]
	}
	return ref, ""
}

// normal removes dot segments from a path below a root; ok is false where
// they climb above it. "%2e" is a dot: browsers read it so.
func normal(p string) (string, bool) {
	if !strings.Contains(p, "./") && !strings.HasSuffix(p, ".") && !strings.Contains(p, "%2") {
		return p, true
	}
	return climb(p)
}

// clamp removes dot segments from an absolute path; those that climb above
// the top are dropped (RFC 3986, section 5.2.4).
func clamp(p string) string {
	p, _ = climb(strings.TrimPrefix(p, "/"))
	return "/" + p
}

func climb(p string) (string, bool) {
	parts := strings.Split(p, "/")
	out := parts[:0]
	below, last := true, len(parts)-1
	for i, s := range parts {
		n := dots(s)
		if n == 0 {
			out = append(out, s)
			continue
		}
		if n == 2 {
			if len(out) == 0 {
				below = false
			} else {
				out = out[:len(out)-1]
			}
		}
		if i == last {
			out = append(out, "")
		}
	}
	return strings.Join(out, "/"), below
}

// dots counts the dots of a dot segment, 0 for any other.
func dots(s string) int {
	n := 0
	for s != "" {
		switch {
		case s[0] == '.':
			s = s[1:]
		case len(s) >= 3 && s[0] == '%' && s[1] == '2' && s[2]|0x20 == 'e':
			s = s[3:]
		default:
			return 0
		}
		if n++; n > 2 {
			return 0
		}
	}
	return n
}

// directory is the part of a target up to its last slash, without its query.
func directory(path string) string {
	path, _ = cutQuery(path)
	return path[:strings.LastIndexByte(path, '/')+1]
}

// fromRoot writes a target below the root as a reference relative to a
// directory depth levels below it: what a player resolves through whatever
// base URL it chose, token and all.
func fromRoot(depth int, path string) string {
	if depth > 0 {
		return strings.Repeat("../", depth) + path
	}
	first, _, _ := strings.Cut(path, "/")
	if path == "" || path[0] == '/' || path[0] == '?' || strings.IndexByte(first, ':') >= 0 {
		return "./" + path
	}
	return path
}

// safePath percent-encodes what of a canonical path may not stand in a URL
// (RFC 3986, section 3.3). A percent sign there is one that was decoded.
func safePath(path string) string { return encoded(path, "-._~!$&'()*+,;=@") }

// safeQuery percent-encodes what of a raw query may not stand in a URL (RFC
// 3986, section 3.4). A percent sign there is the viewer's own.
func safeQuery(query string) string { return encoded(query, "-._~!$&'()*+,;=@?%") }

// encoded percent-encodes all but letters, digits, "/", ":" and marks.
func encoded(text, marks string) string {
	const upper = "0123456789ABCDEF"
	out := make([]byte, 0, len(text)+8)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '/' <= c && c <= ':' || strings.IndexByte(marks, c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', upper[c>>4], upper[c&15])
		}
	}
	return string(out)
}

// escaped is a shape whose texts are fit for XML, so that what the builder
// adds of them is.
func escaped(s *manifest.Shape) *manifest.Shape {
	e := *s
	e.Prefix, e.Cohort, e.Edge = escape(s.Prefix), escape(s.Cohort), escape(s.Edge)
	e.Pathways = make([]manifest.Pathway, len(s.Pathways))
	for i, p := range s.Pathways {
		p.ID = escape(p.ID)
		head := escape(p.Base[:min(max(p.TokenAt, 0), len(p.Base))])
		p.Base, p.TokenAt = head+escape(p.Base[min(max(p.TokenAt, 0), len(p.Base)):]), len(head)
		e.Pathways[i] = p
	}
	if s.Steering != nil {
		st := *s.Steering
		st.Before, st.After = escape(st.Before), escape(st.After)
		e.Steering = &st
	}
	return &e
}
