package route

import (
	"fmt"
	"strings"
)

// Table maps hosts and path prefixes to values of the caller.
type Table[T any] struct {
	any       prefixes[T]            // rules without a host
	exact     map[string]prefixes[T] // by lower-case host name, without port
	wildcards map[string]prefixes[T] // "*.example.com" under "example.com"
	longest   int
}

type prefixes[T any] map[string]T

// Add makes requests for host and prefix lead to v. The host is a name, a
// name with "*." before it (any one or more labels), or empty for all hosts.
// The prefix is a canonical path without a trailing slash, or empty for the
// whole host. A pair that is taken is an error.
func (t *Table[T]) Add(host, prefix string, v T) error {
	if prefix != "" && (prefix[0] != '/' || prefix[len(prefix)-1] == '/') {
		return fmt.Errorf("prefix %q: must begin with / and not end with it", prefix)
	}
	if strings.Contains(prefix, "/~") || strings.HasPrefix(prefix, Internal) {
		return fmt.Errorf("prefix %q: path elements beginning with ~ and %s are Manifold's own", prefix, Internal)
	}
	host = strings.ToLower(host)
	set := t.rules(host)
	if _, taken := set[prefix]; taken {
		return fmt.Errorf("host %q, prefix %q: another channel has them", host, prefix)
	}
	set[prefix] = v
	t.longest = max(t.longest, len(prefix))
	return nil
}

// rules gives the rules of a host, made where there are none yet.
func (t *Table[T]) rules(host string) prefixes[T] {
	if host == "" {
		if t.any == nil {
			t.any = prefixes[T]{}
		}
		return t.any
	}
	hosts := &t.exact
	if strings.HasPrefix(host, "*.") {
		hosts, host = &t.wildcards, host[2:]
	}
	if *hosts == nil {
		*hosts = map[string]prefixes[T]{}
	}
	if (*hosts)[host] == nil {
		(*hosts)[host] = prefixes[T]{}
	}
	return (*hosts)[host]
}

// Internal is the path under which the edge's own resources live.
const Internal = "/.manifold/"

// By says by which kind of rule a value was found.
type By uint8

// The kinds of rules, weakest first; none was found by ByNone.
const (
	ByNone By = iota
	ByAnyHost
	ByWildcard
	ByHost
)

// Find gives the value of the longest prefix of path under host (as sent:
// any case, with or without port), and the rest of the path after the prefix
// and its slash. An exact host wins over a wildcard, a wildcard over none; it
// does not allocate when the host is in lower case.
func (t *Table[T]) Find(host, path string) (v T, rest string, by By) {
	ok := false
	if len(t.exact) > 0 || len(t.wildcards) > 0 {
		name := strings.ToLower(withoutPort(host))
		if p, have := t.exact[name]; have {
			if v, rest, ok = t.longestIn(p, path); ok {
				return v, rest, ByHost
			}
		}
		for n := name; len(t.wildcards) > 0; {
			i := strings.IndexByte(n, '.')
			if i < 0 {
				break
			}
			n = n[i+1:]
			if p, have := t.wildcards[n]; have {
				if v, rest, ok = t.longestIn(p, path); ok {
					return v, rest, ByWildcard
				}
			}
		}
	}
	if v, rest, ok = t.longestIn(t.any, path); ok {
		return v, rest, ByAnyHost
	}
	return v, "", ByNone
}

// longestIn tries the prefixes of path at its slashes, longest first.
func (t *Table[T]) longestIn(set prefixes[T], path string) (v T, rest string, ok bool) {
	if len(set) == 0 {
		return v, "", false
	}
	end := len(path)
	if end > t.longest+1 {
		end = t.longest + 1
	}
	for {
		i := strings.LastIndexByte(path[:end], '/')
		if i < 0 {
			return v, "", false
		}
		if v, ok = set[path[:i]]; ok {
			return v, path[i+1:], true
		}
		end = i
	}
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// Address is what the path below a channel's prefix asks for.
type Address struct {
	// Session is the session text of a session address, "" at the entry.
	Session string
	// Cohort is the audience group of a cohort address (~c.{cohort}).
	Cohort string
	// Pathway is the pathway element, or "" at the entry.
	Pathway string
	// Path is the origin path, canonical, without a leading slash.
	Path string
}

// Parse splits the rest of a path (see Find) into an Address. A rest that
// begins with "~" but is not of the form ~{session}/{pathway}/{path} or
// ~c.{cohort}/{pathway}/{path} is not ok: such elements are never the
// origin's.
func Parse(rest string) (a Address, ok bool) {
	if rest == "" || rest[0] != '~' {
		return Address{Path: rest}, true
	}
	head, tail, found := strings.Cut(rest[1:], "/")
	if !found {
		return Address{}, false
	}
	a.Pathway, a.Path, found = strings.Cut(tail, "/")
	if !found || head == "" || a.Pathway == "" || a.Path == "" {
		return Address{}, false
	}
	if strings.HasPrefix(head, "c.") {
		a.Cohort = head[2:]
		return a, a.Cohort != ""
	}
	a.Session = head
	return a, true
}
