package inspect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// mpdNamespace is that of the MPD (ISO/IEC 23009-1, 5.2.2); documents of 2011
// spell it in capitals.
const mpdNamespace = "urn:mpeg:dash:schema:mpd:2011"

// element is an element of an MPD. Those of other namespaces are kept with
// their names only as far as they matter: DRM.
type element struct {
	name   string
	space  string // "" for the MPD's namespace
	parent *element
	nth    int // among its siblings of the same name, from 1
	attrs  []xml.Attr
	kids   []*element
	text   []byte // before its first child
	at     int    // the offset of its start tag
	byName map[string][]*element
}

// maxText bounds the text that is kept of an element.
const maxText = 64 << 10

// path is the element's path as dash.Error gives it.
func (e *element) path() string {
	if e.parent == nil {
		return e.name
	}
	return fmt.Sprintf("%s/%s[%d]", e.parent.path(), e.name, e.nth)
}

// get gives an attribute of no namespace.
func (e *element) get(name string) (string, bool) {
	for i := range e.attrs {
		if a := &e.attrs[i]; a.Name.Local == name && a.Name.Space == "" {
			return strings.TrimSpace(a.Value), true
		}
	}
	return "", false
}

// str gives an attribute, "" where it is not there.
func (e *element) str(name string) string {
	v, _ := e.get(name)
	return v
}

// all gives the children of a name; the list is not to be changed.
func (e *element) all(name string) []*element { return e.byName[name] }

// child gives the first child of a name, or nil.
func (e *element) child(name string) *element {
	if all := e.byName[name]; len(all) > 0 {
		return all[0]
	}
	return nil
}

// document is an MPD as a tree.
type document struct {
	root  *element
	bare  bool // it is in no namespace: names that are in none are the MPD's
	src   []byte
	lines []int // where each line begins
}

// line gives the line of an offset, from 1.
func (d *document) line(offset int) int { return sort.SearchInts(d.lines, offset+1) }

// at is the place of an element, with what of it is meant ("/@id", or ""). The
// column is counted in characters, which takes time where an MPD is one line.
func (d *document) at(e *element, what string) at {
	line := d.line(e.at)
	return at{line, utf8.RuneCount(d.src[d.lines[line-1]:e.at]) + 1, e.path() + what}
}

// readTree reads an MPD that compiled: it is well-formed, has no document type,
// and keeps to the compiler's bounds.
func readTree(src []byte) (*document, error) {
	d := &document{src: src, lines: []int{0}}
	for i, c := range src {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	text := bytes.TrimPrefix(src, []byte("\ufeff"))
	shift := len(src) - len(text)
	dec := xml.NewDecoder(bytes.NewReader(text))
	// The compiler accepted the encoding: it is UTF-8, or ASCII under another
	// name.
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var open *element
	for {
		from := int(dec.InputOffset())
		tok, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			if d.root == nil {
				return nil, errors.New("cannot read the MPD: it has no root element")
			}
			return d, nil
		case err != nil:
			return nil, fmt.Errorf("cannot read the MPD: %w", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local, space: tok.Name.Space, parent: open, attrs: tok.Attr, at: from + shift, nth: 1}
			if open == nil {
				d.bare = e.space == ""
			}
			if strings.EqualFold(e.space, mpdNamespace) {
				e.space = ""
			} else if e.space == "" && !d.bare {
				e.space = "none"
			}
			if open == nil {
				d.root = e
			} else {
				open.adopt(e)
			}
			open = e
		case xml.EndElement:
			open = open.parent
		case xml.CharData:
			if open != nil && len(open.kids) == 0 && len(open.text) < maxText {
				open.text = append(open.text, tok...)
			}
		}
	}
}

// adopt adds a child.
func (e *element) adopt(k *element) {
	e.kids = append(e.kids, k)
	if k.space != "" {
		return
	}
	if e.byName == nil {
		e.byName = make(map[string][]*element)
	}
	e.byName[k.name] = append(e.byName[k.name], k)
	k.nth = len(e.byName[k.name])
}

// content is the element's text without the white space around it.
func (e *element) content() string { return string(bytes.TrimSpace(e.text)) }
