package config

import (
	"net/netip"
	"slices"
	"time"

	"manifold/device"
	"manifold/internal/problem"
	"manifold/keys"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/session"
	"manifold/steering/probe"
)

// Config is a whole program's configuration, each part as its package wants it.
type Config struct {
	Listen Listen
	Admin  AdminConfig
	Shield origin.Config
	Proxy  proxy.Config
	Probes []probe.Target
	// AllowPrivate lists the address blocks that origins and probes may be in
	// although they are not public.
	AllowPrivate []netip.Prefix
}

// AdminConfig is the admin listener's, with its token read.
type AdminConfig struct {
	Address string
	Token   string
}

// Default is the configuration before a file is read: what every key means
// when it is not there.
func Default() *File {
	return &File{
		Listen: Listen{HTTP3: true},
		Admin:  Admin{Address: "127.0.0.1:9090"},
	}
}

// build makes the packages' configurations of a file.
func (f *File) build() (*Config, problem.List) {
	var l problem.List
	b := builder{l: &l, keys: keys.Source{}}
	c := &Config{
		Listen: f.Listen,
		Admin:  AdminConfig{Address: f.Admin.Address, Token: string(b.secret("admin.token", f.Admin.Token))},
		Shield: origin.Config{LiveBytes: int64(f.Shield.Live), RecentBytes: int64(f.Shield.Recent), LibraryBytes: int64(f.Shield.Library)},
	}
	for i, text := range f.Shield.AllowPrivate {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			l.AddHint(problem.At("shield.allow_private", i), "write it like 10.1.0.0/16", "%q is not an address block", text)
			continue
		}
		c.AllowPrivate = append(c.AllowPrivate, p)
	}
	if len(f.Listen.Plain)+len(f.Listen.TLS) == 0 {
		l.AddHint("listen", `for example plain: [":8080"]`, "there is no address to listen on")
	}
	if len(f.Listen.TLS) > 0 && len(f.Listen.Certificates) == 0 {
		l.AddHint("listen.tls", "list at least one under listen.certificates", "TLS needs a certificate")
	}
	c.Proxy.Keys = b.keys
	c.Proxy.Sessions = b.sessions(&f.Sessions)
	for i, d := range f.Devices {
		c.Proxy.Devices = append(c.Proxy.Devices, b.device(problem.At("devices", i), d))
	}
	names := make([]string, 0, len(f.Pathways))
	for name := range f.Pathways {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		set := proxy.SetConfig{Name: name}
		for _, p := range f.Pathways[name] {
			set.Pathways = append(set.Pathways, pathway(p))
			if p.Probe != nil {
				c.Probes = append(c.Probes, probe.Target{
					Set: name, ID: p.ID, URL: p.Probe.URL, Every: time.Duration(p.Probe.Every),
					Timeout: time.Duration(p.Probe.Timeout), DownIn: p.Probe.DownIn, UpIn: p.Probe.UpIn,
				})
			}
		}
		c.Proxy.Sets = append(c.Proxy.Sets, set)
	}
	for i, ch := range f.Channels {
		c.Proxy.Channels = append(c.Proxy.Channels, b.channel(problem.At("channels", i), ch, c.AllowPrivate))
	}
	if len(f.Channels) == 0 {
		l.Add("channels", "there are no channels")
	}
	for _, p := range c.Proxy.Validate() {
		if p.Path != "sessions.keys" || len(f.Sessions.Keys) == 0 {
			l = append(l, p)
		}
	}
	return c, l
}

type builder struct {
	l    *problem.List
	keys keys.Source
}

// secret reads a secret that a key of the file refers to; "" gives none.
func (b *builder) secret(path, ref string) []byte {
	if ref == "" {
		return nil
	}
	s, err := b.keys.Secret(ref)
	if err != nil {
		b.l.AddHint(path, "refer to it as file:/path or env:NAME", "%v", err)
	}
	return s
}

func (b *builder) sessions(s *Sessions) *session.Keys {
	var secrets session.Secrets
	before := len(*b.l)
	for i, ref := range s.Keys {
		secrets.Sign = append(secrets.Sign, b.secret(problem.At("sessions.keys", i), ref))
	}
	secrets.Hash = b.secret("sessions.hash_key", s.HashKey)
	if len(secrets.Sign) == 0 || len(*b.l) > before {
		return nil
	}
	k, err := session.NewKeys(secrets)
	if err != nil {
		b.l.Add("sessions.keys", "%v", err)
	}
	return k
}

func (b *builder) device(path string, d Device) device.Profile {
	p := device.Profile{
		Name: d.Name, UserAgents: d.UserAgents, RedundantVariants: d.RedundantVariants, BaseURLs: d.BaseURLs,
		Location: d.Location, Redirects: d.Redirects, Gzip: d.Gzip, Evict: d.Evict,
	}
	for i, s := range d.Steering {
		switch s {
		case "hls":
			p.Steering |= device.SteersHLS
		case "dash":
			p.Steering |= device.SteersDASH
		default:
			b.l.AddHint(problem.At(path+".steering", i), "hls or dash", "%q is no kind of steering", s)
		}
	}
	return p
}

func pathway(p Pathway) proxy.PathwayConfig {
	c := proxy.PathwayConfig{ID: p.ID, Base: p.Base, PlainBase: p.PlainBase, Weight: p.Weight}
	if t := p.Token; t != nil {
		c.Token = &token.Config{
			Format: t.Format, Keys: t.Keys, Salt: t.Salt, Name: t.Name, HLS: t.HLS, Hash: t.Hash, Family: t.Family,
			Lifetime: time.Duration(t.Lifetime), Bucket: time.Duration(t.Bucket), Max: time.Duration(t.Max),
		}
	}
	return c
}

func (b *builder) channel(path string, ch Channel, private []netip.Prefix) proxy.ChannelConfig {
	c := proxy.ChannelConfig{
		Name: ch.Name, Hosts: ch.Match.Hosts, Prefix: ch.Match.Prefix, Set: ch.Pathways,
		Steering: !ch.Steering.Off, TTL: time.Duration(ch.Steering.TTL),
		Origin: origin.GroupConfig{Name: ch.Name, Query: ch.Origin.Query, AllowPrivate: private},
		Access: access.Config{
			Token: ch.Access.Token, Carriers: ch.Access.Carriers, QueryName: ch.Access.QueryName, CookieName: ch.Access.CookieName,
			AllowNoExpiry: ch.Access.AllowNoExpiry, Leeway: time.Duration(ch.Access.Leeway), MaxToken: ch.Access.MaxToken,
			Cached: ch.Access.Cached, Session: time.Duration(ch.Access.Session), SessionBucket: time.Duration(ch.Access.SessionBucket),
			UnboundCDN: ch.Access.UnboundCDN,
		},
	}
	for _, u := range ch.Origin.URLs {
		c.Origin.Origins = append(c.Origin.Origins, origin.OriginConfig{URL: u})
	}
	for _, is := range ch.Access.Issuers {
		issuer := access.Issuer{Name: is.Name, Audience: is.Audience}
		for _, k := range is.Keys {
			issuer.Keys = append(issuer.Keys, access.Key{ID: k.ID, Algorithm: k.Algorithm, Key: k.Key})
		}
		c.Access.Issuers = append(c.Access.Issuers, issuer)
	}
	switch ch.Segments {
	case "", "direct":
	case "proxy":
		c.Segments = manifest.SegmentsProxy
	case "redirect":
		c.Segments = manifest.SegmentsRedirect
	default:
		b.l.AddHint(path+".segments", "direct, proxy or redirect", "%q is no segment mode", ch.Segments)
	}
	return c
}
