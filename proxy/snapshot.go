package proxy

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"manifold/device"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/proxy/route"
	"manifold/steering"
)

// snapshot is one configuration made ready to serve: immutable but for the
// steering states of its sets. A request loads it once and uses no other.
type snapshot struct {
	devices  *device.Table
	routes   route.Table[*channel]
	channels map[string]*channel
	sets     []*pathwaySet
	shapes   *shapeTable
	memory   *memory
	since    int64  // when it was made, Unix seconds; 0: not known
	explain  []byte // SHA-256 of the secret, or nil
}

// pathwaySet is a named set of pathways with its present conditions.
type pathwaySet struct {
	name     string
	pathways []steering.Pathway
	// fixed is the health that the configuration says, by pathway; nil where
	// probes find it.
	fixed []*steering.Health
	state atomic.Pointer[situation]
}

// channel is one service.
type channel struct {
	name     string
	prefix   string
	group    *origin.Group
	source   string // URL of the origin's root, for references in manifests
	segments manifest.SegmentMode
	set      *pathwaySet
	// complaints is what the log says of it.
	complaints complaints
	cdns       []cdn // in the set's order
	steering   bool
	theirs     OriginSteering
	ttl        time.Duration
	dwell      time.Duration
	tiers      []tier
	// defaultTier is an index of tiers, or noTier.
	defaultTier int
	cohorts     []cohort
	noSessions  bool
	access      *access.Policy
	counters    *counters
	// compile makes the templates of the channel's manifests.
	compile origin.Compile
	// steer encloses the session in the steering server's path.
	steerBefore string
}

// cdn is a pathway as one channel uses it: bases and tokens are the channel's
// own, since a token's scope is the channel's directory.
type cdn struct {
	id string
	// bases for viewers who came over TLS and over plain HTTP.
	secure, plain base
}

// base is one URL that stands for the origin's root.
type base struct {
	url string
	// minter makes the tokens of this base; nil where none is wanted.
	minter *token.Minter
}

// newSnapshot makes a valid configuration ready.
func (p *Proxy) newSnapshot(cfg *Config) (*snapshot, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	s := &snapshot{
		channels: map[string]*channel{},
		shapes:   newShapeTable(),
		memory:   &memory{},
		explain:  secretSum(cfg.Explain),
		since:    p.sinceOf(cfg),
	}
	var err error
	if s.devices, err = device.NewTable(cfg.Devices); err != nil {
		return nil, err
	}
	sets := map[string]*SetConfig{}
	states := map[string]*pathwaySet{}
	for i := range cfg.Sets {
		c := &cfg.Sets[i]
		list := make([]steering.Pathway, len(c.Pathways))
		fixed := make([]*steering.Health, len(c.Pathways))
		for j, p := range c.Pathways {
			fixed[j] = p.Health
			list[j] = steering.Pathway{
				ID: p.ID, Weight: p.Weight, Capacity: p.Capacity, Commit: p.Commit,
				Only: matches(p.Only), Never: matches(p.Never), Prefer: matches(p.Prefer),
			}
		}
		sets[c.Name] = c
		states[c.Name] = &pathwaySet{name: c.Name, pathways: steering.NewPathways(list), fixed: fixed}
		s.sets = append(s.sets, states[c.Name])
	}
	for i := range cfg.Channels {
		c := &cfg.Channels[i]
		ch, err := newChannel(c, sets[c.Set], states[c.Set], p.shield, cfg, s.devices)
		if err != nil {
			return nil, fmt.Errorf("channel %q: %w", c.Name, err)
		}
		hosts := c.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, h := range hosts {
			if err := s.routes.Add(h, c.Prefix, ch); err != nil {
				return nil, fmt.Errorf("channel %q: %w", c.Name, err)
			}
		}
		ch.counters = p.counting.of(c.Name)
		ch.compile = p.siblings.compiler(ch.group, ch.source)
		s.channels[c.Name] = ch
	}
	return s, nil
}

func newChannel(c *ChannelConfig, set *SetConfig, state *pathwaySet, shield *origin.Shield, cfg *Config, devices *device.Table) (*channel, error) {
	group, err := shield.Group(c.Origin)
	if err != nil {
		return nil, err
	}
	policy, err := access.New(c.Access, access.Channel{Name: c.Name, Prefix: c.Prefix}, cfg.Keys, cfg.Sessions)
	if err != nil {
		return nil, err
	}
	ch := &channel{
		name: c.Name, prefix: c.Prefix, group: group, segments: c.Segments, set: state,
		steering: c.Steering, theirs: c.OriginSteering, ttl: or(c.TTL, 20*time.Second), access: policy,
		dwell:       max(0, or(c.Dwell, 3*or(c.TTL, 20*time.Second))),
		source:      withSlash(c.Origin.Origins[0].URL),
		steerBefore: route.Internal + "steer/" + c.Name + "/~",
	}
	ch.newTiers(c)
	ch.newCohorts(c, devices)
	for _, p := range set.Pathways {
		d := cdn{id: p.ID}
		if d.secure, err = newBase(ch, &p, p.Base, cfg.Keys); err != nil {
			return nil, fmt.Errorf("pathway %q: %w", p.ID, err)
		}
		if d.plain = d.secure; p.PlainBase != "" {
			if d.plain, err = newBase(ch, &p, p.PlainBase, cfg.Keys); err != nil {
				return nil, fmt.Errorf("pathway %q: %w", p.ID, err)
			}
		}
		ch.cdns = append(ch.cdns, d)
	}
	return ch, nil
}

// newBase makes the base URL of a channel at a pathway, and its minters.
func newBase(ch *channel, p *PathwayConfig, text string, keys access.KeySource) (b base, err error) {
	u, err := url.Parse(strings.ReplaceAll(text, "{channel}", ch.name))
	if err != nil {
		return b, err
	}
	if u.Path == "" || u.Path == "/" {
		src, err := url.Parse(ch.source)
		if err != nil {
			return b, err
		}
		u.Path, u.RawPath = src.Path, src.RawPath
	}
	b.url = withSlash(u.String())
	if p.Token == nil {
		return b, nil
	}
	secrets, err := tokenSecrets(p.Token, keys)
	if err != nil {
		return b, err
	}
	b.minter, err = token.New(*p.Token, b.url, secrets)
	return b, err
}

// tokenSecrets reads the keys that a token's configuration refers to.
func tokenSecrets(c *token.Config, keys access.KeySource) (s token.Secrets, err error) {
	for _, ref := range c.Keys {
		key, err := keys.Secret(ref)
		if err != nil {
			return s, err
		}
		s.Keys = append(s.Keys, key)
	}
	if c.Salt != "" {
		s.Salt, err = keys.Secret(c.Salt)
	}
	return s, err
}

// base picks the base for a viewer.
func (c *cdn) base(tls bool) *base {
	if tls {
		return &c.secure
	}
	return &c.plain
}

// pathway gives the index of a pathway id, or -1.
func (ch *channel) pathway(id string) int {
	for i := range ch.cdns {
		if ch.cdns[i].id == id {
			return i
		}
	}
	return -1
}

func withSlash(s string) string {
	if strings.HasSuffix(s, "/") {
		return s
	}
	return s + "/"
}

// or gives v, or what stands for its zero value.
func or[T comparable](v, zero T) T {
	var none T
	if v == none {
		return zero
	}
	return v
}
