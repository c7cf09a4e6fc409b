package origin

import (
	"math"
	"strings"
	"time"
)

// directives are what a response's Cache-Control says to a shared cache (RFC
// 9111, section 5.2.2; RFC 5861; RFC 8246). A duration is unsaid where the
// directive is not there.
type directives struct {
	maxAge, sMaxAge  time.Duration
	swr, sie         time.Duration
	noStore, noCache bool
	private, public  bool
	mustRevalidate   bool
	proxyRevalidate  bool
	mustUnderstand   bool
	immutable        bool
	// withhold are the fields named by no-cache="…" and private="…": they are
	// not kept (section 5.2.2.4, 5.2.2.7).
	withhold []string
}

const unsaid = time.Duration(math.MinInt64)

// maxDelta is how long "long" is: RFC 9111, section 1.2.2, asks for at least
// 2^31 seconds.
const maxDelta = (1 << 31) * time.Second

// parseCacheControl reads all lines of Cache-Control. Of a directive given
// twice the first counts; a freshness that is not a number is 0, which is
// stale (section 4.2.1). Names are compared without regard to case, unknown
// ones are passed over, and nothing inside a quoted string is a directive.
func parseCacheControl(lines []string) directives {
	d := directives{maxAge: unsaid, sMaxAge: unsaid, swr: unsaid, sie: unsaid}
	for _, line := range lines {
		for line != "" {
			var name, value string
			var has bool
			name, value, has, line = nextDirective(line)
			d.take(name, value, has)
		}
	}
	return d
}

func (d *directives) take(name, value string, has bool) {
	switch strings.ToLower(name) {
	case "max-age":
		setOnce(&d.maxAge, value, has)
	case "s-maxage":
		setOnce(&d.sMaxAge, value, has)
	case "stale-while-revalidate":
		setOnce(&d.swr, value, has)
	case "stale-if-error":
		setOnce(&d.sie, value, has)
	case "no-store":
		d.noStore = true
	case "no-cache":
		if fields := listed(value); len(fields) > 0 {
			d.withhold = append(d.withhold, fields...)
		} else {
			d.noCache = true
		}
	case "private":
		if fields := listed(value); len(fields) > 0 {
			d.withhold = append(d.withhold, fields...)
		} else {
			d.private = true
		}
	case "public":
		d.public = true
	case "must-revalidate":
		d.mustRevalidate = true
	case "proxy-revalidate":
		d.proxyRevalidate = true
	case "must-understand":
		d.mustUnderstand = true
	case "immutable":
		d.immutable = true
	}
}

func setOnce(d *time.Duration, value string, has bool) {
	if *d == unsaid {
		*d = 0
		if has {
			if v, ok := deltaSeconds(value); ok {
				*d = v
			}
		}
	}
}

// nextDirective cuts the first directive off a line. Space around "=" is no
// part of the grammar; what holds it is a directive nobody knows, except that
// a freshness spoiled so must not be taken for none: it keeps its name and
// loses its value.
func nextDirective(line string) (name, value string, has bool, rest string) {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == ',') {
		i++
	}
	start := i
	for i < len(line) && tokenChar(line[i]) {
		i++
	}
	name = line[start:i]
	if i < len(line) && line[i] == '=' {
		i++
		if i < len(line) && line[i] == '"' {
			if v, n, ok := unquote(line[i:]); ok {
				value, has = v, true
				i += n
			} else {
				i = len(line)
			}
		} else {
			start = i
			for i < len(line) && tokenChar(line[i]) {
				i++
			}
			value, has = line[start:i], i > start
		}
	}
	// Whatever stands before the next comma spoils the value.
	for i < len(line) && line[i] != ',' {
		if line[i] != ' ' && line[i] != '\t' {
			value, has = "", false
		}
		if line[i] == '"' {
			if _, n, ok := unquote(line[i:]); ok {
				i += n
				continue
			}
			return name, "", false, ""
		}
		i++
	}
	return name, value, has, line[i:]
}

// unquote reads a quoted-string (RFC 9110, section 5.6.4) at the beginning of
// s and gives its content and length.
func unquote(s string) (value string, n int, ok bool) {
	escaped := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			v := s[1:i]
			if !escaped {
				return v, i + 1, true
			}
			var b strings.Builder
			for j := 0; j < len(v); j++ {
				if v[j] == '\\' && j+1 < len(v) {
					j++
				}
				b.WriteByte(v[j])
			}
			return b.String(), i + 1, true
		}
	}
	return "", 0, false
}

// listed splits a list of field names.
func listed(value string) []string {
	var out []string
	for f := range strings.SplitSeq(value, ",") {
		if f = strings.Trim(f, " \t"); isToken(f) {
			out = append(out, strings.ToLower(f))
		}
	}
	return out
}

// deltaSeconds reads the delta-seconds of RFC 9111, section 1.2.2.
func deltaSeconds(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var n time.Duration
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n = n*10 + time.Duration(s[i]-'0'); n > maxDelta/time.Second {
			n = maxDelta / time.Second
		}
	}
	return n * time.Second, true
}
