package dash

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error says where and why an MPD is refused. Its text is
// "line:column: MPD/Period[2]/AdaptationSet[1]: reason"; the caller knows the
// file's name and puts it before.
type Error struct {
	// Offset is the byte the error was found at, Line and Column the same
	// place counted from 1, the column in characters.
	Offset, Line, Column int
	// Path names the elements open at that place, from the root down, each
	// with its position among its siblings of the same name. It is empty
	// outside the root.
	Path string
	// Text is the reason and, where there is one, the cure.
	Text string
}

// Error gives the position, the element path and the reason.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(e.Line))
	b.WriteByte(':')
	b.WriteString(strconv.Itoa(e.Column))
	b.WriteString(": ")
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// fault is what the scanner reports: a place and a reason. The rest of an
// [Error] is worked out only once there is one.
type fault struct {
	at   int
	text string
}

// explain turns a fault into an Error.
func explain(src []byte, f *fault) *Error {
	at := min(f.at, len(src))
	e := &Error{Offset: at, Text: f.text}
	e.Line = 1 + bytes.Count(src[:at], []byte{'\n'})
	e.Column = 1 + utf8.RuneCount(src[bytes.LastIndexByte(src[:at], '\n')+1:at])
	e.Path = pathAt(src, at)
	return e
}

// pathAt reads src again, up to the place of a fault, this time counting
// siblings.
func pathAt(src []byte, at int) string {
	if len(src) > maxSource {
		return ""
	}
	var s scanner
	s.begin(src)
	var seen [maxDepth + 2]map[string]int
	depth := 0
	for {
		tok, f := s.next()
		if f != nil || tok == tokEnd || s.start > at || tok == tokClose && s.start == at {
			break // the elements open before are those of the place
		}
		if tok == tokOpen {
			name := string(s.text(s.stack[s.depth-1].name))
			if seen[s.depth] == nil {
				seen[s.depth] = make(map[string]int)
			}
			seen[s.depth][name]++
			clear(seen[s.depth+1])
			if s.start == at {
				depth = s.depth
				break
			}
			if s.closed {
				s.pop()
			}
		}
		depth = s.depth
	}
	var b strings.Builder
	for i := range depth {
		name := string(s.text(s.stack[i].name))
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(short(name))
		if i > 0 {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(seen[i+1][name]))
			b.WriteByte(']')
		}
	}
	return b.String()
}

// short keeps what is quoted from the source in an error readable.
func short(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
