package dash

import (
	"bytes"
	"strconv"
)

// endTag closes the innermost element. Its place on the stack is kept until
// the next token: stack[depth].
func (s *scanner) endTag() *fault {
	if s.depth == 0 {
		return &fault{s.pos, "an end tag without a start tag"}
	}
	o := &s.stack[s.depth-1]
	n := int(o.name.to - o.name.from)
	i := s.pos + 2 + n
	if i >= len(s.src) || string(s.src[s.pos+2:i]) != string(s.text(o.name)) || class[s.src[i]]&className != 0 {
		return &fault{s.pos, "the end tag does not match <" + s.quote(o.name) + ">"}
	}
	for i < len(s.src) && isSpace(s.src[i]) {
		i++
	}
	if i >= len(s.src) || s.src[i] != '>' {
		return &fault{s.pos, "the end tag of <" + s.quote(o.name) + "> has no >"}
	}
	s.pos = i + 1
	s.pop()
	return nil
}

// pop leaves the innermost element, and the scope of its declarations.
func (s *scanner) pop() {
	s.depth--
	if n := int(s.stack[s.depth].decls); n < len(s.decls) {
		s.decls = s.decls[:n]
		s.plain = s.inMPD(span{})
	}
}

// inMPD says whether a prefix stands for the MPD's namespace. A prefix that
// nothing declares stands for none; where the root has none either, names
// without a prefix are the MPD's, as players read them.
func (s *scanner) inMPD(prefix span) bool {
	if d := s.declared(s.text(prefix)); d != nil {
		return d.dash
	}
	return s.bare && prefix == (span{})
}

// inXLink says whether a prefix stands for the namespace of XLink.
func (s *scanner) inXLink(prefix []byte) bool {
	d := s.declared(prefix)
	return d != nil && d.xlink
}

// declared is the declaration of a prefix in scope, or nil.
func (s *scanner) declared(prefix []byte) *decl {
	for i := len(s.decls) - 1; i >= 0; i-- {
		if d := &s.decls[i]; bytes.Equal(s.text(d.prefix), prefix) {
			return d
		}
	}
	return nil
}

// startTag reads a start tag and pushes its element. An element that its tag
// closes is left for the caller to pop.
func (s *scanner) startTag() *fault {
	if f := s.count(s.pos); f != nil {
		return f
	}
	if s.depth == 0 && s.rooted {
		return &fault{s.pos, "a second root element"}
	}
	s.rooted = true
	start := s.pos
	name, colon, f := s.qname(s.pos + 1)
	if f != nil {
		return f
	}
	if s.depth == maxDepth {
		return &fault{start, "elements are nested deeper than " + strconv.Itoa(maxDepth)}
	}
	s.pos = int(name.to)
	s.attrs = s.attrs[:0]
	outside := len(s.decls)
	if f := s.attributes(); f != nil {
		return f
	}
	if s.pos >= len(s.src) {
		return &fault{start, "the tag <" + s.quote(name) + " has no end"}
	}
	s.closed = s.src[s.pos] == '/'
	if s.closed {
		s.pos++
	}
	if s.pos >= len(s.src) || s.src[s.pos] != '>' {
		return &fault{s.pos, "unexpected character in the tag <" + s.quote(name)}
	}
	s.pos++
	if s.depth == 0 {
		s.bare = colon == 0 && s.declared(nil) == nil
	}
	if len(s.decls) > outside || s.depth == 0 {
		s.plain = s.inMPD(span{})
	}
	if colon == 0 {
		s.dash, s.local = s.plain, name
	} else {
		s.dash, s.local = s.inMPD(span{name.from, colon}), span{colon + 1, name.to}
	}
	s.stack[s.depth] = open{name: name, start: int32(start), tag: int32(s.pos), decls: int32(outside), dash: s.dash, mark: -1}
	s.depth++
	return nil
}

// qname reads a qualified name; colon is where its prefix ends, 0 without.
func (s *scanner) qname(from int) (name span, colon int32, f *fault) {
	src := s.src
	i := from
	for i < len(src) && class[src[i]]&className != 0 {
		if src[i] == ':' {
			if colon != 0 {
				return name, 0, &fault{i, "a name with two colons"}
			}
			colon = int32(i)
		}
		i++
	}
	if i == from || class[src[from]]&classNameStart == 0 {
		return name, 0, &fault{from, "a name is missing here, or the character < should be written &lt;"}
	}
	if colon != 0 && (int(colon) == from || int(colon) == i-1 || class[src[colon+1]]&classNameStart == 0) {
		return name, 0, &fault{from, "a name with nothing before or after its colon"}
	}
	return span{int32(from), int32(i)}, colon, nil
}

