package listen

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"manifold/exchange"
)

// refusal is the answer to a request that no handler sees.
type refusal struct {
	status int
	text   string
	// broken: what follows on an HTTP/1.1 connection cannot be trusted, or is
	// not worth reading.
	broken bool
}

var (
	refusedMethod    = &refusal{405, "this method is not served here", false}
	refusedConnect   = &refusal{405, "this server is no proxy", true}
	refusedHost      = &refusal{400, "the Host of the request is missing or malformed", true}
	refusedAuthority = &refusal{400, "the request target names another host than Host does", true}
	refusedTarget    = &refusal{414, "the request target is too long", true}
	refusedEarly     = &refusal{425, "this method is not served in early data: send it again after the handshake", false}
	refusedBody      = &refusal{413, "the request's content is too large", true}
	refusedSize      = &refusal{400, "the Content-Length is not the length of the request's content", false}
	serverWide       = &refusal{204, "", false} // OPTIONS *
)

// allowed is said where the listener itself answers about methods; what a
// resource allows is the handler's to say.
const allowed = "GET, HEAD, OPTIONS"

// admit fills what all protocols fill alike, and refuses what must not reach
// a handler. host is the request's authority, target its raw target in
// origin form, size the length of its content or -1.
func (l *Listener) admit(ex *exchange.Exchange, method, host, target string, size int64) *refusal {
	ex.Method, ex.Host, ex.Target = method, host, target
	switch method {
	case http.MethodConnect:
		return refusedConnect
	case http.MethodTrace:
		return refusedMethod
	}
	if !validHost(host) {
		return refusedHost
	}
	if target == "*" && method == http.MethodOptions {
		return serverWide
	}
	if err := ex.SetTarget(target); err != nil && !l.cfg.RawTargets {
		if errors.Is(err, exchange.ErrTooLarge) {
			return refusedTarget
		}
		return &refusal{400, err.Error(), true}
	}
	if ex.EarlyData && !safe(method) {
		return refusedEarly
	}
	if size > l.cfg.MaxRequestBody {
		return refusedBody
	}
	return nil
}

// refuse makes the answer that r is.
func (l *Listener) refuse(ex *exchange.Exchange, r *refusal) {
	l.stats.refused.Add(1)
	if r.status == 204 {
		ex.Status = r.status
		ex.SetField("Allow", allowed)
		return
	}
	ex.Fail(r.status, r.text)
	if r.status == 405 {
		ex.SetField("Allow", allowed)
	}
}

// safe methods change nothing (RFC 9110, section 9.2.1): a replay of them
// does no harm.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// validHost reports whether host is a name or an address with or without a
// port (RFC 9110, section 7.2), in a form that nobody reads differently.
// Percent-encoded and non-ASCII names are legal in a URI and never sent by
// clients; they are refused.
func validHost(host string) bool {
	if host == "" || len(host) > 255+len(":65535") {
		return false
	}
	name, port, hasPort := host, "", false
	if host[0] == '[' {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return false
		}
		if a, err := netip.ParseAddr(host[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		if name = host[end+1:]; name == "" {
			return true
		}
		if name[0] != ':' {
			return false
		}
		return validPort(name[1:])
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		name, port, hasPort = host[:i], host[i+1:], true
	}
	if name == "" || name[0] == '.' || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		if !hostByte[name[i]] {
			return false
		}
	}
	return !hasPort || validPort(port)
}

func validPort(s string) bool {
	if s == "" || len(s) > 5 {
		return false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n <= 65535
}

var hostByte = func() (t [256]bool) {
	for _, c := range "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		t[c] = true
	}
	return t
}()

// originForm turns the absolute form of a target (RFC 9112, section 3.2.2)
// into origin form. Host must say the same.
func originForm(target, host string) (string, *refusal) {
	_, rest, ok := strings.Cut(target, "://")
	if scheme := target[:len(target)-len(rest)]; !ok || !strings.EqualFold(scheme, "http://") && !strings.EqualFold(scheme, "https://") {
		return target, nil // admit says what is wrong with it
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if !strings.EqualFold(rest[:end], host) {
		return "", refusedAuthority
	}
	switch rest = rest[end:]; {
	case rest == "":
		return "/", nil
	case rest[0] != '/':
		return "/" + rest, nil
	}
	return rest, nil
}
