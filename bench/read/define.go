package read

import (
	"net/url"
	"regexp"
	"strings"

	"manifold/bench/finding"
)

var variable = regexp.MustCompile(`\{\$([A-Za-z0-9_-]+)\}`)

// variables are the EXT-X-DEFINEs of a playlist (rfc8216bis, section 4.3).
type variables struct {
	known    map[string]string
	imported map[string]string // of the multivariant playlist
	query    url.Values        // of the playlist's own address
}

// define reads an EXT-X-DEFINE.
func (v *variables) define(a attrs, line finding.Line, p *problems) {
	if v.known == nil {
		v.known = map[string]string{}
	}
	name, hasName := a.find("NAME")
	imported, hasImport := a.find("IMPORT")
	query, hasQuery := a.find("QUERYPARAM")
	value, hasValue := a.find("VALUE")
	switch {
	case hasName && !hasImport && !hasQuery:
		if !hasValue {
			p.add("hls-syntax", line, "EXT-X-DEFINE with NAME needs VALUE")
		}
		v.set(name.value, value.value, line, p)
	case hasImport && !hasName && !hasQuery:
		got, ok := v.imported[imported.value]
		if !ok {
			p.add("hls-undefined-variable", line, "the multivariant playlist does not define %s", imported.value)
		}
		v.set(imported.value, got, line, p)
	case hasQuery && !hasName && !hasImport:
		if !v.query.Has(query.value) {
			p.add("hls-undefined-variable", line, "the playlist's address has no query parameter %s", query.value)
		}
		v.set(query.value, v.query.Get(query.value), line, p)
	default:
		p.add("hls-syntax", line, "EXT-X-DEFINE needs one of NAME, IMPORT and QUERYPARAM")
	}
}

func (v *variables) set(name, value string, line finding.Line, p *problems) {
	if _, dup := v.known[name]; dup {
		p.add("hls-syntax", line, "the variable %s is defined twice", name)
		return
	}
	if len(v.known) < MaxAttrs {
		v.known[name] = value
	}
}

// expand replaces variable references, once: a value is never expanded again.
func (v *variables) expand(s string, line finding.Line, p *problems) string {
	if !strings.Contains(s, "{$") {
		return s
	}
	var out strings.Builder
	last := 0
	for _, m := range variable.FindAllStringSubmatchIndex(s, -1) {
		name := s[m[2]:m[3]]
		value, ok := v.known[name]
		if !ok {
			p.add("hls-undefined-variable", line, "%s is not defined", name)
			continue
		}
		if out.Len()+len(value) > MaxLine {
			p.add("hls-syntax", line, "variables make the line longer than %d bytes", MaxLine)
			return s
		}
		out.WriteString(s[last:m[0]])
		out.WriteString(value)
		last = m[1]
	}
	out.WriteString(s[last:])
	return out.String()
}

func (v *variables) expandAll(a attrs, line finding.Line, p *problems) {
	for i := range a {
		if a[i].quoted {
			a[i].value = v.expand(a[i].value, line, p)
		}
	}
}
