package proxy

import "strings"

// rawQueryValue gives the first value of name in a raw query as it stands
// there, or "".
func rawQueryValue(query, name string) string {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if k, v, _ := strings.Cut(pair, "="); k == name {
			return v
		}
	}
	return ""
}

// withoutParameter gives a query without the parameters of a name.
func withoutParameter(query, name string) string {
	if !hasParameter(query, name) {
		return query
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if k, _, _ := strings.Cut(pair, "="); k != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// ownQuery is the request's query without what is for the edge: the viewer's
// token and the device.
func (r *request) ownQuery() string {
	return withoutParameter(r.ch.access.WithoutToken(r.ex.RawQuery), "device")
}

// keptQuery is the request's query as a redirect to the session address keeps
// it: without what is for the edge and without CMCD, which is about the request
// alone. Of these, what the playlist takes a variable from stays: the player
// looks for it in the address that it was redirected to (rfc8216bis, section
// 4.4.2.3). The viewer's token never does: the player would put it into the URLs
// of CDNs.
func (r *request) keptQuery(t template) string {
	media, _ := t.(*mediaTemplate)
	var kept []string
	for pair := range strings.SplitSeq(r.ex.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		own := name == "device" || name == "CMCD"
		if r.ch.access.WithoutToken(pair) != "" && (!own || media != nil && media.AsksFor(name)) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// hasParameter tells whether a query has a parameter, with or without a value.
func hasParameter(query, name string) bool {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if k, _, _ := strings.Cut(pair, "="); k == name {
			return true
		}
	}
	return false
}

// appendUnescaped appends a query value decoded as a form is ("+" is a space).
// A broken escape stays as it is.
func appendUnescaped(dst []byte, v string) []byte {
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+2 < len(v) && isHex(v[i+1]) && isHex(v[i+2]):
			dst = append(dst, unhex(v[i+1])<<4|unhex(v[i+2]))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
