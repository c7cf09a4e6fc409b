package proxy

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"manifold/device"
	"manifold/internal/problem"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/session"
	"manifold/steering"
)

// Config is everything of an edge that a reload may change.
type Config struct {
	// Sessions sign and verify session addresses. Every edge that serves the
	// same viewers has the same. Required.
	Sessions *session.Keys
	// Keys gives the material that the channels' access and the pathways'
	// tokens refer to.
	Keys     access.KeySource
	Devices  []device.Profile
	Sets     []SetConfig
	Channels []ChannelConfig
}

// SetConfig is a named set of pathways, shared by any number of channels.
type SetConfig struct {
	Name     string
	Pathways []PathwayConfig
}

// PathwayConfig is one CDN of a set.
type PathwayConfig struct {
	// ID is the PATHWAY-ID and serviceLocation: [A-Za-z0-9._-]+.
	ID string
	// Base is the CDN's URL. With a path it stands for the origin's root
	// ("{channel}" in it is the channel's name); without one, the CDN has the
	// origin's own paths.
	Base string
	// PlainBase is what viewers who came over plain HTTP get; empty: Base.
	PlainBase string
	// Weight is its share of the sessions, relative to the others.
	Weight float64
	// Token is how its access tokens are made; nil: it wants none.
	Token *token.Config
}

// ChannelConfig is one live or VOD service.
type ChannelConfig struct {
	// Name is [A-Za-z0-9._-]+, unique.
	Name string
	// Hosts and Prefix say which requests are the channel's; see route.Table.
	Hosts  []string
	Prefix string
	// Origin is where its manifests come from.
	Origin origin.GroupConfig
	// Segments says through whom players fetch segments.
	Segments manifest.SegmentMode
	// Set names its pathways.
	Set string
	// Steering turns content steering on; TTL is how long players wait between
	// answers, 0 means 20 s.
	Steering bool
	TTL      time.Duration
	// Access is who may watch; the zero value lets everybody.
	Access access.Config
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Validate lists all that is wrong, at paths of manifold.yml.
func (c *Config) Validate() (l problem.List) {
	if c.Sessions == nil {
		l.AddHint("sessions.keys", "make one with: head -c 32 /dev/urandom | base64", "a session key is needed")
	}
	sets := map[string]bool{}
	for _, s := range c.Sets {
		path := "pathways." + s.Name
		sets[s.Name] = true
		l.Under(path, s.validate())
	}
	names := map[string]bool{}
	for i, ch := range c.Channels {
		path := problem.At("channels", i)
		l.Under(path, ch.validate(sets))
		if names[ch.Name] {
			l.Add(path+".name", "another channel is called %q", ch.Name)
		}
		names[ch.Name] = true
	}
	return l
}

func (s *SetConfig) validate() (l problem.List) {
	if len(s.Pathways) == 0 {
		l.Add("", "the set has no pathways")
	}
	if len(s.Pathways) > steering.MaxPathways {
		l.Add("", "the set has %d pathways, at most %d are possible", len(s.Pathways), steering.MaxPathways)
	}
	ids := map[string]bool{}
	total := 0.0
	for i, p := range s.Pathways {
		at := problem.At("", i)
		switch {
		case !idForm.MatchString(p.ID) || p.ID == manifest.NoPathway:
			l.Add(at+".id", "%q is not a pathway id: use letters, digits, dot, underscore and hyphen", p.ID)
		case ids[p.ID]:
			l.Add(at+".id", "another pathway of the set is called %q", p.ID)
		}
		ids[p.ID] = true
		checkBase(&l, at+".base", p.Base)
		if p.PlainBase != "" {
			checkBase(&l, at+".plain_base", p.PlainBase)
		}
		if p.Weight < 0 {
			l.Add(at+".weight", "a weight must not be negative")
		}
		total += p.Weight
		if p.Token != nil {
			l.Under(at+".token", p.Token.Validate())
		}
	}
	if len(s.Pathways) > 0 && total <= 0 {
		l.AddHint("", "give at least one pathway a weight above 0", "all weights are 0")
	}
	return l
}

func checkBase(l *problem.List, path, base string) {
	u, err := url.Parse(strings.ReplaceAll(base, "{channel}", "channel"))
	switch {
	case err != nil:
		l.Add(path, "%q is not a URL", base)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		l.AddHint(path, "write it like https://cdn.example", "%q is not an absolute http or https URL", base)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		l.Add(path, "%q must have no user, query or fragment", base)
	case strings.ContainsAny(base, "\"'<>& \\"):
		l.Add(path, "%q has a character that must be percent-encoded in a URL", base)
	}
}

func (c *ChannelConfig) validate(sets map[string]bool) (l problem.List) {
	if !idForm.MatchString(c.Name) {
		l.Add("name", "%q is not a channel name: use letters, digits, dot, underscore and hyphen", c.Name)
	}
	l.Under("origin", c.Origin.Validate())
	if !sets[c.Set] {
		l.Add("pathways", "there is no pathway set %q", c.Set)
	}
	l.Under("access", c.Access.Validate())
	if c.TTL < 0 {
		l.Add("steering.ttl", "a TTL must not be negative")
	}
	return l
}
