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
	Keys access.KeySource
	// Explain is the secret that a request's Manifold-Explain header must
	// carry to be told why it was answered so; empty: nobody is told.
	Explain []byte
	// Since is when the configuration was made: the same on every edge that
	// has it. Live MPDs do not say that they were published before. The zero
	// time leaves their own.
	Since    time.Time
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
	// Only, where not empty, lists whom it may serve; Never whom it may not;
	// Prefer who uses it before all others.
	Only, Never, Prefer []MatchConfig
	// Capacity is the load above which sessions are shed from it, Commit the
	// load below which it gets more than its weight; both in the unit in which
	// loads are reported to the admin API. 0 is none.
	Capacity, Commit float64
	// Health, where not nil, is what is believed of it whatever probes find.
	Health *steering.Health
	// Token is how its access tokens are made; nil: it wants none.
	Token *token.Config
}

// MatchConfig selects viewers: of each list that is not empty, one must hold.
type MatchConfig struct {
	// Countries are ISO 3166-1 alpha-2, ASNs autonomous systems, Addresses
	// blocks like "10.0.0.0/8".
	Countries []string `json:"countries,omitempty"`
	ASNs      []uint32 `json:"asns,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
}

// OriginSteering is what becomes of an origin's own content steering.
type OriginSteering uint8

// What becomes of it. Replaced: the channel's own takes its place, or nothing
// where the channel or the player has none. Kept: a manifest that declares it
// keeps it, with the origin's pathways, for players that follow steering; what
// is below the origin's root is then served by the viewer's first pathway.
// Removed: a manifest that declares it is not steered at all.
const (
	OriginSteeringReplaced OriginSteering = iota
	OriginSteeringKept
	OriginSteeringRemoved
)

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
	// OriginSteering is what becomes of content steering that the origin
	// declares itself.
	OriginSteering OriginSteering
	// Dwell is how long a session stays with its CDN while that is as good as
	// any other: changed weights and loads do not move it again before. 0
	// means three TTLs, below 0 none.
	Dwell time.Duration
	// Tiers are what viewers are offered; without any, everything.
	Tiers []TierConfig
	// DefaultTier is that of viewers whose token names none, or one that is
	// not among Tiers; empty: the first of them.
	DefaultTier string
	// Cohorts are its audience groups, the first that fits counts.
	Cohorts []CohortConfig
	// NoSessions gives all of a cohort the same addresses and bytes, which
	// caches may keep: nothing is signed, and nobody is asked for a token.
	NoSessions bool
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
	devices, err := device.NewTable(c.Devices)
	if err != nil {
		l.Add("devices", "%v", err)
	}
	for i, ch := range c.Channels {
		path := problem.At("channels", i)
		l.Under(path, ch.validate(sets, devices))
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
		for _, list := range []struct {
			name    string
			matches []MatchConfig
		}{{"only", p.Only}, {"never", p.Never}, {"prefer", p.Prefer}} {
			if i, err := badMatch(list.matches); err != nil {
				l.Add(problem.At(at+"."+list.name, i), "%v", err)
			}
		}
		if p.Capacity < 0 || p.Commit < 0 {
			l.Add(at, "capacity and commit must not be negative")
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

// badMatch finds the first match that cannot be read.
func badMatch(list []MatchConfig) (int, error) {
	for i, c := range list {
		if _, err := c.match(); err != nil {
			return i, err
		}
	}
	return 0, nil
}

func (c *MatchConfig) match() (steering.Match, error) {
	return steering.NewMatch(c.Countries, c.ASNs, c.Addresses)
}

// matches reads a list that Validate has passed.
func matches(list []MatchConfig) (out []steering.Match) {
	for _, c := range list {
		if m, err := c.match(); err == nil {
			out = append(out, m)
		}
	}
	return out
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

func (c *ChannelConfig) validate(sets map[string]bool, devices *device.Table) (l problem.List) {
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
	c.validateTiers(&l)
	c.validateCohorts(&l, devices)
	return l
}
