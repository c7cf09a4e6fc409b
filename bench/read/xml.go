package read

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"manifold/bench/finding"
)

// node is an element with where it stands.
type node struct {
	name     string
	attrs    []xml.Attr
	children []*node
	text     string
	inner    string // the raw bytes between its tags
	line     finding.Line
}

func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

func (n *node) has(name string) bool {
	for _, a := range n.attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return true
		}
	}
	return false
}

// all are the children of a name.
func (n *node) all(name string) []*node {
	var out []*node
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

func (n *node) first(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// keepInner are the elements whose body is not ours to read, but may not
// change under its id.
const keepInner = "Event"

// tree reads a document into nodes, within bounds; a DOCTYPE is refused, for
// what it could define.
func tree(body []byte, p *problems) *node {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	type open struct {
		*node
		begin int64
	}
	var (
		root  *node
		stack []open
		count int
		ids   = map[string]bool{}
	)
	for {
		at := d.InputOffset()
		tok, err := d.Token()
		lineNo, _ := d.InputPos()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.add("dash-syntax", finding.Line{Number: lineNo}, "%s", strings.TrimPrefix(err.Error(), "XML syntax error on "))
			}
			break
		}
		switch t := tok.(type) {
		case xml.Directive:
			p.add("dash-syntax", finding.Line{Number: lineNo, Text: "<!" + string(t[:min(len(t), 100)])}, "a DOCTYPE or other declaration: refused")
			return nil
		case xml.StartElement:
			if count++; count > maxElements || len(stack) >= maxDepth || len(t.Attr) > MaxAttrs {
				p.add("dash-syntax", finding.Line{Number: lineNo}, "more than %d elements, %d levels or %d attributes", maxElements, maxDepth, MaxAttrs)
				return root
			}
			raw := string(body[at:d.InputOffset()])
			n := &node{name: t.Name.Local, attrs: t.Attr, line: finding.Line{Number: lineNo, Text: squeeze(raw)}}
			dups(n, ids, p)
			switch {
			case len(stack) > 0:
				top := stack[len(stack)-1]
				top.children = append(top.children, n)
			case root == nil:
				root = n
			}
			stack = append(stack, open{n, d.InputOffset()})
		case xml.EndElement:
			top := stack[len(stack)-1]
			if top.name == keepInner {
				top.inner = strings.TrimSpace(string(body[top.begin:at]))
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				if len(top.text) < MaxLine {
					top.text += strings.TrimSpace(string(t))
				}
			}
		}
	}
	if root == nil {
		p.add("dash-syntax", finding.Line{Number: 1}, "there is no element")
	}
	return root
}

// dups reports an attribute that stands twice: encoding/xml lets it pass.
func dups(n *node, seen map[string]bool, p *problems) {
	if len(n.attrs) < 2 {
		return
	}
	clear(seen)
	for _, a := range n.attrs {
		name := a.Name.Space + " " + a.Name.Local
		if seen[name] {
			p.add("dash-syntax", n.line, "the attribute %s stands twice", a.Name.Local)
		}
		seen[name] = true
	}
}

// squeeze makes one short line of a tag.
func squeeze(s string) string {
	if len(s) > 400 {
		s = s[:400]
	}
	return strings.Join(strings.Fields(s), " ")
}
