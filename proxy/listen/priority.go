package listen

import (
	"strings"

	"manifold/exchange"
)

// parsePriority reads the Priority field (RFC 9218, section 5), a structured
// dictionary of which u (0 to 7) and i (boolean) are known. Other members are
// passed over; a value out of range is as if it were not there; a field that
// is no dictionary says nothing.
func parsePriority(v string) exchange.Priority {
	none := exchange.Priority{Urgency: 3}
	if v == "" {
		return none
	}
	p := exchange.Priority{Urgency: 3, Known: true}
	for v != "" {
		member, rest, ok := cutMember(v)
		if !ok {
			return none
		}
		v = rest
		item, _, _ := strings.Cut(member, ";") // parameters say nothing here
		key, value, has := strings.Cut(item, "=")
		if !validKey(key) || has && value == "" {
			return none
		}
		switch {
		case key == "u" && len(value) == 1 && '0' <= value[0] && value[0] <= '7':
			p.Urgency = value[0] - '0'
		case key == "i" && (!has || value == "?1"):
			p.Incremental = true
		case key == "i" && value == "?0":
			p.Incremental = false
		}
	}
	return p
}

// cutMember takes the first member off a dictionary. Commas within strings
// do not count.
func cutMember(v string) (member, rest string, ok bool) {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			rest = strings.TrimLeft(v[i+1:], " \t")
			return strings.Trim(v[:i], " \t"), rest, rest != "" // no trailing comma
		}
	}
	return strings.Trim(v, " \t"), "", !quoted
}

func validKey(k string) bool {
	if k == "" || !(k[0] >= 'a' && k[0] <= 'z' || k[0] == '*') {
		return false
	}
	for i := range len(k) {
		if c := k[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_-.*", c) >= 0) {
			return false
		}
	}
	return true
}
