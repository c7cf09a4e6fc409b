package dash

import (
	"bytes"
	"slices"
	"sync"
)

// scratch holds escaped slot values for the time of one render.
type scratch struct {
	values [][]byte
	buf    []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) put() {
	if s != nil {
		clear(s.values)
		scratches.Put(s)
	}
}

// safeValues gives slot values as they may stand in XML. It copies only what
// has to be escaped; the scratch, where there is one, is to be given back.
func safeValues(values [][]byte) ([][]byte, *scratch) {
	var s *scratch
	for i, v := range values {
		at := special(v)
		if at < 0 {
			continue
		}
		if s == nil {
			s = scratches.Get().(*scratch)
			s.values, s.buf = append(s.values[:0], values...), s.buf[:0]
		}
		from := len(s.buf)
		s.buf = appendEscaped(s.buf, v, at)
		s.values[i] = s.buf[from:len(s.buf):len(s.buf)]
	}
	if s == nil {
		return values, nil
	}
	return s.values, s
}

// special finds the first byte of a value that XML may want escaped, or -1. No
// other such byte may stand in a URL.
func special(v []byte) int {
	i, j := bytes.IndexByte(v, '&'), bytes.IndexByte(v, '\'')
	if i < 0 || j >= 0 && j < i {
		return j
	}
	return i
}

// appendEscaped adds a value whose first special byte is at v[at]. What is
// escaped already stays.
func appendEscaped(dst, v []byte, at int) []byte {
	for at >= 0 {
		dst = append(dst, v[:at]...)
		if _, n := reference(v[at:]); v[at] == '\'' {
			dst = append(dst, "&apos;"...)
		} else if n > 0 {
			dst = append(dst, '&')
		} else {
			dst = append(dst, "&amp;"...)
		}
		v = v[at+1:]
		at = special(v)
	}
	return append(dst, v...)
}

// escapedLengths gives the declared lengths of the slots, of those whose
// value grew by escaping the length it has now: tokens of one pathway are
// alike.
func escapedLengths(declared []int, values [][]byte) []int {
	lengths := declared
	for i, v := range values {
		if i < len(declared) && declared[i] > 0 && len(v) > declared[i] && bytes.IndexByte(v, '&') >= 0 {
			if &lengths[0] == &declared[0] {
				lengths = slices.Clone(declared)
			}
			lengths[i] = len(v)
		}
	}
	return lengths
}
