package dash

import (
	"bytes"
	"strconv"
)

// Bounds of one MPD. Together they bound the time and memory of a compilation
// whatever the input is.
const (
	maxSource = 8 << 20 // bytes
	maxDepth  = 64      // open elements
	maxTokens = 200_000 // elements, comments, CDATA sections, instructions
	maxAttrs  = 128     // attributes of one element
	maxTotal  = 4 * maxTokens
	maxDecls  = 64 // namespace declarations in scope
)

// namespace is that of the MPD (ISO/IEC 23009-1, 5.2.2). Documents of 2011 and
// 2012 spell it in capitals.
const namespace = "urn:mpeg:dash:schema:mpd:2011"

// span is a piece of the source, [from, to).
type span struct{ from, to int32 }

type attr struct{ name, value span }

// decl is a namespace declaration in scope.
type decl struct {
	prefix span // empty for the default namespace
	dash   bool
}

// open is an open element.
type open struct {
	name  span
	start int32 // of its start tag
	tag   int32 // end of its start tag
	decls int32 // declarations in scope outside it
	ctx   context
	dash  bool  // its name is in the MPD's namespace
	child bool  // it has child elements
	node  int32 // the node that it is, or stands in
	mark  int32 // the mark that it is, or -1
}

type token uint8

const (
	tokEnd   token = iota // the end of the document
	tokOpen               // a start tag, or an empty-element tag where closed
	tokClose              // an end tag
)

// scanner walks over the tags of an XML document and checks that all of it is
// well-formed (XML 1.0 and Namespaces in XML), apart from document types,
// which are refused. It allocates only where the attributes of one element
// outgrow their buffer.
type scanner struct {
	src []byte
	pos int // the next byte
	// Of the last token: where it starts, the attributes of a start tag,
	// whether that also closes the element, whether its name is in the MPD's
	// namespace, and its local name.
	start  int
	attrs  []attr
	closed bool
	dash   bool
	local  span

	stack [maxDepth]open
	depth int
	decls []decl
	plain bool // unprefixed names are in the MPD's namespace

	tokens, total int
	amp, cdEnd    bool // the source has a "&", a "]]>"
	rooted        bool

	attrBuf [24]attr
	declBuf [12]decl
}

func (s *scanner) begin(src []byte) {
	s.src = src
	s.attrs, s.decls = s.attrBuf[:0], s.declBuf[:0]
	s.amp = bytes.IndexByte(src, '&') >= 0
	s.cdEnd = bytes.Contains(src, []byte("]]>"))
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
}

func (s *scanner) text(p span) []byte { return s.src[p.from:p.to] }

// quote gives a name as an error shows it.
func (s *scanner) quote(p span) string { return short(string(s.text(p))) }

// next finds the next tag.
func (s *scanner) next() (token, *fault) {
	for {
		n := bytes.IndexByte(s.src[s.pos:], '<')
		end := n < 0
		if end {
			n = len(s.src) - s.pos
		}
		if n > 0 {
			if f := s.chars(s.pos, s.pos+n); f != nil {
				return 0, f
			}
			s.pos += n
		}
		s.start = s.pos
		if end {
			switch {
			case s.depth > 0:
				return 0, &fault{s.pos, "the document ends before </" + s.quote(s.stack[s.depth-1].name) + ">"}
			case !s.rooted:
				return 0, &fault{s.pos, "there is no MPD: the document has no root element"}
			}
			return tokEnd, nil
		}
		var c byte
		if s.pos+1 < len(s.src) {
			c = s.src[s.pos+1]
		}
		switch c {
		case '!':
			if f := s.bang(); f != nil {
				return 0, f
			}
		case '?':
			if f := s.instruction(); f != nil {
				return 0, f
			}
		case '/':
			return tokClose, s.endTag()
		default:
			return tokOpen, s.startTag()
		}
	}
}

func (s *scanner) count(at int) *fault {
	if s.tokens++; s.tokens > maxTokens {
		return &fault{at, "more than " + strconv.Itoa(maxTokens) + " elements, comments and sections"}
	}
	return nil
}

