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

// xlinkNamespace is that of links to remote elements (ISO/IEC 23009-1, 5.5).
const xlinkNamespace = "http://www.w3.org/1999/xlink"

// span is a piece of the source, [from, to).
type span struct{ from, to int32 }

type attr struct{ name, value span }

// decl is a namespace declaration in scope.
type decl struct {
	prefix span // empty for the default namespace
	dash   bool // it is that of the MPD
	xlink  bool // it is that of XLink
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
	bare  bool // the root is in no namespace: so are the MPD's names

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
