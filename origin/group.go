package origin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"manifold/exchange"
	"manifold/internal/problem"
)

// GroupConfig is an origin group: equal origins of one channel.
type GroupConfig struct {
	// Name tells groups apart; it is part of every key. Required.
	Name string
	// Origins are asked in order: the first that is healthy. Required.
	Origins []OriginConfig
	// Query lists the query parameters that an origin's answer depends on.
	// All others are dropped before key and origin. None by default.
	Query []string
	// Headers lists the request headers that go to the origin and into the
	// key. None by default.
	Headers []string
	// Keep lists response headers kept beside the standard ones (see
	// Answer.Fields).
	Keep []string
	// AllowPrivate lists the blocks that origins may resolve to although they
	// are not public: "127.0.0.0/8" for a demo on one machine.
	AllowPrivate []netip.Prefix
	Deadlines    Deadlines
	Limits       Limits
	Policy       Policy
}

// OriginConfig is one origin of a group.
type OriginConfig struct {
	// URL is the root that paths are below: http or https, "/" is added at the
	// end where it is missing. No user, query or fragment.
	URL string
	// Host is the Host header; "" means the URL's.
	Host string
	// Fields are sent with every request to this origin and to no other: a
	// shared secret, for instance.
	Fields []exchange.Field
}

// WithDefaults gives the configuration in force: what each zero deadline,
// limit and policy means is in its place.
func (c GroupConfig) WithDefaults() GroupConfig {
	c.Deadlines, c.Limits, c.Policy = c.Deadlines.withDefaults(), c.Limits.withDefaults(), c.Policy.withDefaults()
	return c
}

// Validate lists everything that is wrong with c, at paths as a channel's
// origin in manifold.yml has them.
func (c *GroupConfig) Validate() (l problem.List) {
	if c.Name == "" {
		l.Add("", "the origin group has no name")
	}
	if strings.IndexByte(c.Name, 0) >= 0 {
		l.Add("", "the origin group's name holds a NUL")
	}
	if len(c.Origins) == 0 {
		l.AddHint("urls", "list at least one, as in https://origin.example/live/", "there is no origin URL")
	}
	for i, o := range c.Origins {
		at := problem.At("urls", i)
		if _, err := parseRoot(o.URL); err != nil {
			l.Add(at+".url", "%v", err)
		}
		if strings.ContainsAny(o.Host, " /\\\r\n\t\x00") {
			l.Add(at+".host", "host %q is not a host", o.Host)
		}
		for j, f := range o.Fields {
			if !isToken(f.Name) || strings.ContainsAny(f.Value, "\r\n\x00") {
				l.Add(problem.At(at+".fields", j), "header field %q cannot be sent", f.Name)
			}
		}
	}
	for i, q := range c.Query {
		if q == "" || strings.ContainsAny(q, "&=#% \x00") {
			l.AddHint(problem.At("query", i), "write its plain name", "query parameter %q cannot be declared", q)
		}
		if up := strings.ToUpper(q); strings.HasPrefix(up, "_HLS_") || up == "CMCD" {
			l.Add(problem.At("query", i), "query parameter %q belongs to the edge and never goes to an origin", q)
		}
	}
	for _, list := range []struct {
		path  string
		names []string
	}{{"headers", c.Headers}, {"keep", c.Keep}} {
		for i, h := range list.names {
			if !isToken(h) || isHopByHop(h) || ownRequestField(h) {
				l.Add(problem.At(list.path, i), "header %q cannot be declared", h)
			}
		}
	}
	for _, d := range []struct {
		path string
		v    time.Duration
	}{
		{"connect", c.Deadlines.Connect}, {"first_byte", c.Deadlines.FirstByte}, {"idle", c.Deadlines.Idle},
		{"manifest", c.Deadlines.Manifest}, {"patience", c.Deadlines.Patience}, {"hedge", c.Deadlines.Hedge},
	} {
		if d.v < 0 {
			l.Add("deadlines."+d.path, "%s is negative", d.v)
		}
	}
	for _, limit := range []struct {
		path string
		v    int64
	}{
		{"manifest", c.Limits.Manifest}, {"segment", c.Limits.Segment},
		{"decoded", c.Limits.Decoded}, {"ratio", c.Limits.Ratio},
	} {
		if limit.v < 0 {
			l.Add("limits."+limit.path, "%d is negative", limit.v)
		}
	}
	return l
}

// Group is an origin group in use: its configuration, the health of its
// origins, and what has been learned of its live folders. Get one from
// [Shield.Group].
type Group struct {
	cfg     GroupConfig
	id      string // part of every key
	origins []*source
	query   []string // declared, sorted
	keep    map[string]bool
	client  *client
	budget  budget

	counters counters

	mu     sync.Mutex
	live   map[string]liveFolder
	tidied time.Time
}

// Name is the group's configured name.
func (g *Group) Name() string { return g.cfg.Name }

// parseRoot reads an origin's root URL.
func parseRoot(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("cannot read origin URL: %w", err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("origin URL %q is neither http nor https", s)
	case u.Host == "" || u.Hostname() == "":
		return nil, fmt.Errorf("origin URL %q has no host", s)
	case u.User != nil:
		return nil, fmt.Errorf("origin URL of host %q carries a user: send credentials as a header field", u.Host)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("origin URL %q has a query or fragment", s)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u, nil
}

// newGroup makes a group of a valid configuration.
func newGroup(c GroupConfig, cl *client) (*Group, error) {
	c = c.WithDefaults()
	g := &Group{cfg: c, client: cl, keep: map[string]bool{}, live: map[string]liveFolder{}}
	g.query = slices.Sorted(slices.Values(c.Query))
	g.query = slices.Compact(g.query)
	for _, h := range c.Keep {
		g.keep[strings.ToLower(h)] = true
	}
	for _, o := range c.Origins {
		root, err := parseRoot(o.URL)
		if err != nil {
			return nil, err
		}
		g.origins = append(g.origins, &source{OriginConfig: o, root: root, authority: authority(root)})
	}
	g.id = keyID(&c)
	return g, nil
}

// keyID names a group in keys. What decides which bytes a path stands for is
// in it, so that a group which a reload pointed to another origin does not
// serve what the old one said. A backup added or removed keeps the cache: a
// reload must not send every viewer to the origin at once.
func keyID(c *GroupConfig) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q", c.Origins[0].URL, c.Origins[0].Host, c.Query, c.Headers, c.Keep)
	return c.Name + "\x00" + hex.EncodeToString(h.Sum(nil)[:8]) + "\x00"
}

// fingerprint is equal for equal configurations.
func (c *GroupConfig) fingerprint() string { return fmt.Sprintf("%q %+v", c.Name, *c) }

// authority is scheme and host with the port always written.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) + ":" + port
}
