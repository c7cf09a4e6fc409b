package origin

import (
	"strconv"
	"strings"
	"time"
)

// parseTargeted reads CDN-Cache-Control (RFC 9213), which is a Dictionary of
// Structured Fields (RFC 9651), and says whether it is one: a field that does
// not parse, or gives a known directive the wrong type, is as if it were not
// there (section 2.1). Where it is there it stands in place of Cache-Control
// and Expires.
func parseTargeted(lines []string) (directives, bool) {
	d := directives{maxAge: unsaid, sMaxAge: unsaid, swr: unsaid, sie: unsaid}
	s := strings.Trim(strings.Join(lines, ","), " \t")
	if s == "" {
		return d, false
	}
	for {
		name, rest, ok := sfKey(s)
		if !ok {
			return d, false
		}
		item := sfItem{kind: sfBoolean, yes: true}
		if strings.HasPrefix(rest, "=") {
			if item, rest, ok = sfValue(rest[1:]); !ok {
				return d, false
			}
		}
		if rest, ok = sfParameters(rest); !ok || !d.takeTargeted(name, item) {
			return d, false
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return d, true
		}
		if rest[0] != ',' {
			return d, false
		}
		if s = strings.TrimLeft(rest[1:], " \t"); s == "" {
			return d, false
		}
	}
}

// takeTargeted takes one member; of a member given twice the last counts, as
// Structured Fields have it.
func (d *directives) takeTargeted(name string, item sfItem) bool {
	var lifetime *time.Duration
	var flag *bool
	switch name {
	case "max-age":
		lifetime = &d.maxAge
	case "s-maxage":
		lifetime = &d.sMaxAge
	case "stale-while-revalidate":
		lifetime = &d.swr
	case "stale-if-error":
		lifetime = &d.sie
	case "no-store":
		flag = &d.noStore
	case "no-cache":
		flag = &d.noCache
	case "private":
		flag = &d.private
	case "public":
		flag = &d.public
	case "must-revalidate":
		flag = &d.mustRevalidate
	case "proxy-revalidate":
		flag = &d.proxyRevalidate
	case "must-understand":
		flag = &d.mustUnderstand
	case "immutable":
		flag = &d.immutable
	default:
		return true
	}
	switch {
	case lifetime != nil:
		if item.kind != sfInteger || item.n < 0 {
			return false
		}
		*lifetime = min(time.Duration(min(item.n, int64(maxDelta/time.Second)))*time.Second, maxDelta)
	case item.kind == sfBoolean:
		*flag = item.yes
	case item.kind == sfString && (name == "no-cache" || name == "private"):
		d.withhold = append(d.withhold, listed(item.text)...)
	default:
		return false
	}
	return true
}

type sfKind uint8

const (
	sfInteger sfKind = iota
	sfBoolean
	sfString
	sfOther
)

type sfItem struct {
	kind sfKind
	n    int64
	yes  bool
	text string
}

// sfKey reads a key: lcalpha or "*", then lcalpha, DIGIT, "_", "-", ".", "*".
func sfKey(s string) (key, rest string, ok bool) {
	i := 0
	for i < len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || c == '*' || i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			i++
			continue
		}
		break
	}
	return s[:i], s[i:], i > 0
}

// sfValue reads a bare item or an inner list.
func sfValue(s string) (item sfItem, rest string, ok bool) {
	if s == "" {
		return item, s, false
	}
	switch c := s[0]; {
	case c == '(':
		return sfInnerList(s[1:])
	case c == '?':
		if len(s) < 2 || s[1] != '0' && s[1] != '1' {
			return item, s, false
		}
		return sfItem{kind: sfBoolean, yes: s[1] == '1'}, s[2:], true
	case c == '"':
		text, n, ok := unquote(s)
		if !ok || strings.ContainsFunc(s[:n], func(r rune) bool { return r < ' ' || r > '~' }) {
			return item, s, false
		}
		return sfItem{kind: sfString, text: text}, s[n:], true
	case c == ':':
		i := strings.IndexByte(s[1:], ':')
		if i < 0 || strings.Trim(s[1:1+i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
			return item, s, false
		}
		return sfItem{kind: sfOther}, s[i+2:], true
	case c == '@':
		item, rest, ok = sfNumber(s[1:])
		return sfItem{kind: sfOther}, rest, ok && item.kind == sfInteger
	case c == '-' || '0' <= c && c <= '9':
		return sfNumber(s)
	case c == '*' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		i := 1
		for i < len(s) && (tokenChar(s[i]) || s[i] == ':' || s[i] == '/') {
			i++
		}
		return sfItem{kind: sfOther, text: s[:i]}, s[i:], true
	}
	return item, s, false
}

// sfNumber reads an Integer (at most 15 digits) or a Decimal (12 and 3).
func sfNumber(s string) (item sfItem, rest string, ok bool) {
	i := 0
	if strings.HasPrefix(s, "-") {
		i++
	}
	from, dot := i, -1
	for i < len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
		case c == '.' && dot < 0:
			dot = i
		default:
			goto end
		}
		i++
	}
end:
	switch {
	case i == from:
		return item, s, false
	case dot < 0:
		if i-from > 15 {
			return item, s, false
		}
		n, err := strconv.ParseInt(s[:i], 10, 64)
		return sfItem{kind: sfInteger, n: n}, s[i:], err == nil
	case dot == from || dot-from > 12 || i-dot-1 < 1 || i-dot-1 > 3:
		return item, s, false
	}
	return sfItem{kind: sfOther}, s[i:], true
}

// sfInnerList passes over the inner list whose "(" was read.
func sfInnerList(s string) (item sfItem, rest string, ok bool) {
	for {
		s = strings.TrimLeft(s, " ")
		if strings.HasPrefix(s, ")") {
			return sfItem{kind: sfOther}, s[1:], true
		}
		if strings.HasPrefix(s, "(") {
			return item, s, false
		}
		if _, s, ok = sfValue(s); !ok {
			return item, s, false
		}
		if s, ok = sfParameters(s); !ok || s == "" || s[0] != ' ' && s[0] != ')' {
			return item, s, false
		}
	}
}

// sfParameters passes over the parameters of an item or list.
func sfParameters(s string) (rest string, ok bool) {
	for strings.HasPrefix(s, ";") {
		s = strings.TrimLeft(s[1:], " ")
		if _, s, ok = sfKey(s); !ok {
			return s, false
		}
		if strings.HasPrefix(s, "=") {
			if strings.HasPrefix(s, "=(") {
				return s, false
			}
			if _, s, ok = sfValue(s[1:]); !ok {
				return s, false
			}
		}
	}
	return s, true
}
