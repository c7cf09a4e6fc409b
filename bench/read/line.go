package read

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"manifold/bench/finding"
)

// lines splits a playlist (RFC 8216, section 4.1) and reports what no line of
// it may have.
func lines(body []byte, p *problems) []finding.Line {
	if rest, bom := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); bom {
		p.add("hls-syntax", finding.Line{Number: 1}, "a byte order mark stands before the first line")
		body = rest
	}
	out := make([]finding.Line, 0, bytes.Count(body, []byte("\n"))+1)
	for n := 1; len(body) > 0; n++ {
		raw, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		l := finding.Line{Number: n}
		if len(raw) > MaxLine {
			l.Text = string(raw[:200])
			p.add("hls-syntax", l, "a line of %d bytes, more than %d", len(raw), MaxLine)
			continue
		}
		l.Text = string(raw)
		if !utf8.Valid(raw) {
			p.add("hls-syntax", l, "the line is not UTF-8")
		} else if i := strings.IndexFunc(l.Text, func(r rune) bool { return (r < ' ' && r != '\t') || r >= 0x7f && r <= 0x9f }); i >= 0 {
			p.add("hls-syntax", l, "a control character at byte %d", i+1)
		}
		out = append(out, l)
	}
	return out
}

// attr is one attribute of a tag (RFC 8216, section 4.2).
type attr struct {
	name, value string
	quoted      bool
}

type attrs []attr

func (a attrs) find(name string) (attr, bool) {
	for _, x := range a {
		if x.name == name {
			return x, true
		}
	}
	return attr{}, false
}

func (a attrs) get(name string) string { x, _ := a.find(name); return x.value }

// parseAttrs reads an attribute list. What it cannot read is a problem; what
// it could is returned.
func parseAttrs(s string, line finding.Line, p *problems) attrs {
	var out attrs
	for rest := s; rest != ""; {
		eq := strings.IndexByte(rest, '=')
		if eq < 0 {
			p.add("hls-syntax", line, "an attribute without a value: %q", rest)
			return out
		}
		x := attr{name: rest[:eq]}
		if trimmed := strings.TrimSpace(x.name); trimmed != x.name {
			p.add("hls-syntax", line, "blanks around the attribute %s", trimmed)
			x.name = trimmed
		}
		if !attrName(x.name) {
			p.add("hls-syntax", line, "%q is no attribute name", x.name)
		}
		rest = rest[eq+1:]
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				p.add("hls-syntax", line, "the value of %s has no closing quote", x.name)
				return out
			}
			x.value, x.quoted, rest = rest[1:1+end], true, rest[end+2:]
			if rest != "" && rest[0] != ',' {
				p.add("hls-syntax", line, "something stands between the value of %s and the next comma", x.name)
				if comma := strings.IndexByte(rest, ','); comma >= 0 {
					rest = rest[comma:]
				} else {
					rest = ""
				}
			}
			if rest == "," {
				p.add("hls-syntax", line, "the attribute list ends with a comma")
			}
			rest = strings.TrimPrefix(rest, ",")
		} else {
			var more bool
			x.value, rest, more = strings.Cut(rest, ",")
			if more && rest == "" {
				p.add("hls-syntax", line, "the attribute list ends with a comma")
			}
			if x.value == "" || strings.ContainsAny(x.value, "\" \t") {
				p.add("hls-syntax", line, "%q is no value for %s", x.value, x.name)
			}
		}
		if _, dup := out.find(x.name); dup {
			p.add("hls-syntax", line, "the attribute %s stands twice", x.name)
			continue
		}
		if len(out) == MaxAttrs {
			p.add("hls-syntax", line, "more than %d attributes", MaxAttrs)
			return out
		}
		out = append(out, x)
	}
	return out
}

func attrName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

var decimal = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,18})?$`)

// seconds reads a decimal-floating-point or decimal-integer number of seconds,
// exactly.
func seconds(s string) (time.Duration, bool) {
	if !decimal.MatchString(s) {
		return 0, false
	}
	whole, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > 9_000_000_000 {
		return 0, false
	}
	frac = (frac + "000000000")[:9]
	f, _ := strconv.ParseInt(frac, 10, 64)
	return time.Duration(n)*time.Second + time.Duration(f), true
}

func integer(s string) (uint64, bool) {
	if len(s) == 0 || len(s) > 20 || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// date reads an ISO/IEC 8601 date and time as HLS uses it; without a zone it
// is UTC (rfc8216bis, section 4.4.4.6).
func date(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Range is a sub-range of a resource.
type Range struct{ Offset, Length uint64 }

// byteRange reads "n[@o]".
func byteRange(s string) (r Range, hasOffset, ok bool) {
	n, o, hasOffset := strings.Cut(s, "@")
	if r.Length, ok = integer(n); !ok {
		return r, hasOffset, false
	}
	if hasOffset {
		r.Offset, ok = integer(o)
	}
	return r, hasOffset, ok && r.Length < 1<<62 && r.Offset < 1<<62
}