// chars checks the character data in [from, to).
func (s *scanner) chars(from, to int) *fault {
	if s.depth == 0 {
		for i := from; i < to; i++ {
			if !isSpace(s.src[i]) {
				if s.rooted {
					return &fault{i, "text after the root element"}
				}
				return &fault{i, "text before the root element: this is not an XML document"}
			}
		}
		return nil
	}
	if s.cdEnd {
		if i := bytes.Index(s.src[from:to], []byte("]]>")); i >= 0 {
			return &fault{from + i, `"]]>" outside a CDATA section`}
		}
	}
	return s.references(from, to)
}

// bang skips a comment or CDATA section. There is nothing else: document
// types are refused, so that there are no entities to expand.
func (s *scanner) bang() *fault {
	rest := s.src[s.pos:]
	if f := s.count(s.pos); f != nil {
		return f
	}
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		i := bytes.Index(rest[4:], []byte("--"))
		if i < 0 {
			return &fault{s.pos, "the comment has no end"}
		}
		if i += 6; i >= len(rest) || rest[i] != '>' {
			return &fault{s.pos + i - 2, `"--" inside a comment`}
		}
		s.pos += i + 1
		return nil
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if s.depth == 0 {
			return &fault{s.pos, "a CDATA section outside the root element"}
		}
		i := bytes.Index(rest, []byte("]]>"))
		if i < 0 {
			return &fault{s.pos, "the CDATA section has no end"}
		}
		s.pos += i + 3
		return nil
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return &fault{s.pos, "a document type (DOCTYPE) is refused: an MPD needs none, and it could define entities"}
	}
	return &fault{s.pos, "markup that begins with <! is neither a comment nor a CDATA section"}
}

// instruction skips a processing instruction or the XML declaration.
func (s *scanner) instruction() *fault {
	if f := s.count(s.pos); f != nil {
		return f
	}
	rest := s.src[s.pos:]
	n := bytes.Index(rest, []byte("?>"))
	if n < 0 {
		return &fault{s.pos, "the processing instruction has no end"}
	}
	i := 2
	for i < n && class[rest[i]]&className != 0 {
		i++
	}
	if i == 2 || class[rest[2]]&classNameStart == 0 || i < n && !isSpace(rest[i]) {
		return &fault{s.pos, "the processing instruction has no target"}
	}
	if bytes.EqualFold(rest[2:i], []byte("xml")) {
		first := s.pos == 0 || s.pos == 3 && s.src[0] == 0xef
		if !first || string(rest[2:i]) != "xml" {
			return &fault{s.pos, "the XML declaration must come first"}
		}
		if f := s.declaration(s.pos+i, s.pos+n); f != nil {
			return f
		}
	}
	s.pos += n + 2
	return nil
}

// declaration reads version, encoding and standalone.
func (s *scanner) declaration(from, to int) *fault {
	d := scanner{src: s.src[:to], pos: from}
	d.attrs = d.attrBuf[:0]
	if f := d.attributes(); f != nil {
		return f
	}
	if len(d.attrs) == 0 || string(d.text(d.attrs[0].name)) != "version" {
		return &fault{from, "the XML declaration has no version"}
	}
	for _, a := range d.attrs {
		value := string(d.text(a.value))
		switch string(d.text(a.name)) {
		case "version":
			if len(value) != 3 || value[:2] != "1." || value[2] < '0' || value[2] > '9' {
				return &fault{int(a.value.from), "XML version " + short(value) + " is not known"}
			}
		case "encoding":
			if text := checkEncoding(value, s.src); text != "" {
				return &fault{int(a.value.from), text}
			}
		case "standalone":
		default:
			return &fault{int(a.name.from), "the XML declaration has no " + d.quote(a.name)}
		}
	}
	return nil
}

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
// nothing declares stands for none.
func (s *scanner) inMPD(prefix span) bool {
	p := s.text(prefix)
	for i := len(s.decls) - 1; i >= 0; i-- {
		if d := &s.decls[i]; bytes.Equal(s.text(d.prefix), p) {
			return d.dash
		}
	}
	return false
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
	if len(s.decls) > outside {
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
