package inspect

import "strings"

// The reading of playlists by lines (rfc8216bis, section 4.1) and attributes
// (section 4.2), as lenient as manifest/hls: what is odd is read, and told.

// line is a line of a playlist that is neither blank nor a comment.
type line struct {
	number int
	// indent is how many blanks stand before it; text is without them, and
	// without those at its end.
	indent int
	padded bool // there are blanks around it
	text   string
	// tag is the tag's name without "#", "" for a URI; value stands behind its
	// ":", from byte column on.
	tag    string
	value  string
	column int
	colon  bool
}

// lineReader reads the lines of a playlist.
type lineReader struct {
	rest   string
	number int
	line   line
}

// newLineReader reads src from its second line on: the first is #EXTM3U, which
// the compiler has seen.
func newLineReader(src string) *lineReader {
	r := &lineReader{rest: src}
	r.cut()
	return r
}

func (r *lineReader) cut() string {
	text, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	r.number++
	return strings.TrimSuffix(text, "\r")
}

// next reads on to the next tag or URI line; false at the end.
func (r *lineReader) next() bool {
	for r.rest != "" {
		whole := r.cut()
		text := strings.TrimLeft(whole, " \t")
		l := line{number: r.number, indent: len(whole) - len(text)}
		l.text = strings.TrimRight(text, " \t")
		l.padded = len(l.text) != len(whole)
		if l.text == "" || l.text[0] == '#' && !strings.HasPrefix(l.text, "#EXT") {
			continue
		}
		if l.text[0] == '#' {
			l.tag, l.value, l.colon = strings.Cut(l.text[1:], ":")
			l.column = l.indent + len(l.tag) + 3
		}
		r.line = l
		return true
	}
	return false
}

// attribute is one NAME=VALUE of an attribute list; the value is without its
// quotes.
type attribute struct {
	name, value    string
	quoted, valued bool
	// sloppy says that there are blanks where none may be, or that something
	// stands between the closing quote and the comma.
	sloppy bool
	column int // of the name, in bytes from 1
}

// attributes reads an attribute list that begins at a column. It is only
// called for lists that manifest/hls has read: quotes end, and there are at
// most 256.
func attributes(list string, column int) []attribute {
	var all []attribute
	pos := 0
	for {
		for pos < len(list) && (list[pos] == ',' || isBlank(list[pos])) {
			pos++
		}
		if pos == len(list) {
			return all
		}
		a := attribute{column: column + pos, sloppy: pos > 0 && isBlank(list[pos-1])}
		end := strings.IndexAny(list[pos:], "=,")
		if end < 0 {
			end = len(list) - pos
		}
		raw := list[pos : pos+end]
		a.name = strings.TrimRight(raw, " \t")
		a.sloppy = a.sloppy || len(raw) != len(a.name)
		pos += end
		if pos < len(list) && list[pos] == '=' {
			pos = a.read(list, pos+1)
		}
		all = append(all, a)
	}
}

// read reads the value that begins at pos, and gives where it ends.
func (a *attribute) read(list string, pos int) int {
	a.valued = true
	if pos < len(list) && isBlank(list[pos]) {
		a.sloppy = true
		for pos < len(list) && isBlank(list[pos]) {
			pos++
		}
	}
	if pos < len(list) && list[pos] == '"' {
		if n := strings.IndexByte(list[pos+1:], '"'); n >= 0 {
			a.quoted, a.value = true, list[pos+1:pos+1+n]
			pos += n + 2
			tail := len(list) - pos
			if i := strings.IndexByte(list[pos:], ','); i >= 0 {
				tail = i
			}
			a.sloppy = a.sloppy || tail > 0
			return pos + tail
		}
	}
	end := len(list)
	if n := strings.IndexByte(list[pos:], ','); n >= 0 {
		end = pos + n
	}
	raw := list[pos:end]
	a.value = strings.TrimRight(raw, " \t")
	a.sloppy = a.sloppy || len(raw) != len(a.value)
	return end
}

// find gives the attribute of a name, or nil. The first counts, as for
// manifest/hls.
func find(all []attribute, name string) *attribute {
	for i := range all {
		if strings.EqualFold(all[i].name, name) {
			return &all[i]
		}
	}
	return nil
}

// valueOf gives the value of the attribute of a name, or "".
func valueOf(all []attribute, name string) string {
	if a := find(all, name); a != nil {
		return a.value
	}
	return ""
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
