package access

import "strings"

// Find looks for the viewer's token where the channel takes it: in the query
// as sent, in the values of the Authorization and Cookie fields. It returns ""
// where there is none (or none is asked for), and [ErrTwice] where one carrier
// has two. It does not allocate.
func (p *Policy) Find(rawQuery, authorization, cookie string) (string, error) {
	if !p.NeedsToken() {
		return "", nil
	}
	for _, c := range p.cfg.Carriers {
		var token string
		switch c {
		case "query":
			var twice bool
			if token, twice = parameter(rawQuery, p.cfg.QueryName); twice {
				return "", ErrTwice
			}
		case "header":
			token = bearer(authorization)
		case "cookie":
			token = cookieValue(cookie, p.cfg.CookieName)
		}
		if token != "" {
			return token, nil
		}
	}
	return "", nil
}

// parameter finds the value of name in a query. It is not unescaped: no
// character of a token needs an escape.
func parameter(query, name string) (value string, twice bool) {
	for part := range strings.SplitSeq(query, "&") {
		if len(part) > len(name) && part[len(name)] == '=' && part[:len(name)] == name {
			if value != "" {
				return "", true
			}
			value = part[len(name)+1:]
		}
	}
	return value, false
}

// bearer takes the credentials of the Bearer scheme (RFC 6750, section 2.1);
// the scheme's name is compared without regard to case (RFC 9110, 11.1).
func bearer(authorization string) string {
	const scheme = "bearer "
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return ""
	}
	return strings.Trim(authorization[len(scheme):], " ")
}

// cookieValue finds the first cookie of the name: user agents send the one
// with the longest path first (RFC 6265, section 5.4).
func cookieValue(cookie, name string) string {
	for part := range strings.SplitSeq(cookie, ";") {
		part = strings.Trim(part, " \t")
		if len(part) > len(name) && part[len(name)] == '=' && part[:len(name)] == name {
			return strings.Trim(part[len(name)+1:], `"`)
		}
	}
	return ""
}

// WithoutToken gives a query without the viewer's token: what may be handed
// on. It is rawQuery itself where there is none.
func (p *Policy) WithoutToken(rawQuery string) string {
	if !p.NeedsToken() || !strings.Contains(rawQuery, p.cfg.QueryName) {
		return rawQuery
	}
	var rest strings.Builder
	for part := range strings.SplitSeq(rawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); name == p.cfg.QueryName {
			continue
		}
		if rest.Len() > 0 {
			rest.WriteByte('&')
		}
		rest.WriteString(part)
	}
	return rest.String()
}
