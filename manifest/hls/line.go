package hls

import (
	"bytes"
	"math"
)

// header finds #EXTM3U, which should be the first line (section 4.4.1.1). What
// stands before it and says nothing is kept: a byte order mark, blank lines,
// comments. A client may refuse it, we need not.
func (c *compiler) header() error {
	c.line = 1
	const sign = "#EXTM3U"
	head := bytes.TrimLeft(bytes.TrimPrefix(c.src, []byte("\ufeff")), " \t\r\n")
	b := head
	for len(b) > 0 && b[0] == '#' && !bytes.HasPrefix(b, []byte("#EXT")) {
		_, rest, _ := bytes.Cut(b, newline)
		b = bytes.TrimLeft(rest, " \t\r\n")
	}
	if !bytes.HasPrefix(b, []byte(sign)) || len(b) > len(sign) && b[len(sign)] > ' ' {
		text := "not a playlist: it does not begin with #EXTM3U"
		if len(head) == 0 {
			text = "not a playlist: it is empty"
		} else if head[0] == '<' {
			text = "not a playlist: it looks like HTML or XML"
		}
		return c.fail(ErrNotPlaylist, 0, text)
	}
	c.next = len(c.src) - len(b)
	c.line += bytes.Count(c.src[:c.next], newline)
	if err := c.cutLine(); err != nil {
		return err
	}
	c.t.crlf = c.next >= 2 && c.src[c.next-2] == '\r'
	c.t.top = c.next
	c.inHead = true
	c.block = c.next
	return nil
}

// cutLine finds the line that begins at next.
func (c *compiler) cutLine() error {
	c.at = c.next
	rest := c.src[c.at:]
	if len(rest) > MaxLine+2 {
		rest = rest[:MaxLine+2]
	}
	end := len(rest)
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		end = n
		c.next = c.at + n + 1
	} else {
		c.next = c.at + end
	}
	if end > 0 && rest[end-1] == '\r' {
		end--
	}
	if end > MaxLine {
		return c.fail(ErrBounds, c.at, "line is longer than 16 KiB")
	}
	from := 0
	for from < end && isBlank(rest[from]) {
		from++
	}
	c.from = c.at + from
	c.to = trimRight(c.src, c.from, c.at+end)
	return nil
}

// pairs reads the lines that most of a long playlist consists of, EXTINF and
// URI in turn with nothing between and nothing odd about them, as readLine
// would, only faster. It stops before the first pair that is not like that.
func (c *compiler) pairs() {
	src, at, marks, segments := c.src, c.next, c.t.marks, c.t.segments
	had, block, flags, window := len(segments), c.block, c.flags, c.window
	for len(segments)+c.parts < MaxSegments {
		const inf = "#EXTINF:"
		if len(src)-at < len(inf) || string(src[at:at+len(inf)]) != inf {
			break
		}
		n := bytes.IndexByte(src[at:], '\n')
		if n < 0 || n > MaxLine {
			break
		}
		uri := at + n + 1
		if uri == len(src) || src[uri] <= '#' {
			break
		}
		m := bytes.IndexByte(src[uri:], '\n')
		if m < 0 || m > MaxLine {
			break
		}
		end := uri + m
		if src[end-1] == '\r' {
			end--
		}
		if src[end-1] <= ' ' {
			break
		}
		if c.inHead {
			c.inHead, block = false, at
		}
		d := seconds(src[at+len(inf) : uri])
		segments = append(segments, segment{at: uint32(block), mark: uint32(len(marks)), duration: d, flags: flags})
		marks = append(marks, mark{from: uint32(uri), to: uint32(end), tag: tagInf})
		if window += d; window < 0 {
			window = math.MaxInt64
		}
		at = uri + m + 1
		flags, block = 0, at
	}
	if len(segments) == had {
		return
	}
	c.t.marks, c.t.segments = marks, segments
	c.next, c.block, c.flags, c.window, c.duration = at, block, flags, window, 0
	c.line += 2 * (len(segments) - had)
}

func (c *compiler) readLine() error {
	c.line++
	if err := c.cutLine(); err != nil {
		return err
	}
	switch {
	case c.from == c.to:
		return nil
	case c.src[c.from] != '#':
		return c.uriLine()
	}
	b := c.src[c.from:c.to]
	if len(b) < 5 || string(b[1:4]) != "EXT" {
		return nil
	}
	if string(b[4:min(8, len(b))]) == "INF:" {
		return c.tagLine(tagInf, c.from+8)
	}
	name := b[1:]
	attrs := c.to
	if n := bytes.IndexByte(name, ':'); n >= 0 {
		name = name[:n]
		attrs = c.from + 1 + n + 1
	}
	if tg := byName[string(name)]; tg != tagOther {
		return c.tagLine(tg, attrs)
	}
	return nil
}