// attributes reads attributes up to the end of a tag, of a declaration, or of
// the source.
func (s *scanner) attributes() *fault {
	src := s.src
	var seen uint64
	for {
		i := s.pos
		for i < len(src) && isSpace(src[i]) {
			i++
		}
		if i >= len(src) || src[i] == '>' || src[i] == '/' {
			s.pos = i
			return nil
		}
		if i == s.pos {
			return &fault{i, "no space before an attribute"}
		}
		name, colon, f := s.qname(i)
		if f != nil {
			return f
		}
		i = int(name.to)
		for i < len(src) && isSpace(src[i]) {
			i++
		}
		if i >= len(src) || src[i] != '=' {
			return &fault{int(name.from), "the attribute " + s.quote(name) + " has no value"}
		}
		i++
		for i < len(src) && isSpace(src[i]) {
			i++
		}
		if i >= len(src) || src[i] != '"' && src[i] != '\'' {
			return &fault{int(name.from), "the value of the attribute " + s.quote(name) + " has no quotes"}
		}
		from := i + 1
		n := bytes.IndexByte(src[from:], src[i])
		if n < 0 {
			return &fault{i, "the value of the attribute " + s.quote(name) + " has no end"}
		}
		if bad := bytes.IndexByte(src[from:from+n], '<'); bad >= 0 {
			return &fault{from + bad, "the character < in the attribute " + s.quote(name) + " should be written &lt;"}
		}
		if f := s.references(from, from+n); f != nil {
			return f
		}
		a := attr{name, span{int32(from), int32(from + n)}}
		// Names that share no bit with those before are not repeated.
		bit := uint64(1) << ((src[name.from] ^ src[name.to-1]<<2 ^ byte(name.to-name.from)*9) & 63)
		if seen&bit != 0 {
			for _, b := range s.attrs {
				if string(s.text(b.name)) == string(s.text(name)) {
					return &fault{int(name.from), "the attribute " + s.quote(name) + " stands twice"}
				}
			}
		}
		seen |= bit
		if len(s.attrs) == maxAttrs {
			return &fault{int(name.from), "an element has more than " + strconv.Itoa(maxAttrs) + " attributes"}
		}
		if s.total++; s.total > maxTotal {
			return &fault{int(name.from), "more than " + strconv.Itoa(maxTotal) + " attributes"}
		}
		s.attrs = append(s.attrs, a)
		if src[name.from] == 'x' && name.to-name.from >= 5 && string(src[name.from:name.from+5]) == "xmlns" {
			if f := s.declare(a, colon); f != nil {
				return f
			}
		}
		s.pos = from + n + 1
	}
}

// declare puts a namespace declaration in scope.
func (s *scanner) declare(a attr, colon int32) *fault {
	d := decl{}
	switch {
	case colon == a.name.from+5:
		d.prefix = span{colon + 1, a.name.to}
	case a.name.to != a.name.from+5:
		return nil
	}
	if len(s.decls) == maxDecls {
		return &fault{int(a.name.from), "more than " + strconv.Itoa(maxDecls) + " namespace declarations in scope"}
	}
	value := bytes.TrimSpace(s.text(a.value))
	if bytes.IndexByte(value, '&') >= 0 {
		value = []byte(decode(value))
	}
	d.dash = bytes.EqualFold(value, []byte(namespace))
	d.xlink = string(value) == xlinkNamespace
	s.decls = append(s.decls, d)
	return nil
}

// tags reads the attributes of elements again, with one set of buffers.
type tags struct{ s scanner }

// of gives the attributes of the element that starts at e.from; its start tag
// ends at e.to or before. They hold until the next call.
func (t *tags) of(e span) []attr {
	s := &t.s
	whole := s.src
	i := int(e.from) + 1
	for class[whole[i]]&className != 0 {
		i++
	}
	s.src, s.pos, s.total = whole[:e.to], i, 0
	s.attrs, s.decls = s.attrs[:0], s.decls[:0]
	_ = s.attributes() // read before: it holds no fault
	s.src = whole
	return s.attrs
}
