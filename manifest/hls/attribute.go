package hls

import "bytes"

// attribute is one NAME=VALUE of a tag's attribute list, as offsets into the
// source (rfc8216bis, section 4.2). Spaces around names and values, which the
// specification does not allow, are read over.
type attribute struct {
	at, nameEnd   uint32
	val, valEnd   uint32 // the value, quotes left out
	end           uint32 // behind the value and its closing quote
	quoted, valid bool   // valid: has a value at all
}

// nextAttribute reads the first attribute of src[pos:end] into a. It returns
// where to read on, and ok false when there is none left. A quote that does
// not end is told by open, its offset (-1: none).
func nextAttribute(src []byte, pos, end int, a *attribute) (next int, ok bool, open int) {
	for pos < end && (src[pos] == ',' || isBlank(src[pos])) {
		pos++
	}
	if pos >= end {
		return end, false, -1
	}
	*a = attribute{at: uint32(pos)}
	i := pos
	for i < end && src[i] != '=' && src[i] != ',' {
		i++
	}
	nameEnd := trimRight(src, pos, i)
	a.nameEnd = uint32(nameEnd)
	if i >= end || src[i] == ',' {
		a.val, a.valEnd, a.end = a.nameEnd, a.nameEnd, a.nameEnd
		return i, true, -1
	}
	a.valid = true
	v := i + 1
	for v < end && isBlank(src[v]) {
		v++
	}
	if v < end && src[v] == '"' {
		n := bytes.IndexByte(src[v+1:end], '"')
		if n < 0 {
			return end, false, v
		}
		a.quoted = true
		a.val, a.valEnd = uint32(v+1), uint32(v+1+n)
		a.end = a.valEnd + 1
		// What stands between the quote and the comma belongs to nobody.
		for i = int(a.end); i < end && src[i] != ','; i++ {
		}
		return i, true, -1
	}
	i = end
	if n := bytes.IndexByte(src[v:end], ','); n >= 0 {
		i = v + n
	}
	a.val, a.valEnd = uint32(v), uint32(trimRight(src, v, i))
	a.end = max(a.valEnd, a.nameEnd)
	if a.valEnd == a.val { // NAME= with nothing behind it: the "=" is part of it
		a.end = a.val
	}
	return i, true, -1
}

// named says whether the attribute has the given name. Names are upper-case
// by the specification; a lower-case one is read alike, so that its URI is
// not left behind for a player that is as lenient.
func (a *attribute) named(src []byte, name string) bool {
	b := src[a.at:a.nameEnd]
	return len(b) == len(name) && (string(b) == name || equalFold(b, name))
}

func (a *attribute) value(src []byte) []byte { return src[a.val:a.valEnd] }

// equalFold compares without regard to the case of ASCII letters; name is
// upper-case.
func equalFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trimRight(src []byte, from, to int) int {
	for to > from && isBlank(src[to-1]) {
		to--
	}
	return to
}
