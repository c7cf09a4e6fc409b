package dash

import (
	"bytes"
	"strconv"
	"strings"
)

// references checks the entity and character references in [from, to): there
// is no document type, so only the five predefined entities exist (XML 1.0,
// section 4.6).
func (s *scanner) references(from, to int) *fault {
	if !s.amp {
		return nil
	}
	for i := from; ; {
		j := bytes.IndexByte(s.src[i:to], '&')
		if j < 0 {
			return nil
		}
		i += j
		if _, n := reference(s.src[i:to]); n > 0 {
			i += n
			continue
		}
		end := min(to, i+24)
		if k := bytes.IndexByte(s.src[i:end], ';'); k > 0 {
			return &fault{i, "the reference " + short(string(s.src[i:i+k+1])) + " is refused: only &amp; &lt; &gt; &quot; &apos; and characters by number are known"}
		}
		return &fault{i, "the character & should be written &amp;"}
	}
}

// reference reads the reference at the start of p: the character it stands
// for and its length, 0 where it is none.
func reference(p []byte) (rune, int) {
	end := bytes.IndexByte(p[:min(len(p), 16)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(p[1:end]); name {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		if name[0] != '#' || len(name) < 2 {
			return 0, 0
		}
		digits, base := name[1:], 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		if digits == "" || digits[0] == '+' || digits[0] == '-' {
			return 0, 0
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || !isChar(rune(n)) || n > 0x10ffff {
			return 0, 0
		}
		return rune(n), end + 1
	}
}

// isChar is the production Char of XML 1.0.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || 0x20 <= r && r <= 0xd7ff ||
		0xe000 <= r && r <= 0xfffd || 0x10000 <= r && r <= 0x10ffff
}

// decode gives what element content or an attribute's value says: references
// replaced, CDATA opened, comments and instructions left out, white space
// around it trimmed (xs:anyURI collapses it).
func decode(raw []byte) string {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '<') < 0 {
		return string(bytes.TrimSpace(raw))
	}
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		switch {
		case raw[0] == '&':
			if r, n := reference(raw); n > 0 {
				out = append(out, string(r)...)
				raw = raw[n:]
				continue
			}
		case bytes.HasPrefix(raw, []byte("<![CDATA[")):
			if n := bytes.Index(raw, []byte("]]>")); n > 0 {
				out = append(out, raw[9:n]...)
				raw = raw[n+3:]
				continue
			}
		case bytes.HasPrefix(raw, []byte("<!--")):
			if n := bytes.Index(raw, []byte("-->")); n > 0 {
				raw = raw[n+3:]
				continue
			}
		case bytes.HasPrefix(raw, []byte("<?")):
			if n := bytes.Index(raw, []byte("?>")); n > 0 {
				raw = raw[n+2:]
				continue
			}
		}
		out = append(out, raw[0])
		raw = raw[1:]
	}
	return string(bytes.TrimSpace(out))
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// escape makes s fit for element content and for attributes in either quotes.
func escape(s string) string { return escaper.Replace(s) }
