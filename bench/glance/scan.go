package glance

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner walks over the tags of an XML document. It is no validator: a
// document that it takes may be wrong, one that it refuses is.
type scanner struct {
	b     []byte
	i     int
	depth int
	n     int
	name  []byte // of the tag, without its prefix
	attrs []byte // between the name and the end of the tag
	empty bool   // the tag closes itself
	close bool   // the tag is an end tag
}

const (
	maxElements = 200_000
	maxDepth    = 64
)

var (
	errXML      = errors.New("cannot read the MPD: a tag is not closed")
	errDoctype  = errors.New("cannot read the MPD: it has a DOCTYPE")
	errLarge    = errors.New("cannot read the MPD: too many elements")
	errDeep     = errors.New("cannot read the MPD: elements are nested too deep")
	errNoMPD    = errors.New("cannot read the MPD: the root element is not MPD")
	errUnclosed = errors.New("cannot read the MPD: it ends within an element")
)

// next goes to the next tag; false at the end.
func (s *scanner) next() (bool, error) {
	for {
		k := bytes.IndexByte(s.b[s.i:], '<')
		if k < 0 {
			return false, nil
		}
		s.i += k + 1
		rest := s.b[s.i:]
		skip := ""
		switch {
		case bytes.HasPrefix(rest, []byte("!--")):
			skip = "-->"
		case bytes.HasPrefix(rest, []byte("![CDATA[")):
			skip = "]]>"
		case bytes.HasPrefix(rest, []byte("?")):
			skip = "?>"
		case bytes.HasPrefix(rest, []byte("!")):
			return false, errDoctype
		}
		if skip != "" {
			k := bytes.Index(rest, []byte(skip))
			if k < 0 {
				return false, errXML
			}
			s.i += k + len(skip)
			continue
		}
		return true, s.tag(rest)
	}
}

func (s *scanner) tag(rest []byte) error {
	end := tagEnd(rest)
	if end < 0 {
		return errXML
	}
	s.i += end + 1
	t := rest[:end]
	s.close = len(t) > 0 && t[0] == '/'
	if s.close {
		t = t[1:]
		s.depth--
	}
	s.empty = len(t) > 0 && t[len(t)-1] == '/'
	if s.empty {
		t = t[:len(t)-1]
	}
	if !s.close {
		if s.n++; s.n > maxElements {
			return errLarge
		}
		if !s.empty {
			if s.depth++; s.depth > maxDepth {
				return errDeep
			}
		}
	}
	s.name, s.attrs = t, nil
	if k := bytes.IndexAny(t, " \t\r\n"); k >= 0 {
		s.name, s.attrs = t[:k], t[k:]
	}
	if k := bytes.IndexByte(s.name, ':'); k >= 0 {
		s.name = s.name[k+1:]
	}
	return nil
}

// tagEnd finds the ">" that no quotes enclose.
func tagEnd(b []byte) int {
	var quote byte
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// text is the text until the next tag.
func (s *scanner) text() string {
	if s.empty {
		return ""
	}
	k := bytes.IndexByte(s.b[s.i:], '<')
	if k < 0 {
		k = len(s.b) - s.i
	}
	raw := s.b[s.i : s.i+k]
	if rest := s.b[s.i+k:]; len(bytes.TrimSpace(raw)) == 0 && bytes.HasPrefix(rest, []byte("<![CDATA[")) {
		if end := bytes.Index(rest, []byte("]]>")); end > 0 {
			return strings.TrimSpace(string(rest[9:end]))
		}
	}
	return unescape(bytes.TrimSpace(raw))
}

// raw finds an attribute's value as it stands.
func (s *scanner) raw(name string) ([]byte, bool) {
	b := s.attrs
	for {
		eq := bytes.IndexByte(b, '=')
		if eq < 0 {
			return nil, false
		}
		key := bytes.TrimSpace(b[:eq])
		b = bytes.TrimLeft(b[eq+1:], " \t\r\n")
		if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
			return nil, false
		}
		end := bytes.IndexByte(b[1:], b[0])
		if end < 0 {
			return nil, false
		}
		if string(key) == name {
			return b[1 : 1+end], true
		}
		b = b[end+2:]
	}
}

func (s *scanner) attr(name string) string {
	v, _ := s.raw(name)
	return unescape(v)
}

func (s *scanner) uint(name string, otherwise uint64) uint64 {
	if v, ok := s.raw(name); ok {
		if n, ok := integer(v); ok {
			return n
		}
	}
	return otherwise
}

// unescape replaces the five entities and character references.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		amp := bytes.IndexByte(b, '&')
		if amp < 0 {
			break
		}
		out.Write(b[:amp])
		b = b[amp:]
		semi := bytes.IndexByte(b[:min(len(b), 12)], ';')
		if semi < 0 {
			out.WriteByte('&')
			b = b[1:]
			continue
		}
		switch name := string(b[1:semi]); name {
		case "amp":
			out.WriteByte('&')
		case "lt":
			out.WriteByte('<')
		case "gt":
			out.WriteByte('>')
		case "quot":
			out.WriteByte('"')
		case "apos":
			out.WriteByte('\'')
		default:
			digits, base := strings.TrimPrefix(name, "#"), 10
			if hex, ok := strings.CutPrefix(digits, "x"); ok {
				digits, base = hex, 16
			}
			if n, err := strconv.ParseUint(digits, base, 21); err == nil && name[:1] == "#" && utf8.ValidRune(rune(n)) {
				out.WriteRune(rune(n))
			} else {
				out.Write(b[:semi+1])
			}
		}
		b = b[semi+1:]
	}
	out.Write(b)
	return out.String()
}
