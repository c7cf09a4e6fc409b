package exchange

import (
	"errors"
	"unicode/utf8"
	"unsafe"
)

// Errors of a request target or body. Each is answered with 400, ErrTooLarge
// with 413 (414 for a target).
var (
	ErrTarget       = errors.New("request target is not in origin form: it must begin with /")
	ErrEscape       = errors.New("request target has a broken percent escape")
	ErrEncodedSlash = errors.New("request target has an encoded slash or backslash")
	ErrEncoding     = errors.New("request target has a path that is not UTF-8")
	ErrControl      = errors.New("request target has a control character or NUL")
	ErrBackslash    = errors.New("request target has a backslash")
	ErrDotSegment   = errors.New("request target has a dot segment")
	ErrEmptySegment = errors.New("request target has an empty path segment")
	ErrFragment     = errors.New("request target has a fragment")
	ErrTooLarge     = errors.New("request is too large")
)

// MaxTarget bounds the raw request target in bytes.
const MaxTarget = 8 << 10

// Canonical appends to dst the canonical form of the path in a raw request
// target and returns it with the query as sent. It is the one place where a
// path is decoded: the route, the token check, the cache key and the upstream
// path all use its result. Percent escapes are decoded once (RFC 3986,
// section 2.1); a path that could be read in two ways is refused, never
// repaired: encoded slash or backslash, a backslash, a control character, a
// dot segment (also an encoded one, and one with parameters, "..;x", which
// some servers strip), an empty segment in the middle, a fragment, a broken
// escape, bytes that are not UTF-8 (an overlong "%c0%ae" is a dot to some). A
// percent sign that remains after decoding ("%2525") is kept as it is:
// Canonical never decodes twice, and the upstream path is made by encoding
// again (see [AppendEscaped]).
//
// The query is returned as sent, refused only where it holds a control
// character, a space or a fragment. After an error path is dst as it was.
func Canonical(dst []byte, target string) (path []byte, query string, err error) {
	if len(target) > MaxTarget {
		return dst, "", ErrTooLarge
	}
	if target == "" || target[0] != '/' {
		return dst, "", ErrTarget
	}
	if n := plainPath(target); n >= 0 {
		if n < len(target) {
			query = target[n+1:]
			if err := checkQuery(query); err != nil {
				return dst, "", err
			}
		}
		return append(dst, target[:n]...), query, nil
	}
	start := len(dst)
	segment := start + 1 // where the segment being read begins in dst
	high := byte(0)      // all bytes of the path or-ed together
	for i := 0; i < len(target); i++ {
		c := target[i]
		switch {
		case c == '?':
			query = target[i+1:]
			if err := checkQuery(query); err != nil {
				return dst[:start], "", err
			}
			i = len(target)
			continue
		case c == '#':
			return dst[:start], "", ErrFragment
		case c == '\\':
			return dst[:start], "", ErrBackslash
		case c == '/':
			if len(dst) > start {
				if err := checkSegment(dst[segment:]); err != nil {
					return dst[:start], "", err
				}
				segment = len(dst) + 1
			}
		case c <= ' ' || c == 0x7f:
			return dst[:start], "", ErrControl
		case c == '%':
			if i+2 >= len(target) {
				return dst[:start], "", ErrEscape
			}
			hi, lo := unhex(target[i+1]), unhex(target[i+2])
			if hi < 0 || lo < 0 {
				return dst[:start], "", ErrEscape
			}
			c = byte(hi<<4 | lo)
			i += 2
			if c == '/' || c == '\\' {
				return dst[:start], "", ErrEncodedSlash
			}
			if c < ' ' || c == 0x7f {
				return dst[:start], "", ErrControl
			}
		}
		high |= c
		dst = append(dst, c)
	}
	if last := dst[segment:]; len(last) > 0 {
		if err := checkSegment(last); err != nil {
			return dst[:start], "", err
		}
	}
	if high >= utf8.RuneSelf && !utf8.Valid(dst[start:]) {
		return dst[:start], "", ErrEncoding
	}
	return dst, query, nil
}

// plainPath gives the length of a path that stands for itself and has nothing
// to be refused, as nearly all have, or -1.
func plainPath(target string) int {
	for i := 0; i < len(target); i++ {
		c := target[i]
		switch {
		case plain[c]:
		case c == '?':
			return i
		case c != '/' || i+1 < len(target) && (target[i+1] == '/' || target[i+1] == '.'):
			return -1
		}
	}
	return len(target)
}

// plain marks the bytes of a target that mean nothing but themselves.
var plain = func() (t [256]bool) {
	for c := ' ' + 1; c < 0x7f; c++ {
		t[c] = c != '/' && c != '?' && c != '#' && c != '%' && c != '\\'
	}
	return t
}()

func checkSegment(s []byte) error {
	if len(s) == 0 {
		return ErrEmptySegment
	}
	if s[0] != '.' {
		return nil
	}
	rest := s[1:]
	if len(rest) > 0 && rest[0] == '.' {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] == ';' {
		return ErrDotSegment
	}
	return nil
}

func checkQuery(q string) error {
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case plain[c]:
		case c == '#':
			return ErrFragment
		case c <= ' ' || c == 0x7f:
			return ErrControl
		}
	}
	return nil
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

// AppendEscaped appends a canonical path to dst in the form it travels in:
// every byte that is not a pchar of RFC 3986, section 3.3, nor "/", is
// percent-encoded. Canonical(AppendEscaped(p)) is p.
func AppendEscaped(dst []byte, path string) []byte {
	const upper = "0123456789ABCDEF"
	for i := 0; i < len(path); i++ {
		if c := path[i]; pchar[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upper[c>>4], upper[c&15])
		}
	}
	return dst
}

var pchar = func() (t [256]bool) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for _, c := range "-._~!$&'()*+,;=:@/" {
		t[c] = true
	}
	return t
}()

func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
