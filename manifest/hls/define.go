package hls

import (
	"bytes"
	"strings"
)

// Variables (EXT-X-DEFINE, rfc8216bis sections 4.3 and 4.4.2.3). A variable
// whose VALUE stands in the playlist is expanded where a URI is resolved: once,
// never again in its own result. One that comes from elsewhere (IMPORT from
// the multivariant playlist, QUERYPARAM from the playlist's URL), and one
// whose value holds a reference itself, is not expanded here: the reference
// stays in the rewritten URI, behind the base, and the player expands it. It
// is taken to be a part of a path or query: a variable that hides a scheme,
// an authority or dot segments cannot be seen through. But one that a URI begins
// with, and whose value holds references itself, is: players expand a value where
// it is defined, and it may well be another host.
//
// What is bounded is the result: a URI of [MaxLine] bytes, all of them
// together [MaxSource].
type variable struct {
	at       uint32 // where it is defined: references before it do not mean it
	from, to uint32 // the value
	known    bool
	query    bool // it comes from the playlist's own URL
	// full is the value with the references in it expanded as far as they are
	// known, where it holds some; else "".
	full string
}

// AsksFor tells whether the playlist takes a variable from the parameter of
// this name in its own URL (QUERYPARAM): a player that does not find it there,
// or in the URL that it was redirected to, must not play.
func (t *Template) AsksFor(parameter string) bool {
	v, ok := t.variables[parameter]
	return ok && v.query
}

// define takes an EXT-X-DEFINE tag.
func (c *compiler) define(attrs int) error {
	var name, value attribute
	var own, query bool
	err := c.attributes(tagDefine, attrs, func(a *attribute) error {
		switch {
		case a.named(c.src, "NAME"):
			name, own = *a, true
		case a.named(c.src, "IMPORT"):
			name, own = *a, false
		case a.named(c.src, "QUERYPARAM"):
			name, own, query = *a, false, true
		case a.named(c.src, "VALUE"):
			value = *a
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case name.val == name.valEnd:
		return c.fail(ErrSyntax, c.from, "EXT-X-DEFINE without NAME, IMPORT or QUERYPARAM")
	case own && !value.valid:
		return c.fail(ErrSyntax, c.from, "EXT-X-DEFINE without VALUE")
	}
	if c.t.variables == nil {
		c.t.variables = make(map[string]variable)
	}
	key := string(name.value(c.src))
	if _, twice := c.t.variables[key]; twice {
		return c.fail(ErrSyntax, c.from, "EXT-X-DEFINE of a name that is defined already")
	}
	v := variable{at: uint32(c.from), query: query}
	if own {
		v.from, v.to = value.val, value.valEnd
		v.known = !bytes.Contains(value.value(c.src), []byte("{$"))
		if v.full, err = c.full(v.from, v.to); err != nil {
			return err
		}
	}
	c.t.variables[key] = v
	return nil
}

// full gives the value src[from:to] with the references in it expanded as far as
// they are known; "" where there are none, or too much would come of it.
func (c *compiler) full(from, to uint32) (string, error) {
	b := c.src[from:to]
	var out []byte
	pos := 0
	for {
		start, end, ok := reference(b, pos)
		if !ok {
			break
		}
		out = append(out, b[pos:start]...)
		switch v := c.t.variables[string(b[start+2:end-1])]; {
		case v.known:
			out = append(out, c.src[v.from:v.to]...)
		case v.full != "":
			out = append(out, v.full...)
		default:
			out = append(out, b[start:end]...)
		}
		if len(out) > MaxLine {
			return "", nil
		}
		pos = end
	}
	if pos == 0 {
		return "", nil
	}
	out = append(out, b[pos:]...)
	return string(out), c.expand(len(out), int(from))
}

// expand counts what expanding variables adds.
func (c *compiler) expand(added, at int) error {
	if c.expanded += added; c.expanded > MaxSource {
		return c.fail(ErrBounds, at, "URIs are larger than 4 MiB when their variables are expanded")
	}
	return nil
}

// reference finds the first variable reference in b at or after pos:
// b[start:end] is "{$name}". A name is of [A-Za-z0-9_-]; what only looks like
// a reference is text.
func reference(b []byte, pos int) (start, end int, ok bool) {
	for {
		n := bytes.Index(b[pos:], []byte("{$"))
		if n < 0 {
			return 0, 0, false
		}
		start = pos + n
		pos = start + 2
		for pos < len(b) && isNameByte(b[pos]) {
			pos++
		}
		if pos < len(b) && b[pos] == '}' && pos > start+2 {
			return start, pos + 1, true
		}
	}
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// variables checks the bounds of the URI src[from:to] when its variables are
// expanded.
func (c *compiler) variables(from, to int) error {
	if c.t.variables == nil {
		return nil
	}
	b := c.src[from:to]
	length, added := len(b), 0
	for pos := 0; ; {
		start, end, ok := reference(b, pos)
		if !ok {
			break
		}
		switch v := c.t.variables[string(b[start+2:end-1])]; {
		case v.known:
			length += int(v.to-v.from) - (end - start)
			added += int(v.to - v.from)
		case start == 0:
			length += max(0, len(v.full)-(end-start))
			added += len(v.full)
		}
		pos = end
	}
	if length > MaxLine {
		return c.fail(ErrBounds, from, "URI is longer than 16 KiB when its variables are expanded")
	}
	return c.expand(added, from)
}

// expand gives the URI src[from:to] with the variables expanded whose values
// are known where it stands.
func (t *Template) expand(from, to uint32) string {
	b := t.src[from:to]
	if t.variables == nil {
		return string(b)
	}
	var out strings.Builder
	pos := 0
	for at := 0; ; {
		start, end, ok := reference(b, at)
		if !ok {
			break
		}
		at = end
		if v := t.variables[string(b[start+2:end-1])]; v.known && v.at < from {
			out.Write(b[pos:start])
			out.Write(t.src[v.from:v.to])
			pos = end
		}
	}
	if pos == 0 {
		return string(b)
	}
	out.Write(b[pos:])
	return out.String()
}

// begun gives a URI that stands at from with the reference that it begins with
// expanded in full, where that makes it one that is written from the top: with
// a scheme, a host or a root. Any other URI is given back as it is.
func (t *Template) begun(ref string, from uint32) string {
	if !strings.HasPrefix(ref, "{$") {
		return ref
	}
	start, end, ok := reference([]byte(ref), 0)
	if !ok || start != 0 {
		return ref
	}
	v := t.variables[ref[2:end-1]]
	if v.full == "" || v.at >= from {
		return ref
	}
	scheme, _, absolute := strings.Cut(v.full, ":")
	if v.full[0] != '/' && (!absolute || strings.ContainsAny(scheme, "/?#{")) {
		return ref
	}
	return v.full + ref[end:]
}
