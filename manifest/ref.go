package manifest

import "strings"

// Resolve finds where a reference in the manifest at path (below the origin's
// root, canonical and so unescaped) points to: under is the target below the
// root, with its query, as text fit for a URL ("v720/seg1.m4s?x=1"); the root
// itself is "". ok is false where the reference leads elsewhere: another
// host, another scheme (data:, skd:), above the root, or nowhere; also where
// clients would not agree on the target (a backslash, a control character), or
// it has a fragment. Resolution follows RFC 3986, section 5.2; escaped dots
// count as dots (section 6.2.2.2), as browsers have it.
func Resolve(source, path, ref string) (under string, ok bool) {
	form := look(ref)
	if form.refused || ref == "" {
		return "", false
	}
	if form.space {
		ref = strings.ReplaceAll(ref, " ", "%20")
	}
	switch {
	case form.scheme > 0:
		return underSource(source, ref)
	case strings.HasPrefix(ref, "//"):
		return underSource(source, source[:strings.IndexByte(source, ':')+1]+ref)
	case ref[0] == '/':
		origin, _ := splitURL(source)
		return underSource(source, origin+ref)
	case ref[0] == '?':
		return escapePath(path) + ref, true
	}
	dir := escapePath(path[:strings.LastIndexByte(path, '/')+1])
	if !form.dots {
		return dir + ref, true
	}
	// The reference may climb above the root and come back, where it is known
	// what is above.
	root := `/\/` // no path has this
	if source != "" {
		_, root = splitURL(source)
	}
	return underRoot(root, root+dir+ref)
}

// refForm is what one look at a reference tells.
type refForm struct {
	refused bool // a backslash, a control character, a fragment
	space   bool
	dots    bool // the path has a segment that may be a dot segment
	scheme  int  // length of the scheme, or 0
}

func look(ref string) (f refForm) {
	begin, path := true, true // at the first byte of a segment; before "?"
	for i := 0; i < len(ref); i++ {
		switch c := ref[i]; {
		case c < ' ' || c == 0x7f || c == '\\' || c == '#':
			f.refused = true
			return f
		case c == ' ':
			f.space = true
		case !path:
		case c == '?':
			path = false
		case c == '/':
			begin = true
			continue
		case begin && (c == '.' || c == '%'):
			f.dots = true
		case c == ':' && f.scheme == 0 && isScheme(ref[:i]):
			f.scheme = i
		}
		begin = false
	}
	return f
}

// isScheme tells whether s is a scheme: RFC 3986, section 3.1.
func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// splitURL divides an absolute URL into scheme and authority, and the rest,
// which begins with "/" (put there where the path is empty). What has no
// authority gives "" and "/".
func splitURL(u string) (origin, rest string) {
	i := strings.Index(u, "://")
	if i < 0 {
		return "", "/"
	}
	i += len("://")
	j := strings.IndexAny(u[i:], "/?")
	switch {
	case j < 0:
		return u, "/"
	case u[i+j] == '?':
		return u[:i+j], "/" + u[i+j:]
	}
	return u[:i+j], u[i+j:]
}

// underSource gives what an absolute URL is below source. Scheme and host are
// compared without regard to case, and a scheme's own port is as none (RFC
// 3986, sections 6.2.2.1 and 6.2.3); the path is compared as it is.
func underSource(source, abs string) (string, bool) {
	want, root := splitURL(source)
	have, target := splitURL(abs)
	if want == "" || !strings.EqualFold(withoutPort(have), withoutPort(want)) {
		return "", false
	}
	return underRoot(root, target)
}

// withoutPort takes the default port off a scheme and authority.
func withoutPort(origin string) string {
	port := ":443"
	if len(origin) > 5 && strings.EqualFold(origin[:5], "http:") {
		port = ":80"
	}
	return strings.TrimSuffix(strings.TrimSuffix(origin, port), ":")
}

// underRoot gives what an absolute path, with its query, is below root, which
// ends in "/".
func underRoot(root, target string) (string, bool) {
	path, query := target, ""
	if i := strings.IndexByte(target, '?'); i >= 0 {
		path, query = target[:i], target[i:]
	}
	path = removeDots(path)
	if !strings.HasPrefix(path, root) {
		return "", false
	}
	return path[len(root):] + query, true
}

// removeDots removes the dot segments of an absolute path: RFC 3986, section
// 5.2.4.
func removeDots(path string) string {
	out := make([]byte, 0, len(path))
	for rest := path; rest != ""; {
		rest = rest[1:] // the slash
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment = rest[:i]
		}
		rest = rest[len(segment):]
		switch dotSegment(segment) {
		case 0:
			out = append(append(out, '/'), segment...)
			continue
		case 2:
			i := len(out)
			for i > 0 && out[i-1] != '/' {
				i--
			}
			out = out[:max(i-1, 0)]
		}
		if rest == "" {
			out = append(out, '/')
		}
	}
	return string(out)
}

// dotSegment is 1 for ".", 2 for "..", also with escaped dots, else 0.
func dotSegment(s string) int {
	for n := 0; n <= 2; n++ {
		switch {
		case s == "":
			return n
		case s[0] == '.':
			s = s[1:]
		case len(s) >= 3 && s[0] == '%' && s[1] == '2' && s[2]|0x20 == 'e':
			s = s[3:]
		default:
			return 0
		}
	}
	return 0
}

// escapePath puts a canonical path into the form in which it stands in URLs:
// what is no pchar (RFC 3986, section 3.3) is escaped.
func escapePath(path string) string {
	for i := 0; i < len(path); i++ {
		if !isPchar(path[i]) {
			return escapeFrom(path, i)
		}
	}
	return path
}

func escapeFrom(path string, from int) string {
	const hex = "0123456789ABCDEF"
	out := append(make([]byte, 0, len(path)+16), path[:from]...)
	for i := from; i < len(path); i++ {
		if c := path[i]; isPchar(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

func isPchar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '/' <= c && c <= ':':
		return true
	}
	return strings.IndexByte("-._~!$&'()*+,;=@", c) >= 0
}
