package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"manifold/exchange"
	"manifold/internal/dial"
	"manifold/internal/problem"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/proxy/route"
	"manifold/steering"
	"manifold/steering/probe"
)

// complete derives what a file leaves out: a channel's prefix from its name,
// a pathway's id from its host. A set that is a channel's own is named after
// it.
func (f *File) complete() {
	for _, list := range f.Pathways {
		completePathways(list)
	}
	for i := range f.Channels {
		c := &f.Channels[i]
		switch c.Match.Prefix {
		case "":
			c.Match.Prefix = "/" + c.Name
		case "/":
		default:
			c.Match.Prefix = strings.TrimRight(c.Match.Prefix, "/")
		}
		completePathways(c.Pathways.List)
	}
}

func completePathways(list []Pathway) {
	for i := range list {
		if p := &list[i]; p.ID == "" {
			if u, err := url.Parse(p.Base); err == nil {
				p.ID = strings.NewReplacer("[", "", "]", "", ":", "-", "%", "-").Replace(u.Host)
			}
			if p.ID == "" && p.Base != "" { // which is told, and is what is wrong
				p.ID = fmt.Sprintf("pathway-%d", i)
			}
		}
	}
}

// pathwaySets makes the named sets, and those that are a channel's own.
func (b *builder) pathwaySets() {
	b.sets = map[string]int{}
	for _, name := range sortedKeys(b.file.Pathways) {
		if !setForm.MatchString(name) {
			b.problems.AddHint("pathways."+name, "use letters, digits, dot, underscore and hyphen", "%q cannot be the name of a set", clip(name))
		}
		b.set("pathways."+name, name, b.file.Pathways[name])
	}
	for i := range b.file.Channels {
		c := &b.file.Channels[i]
		at := problem.At("channels", i) + ".pathways"
		switch {
		case c.Pathways.Set != "" && len(c.Pathways.List) > 0:
			b.problems.AddHint(at, "take one of them out", "the pathways are both a named set and a list")
		case c.Pathways.Set != "":
		case len(c.Pathways.List) == 0:
			b.problems.AddHint(at, `for example pathways: ["https://cdn-a.example", "https://cdn-b.example"]`, "the channel has no pathways: name a set, or list the CDNs")
		case b.file.Pathways[c.Name] != nil:
			b.problems.AddHint(at, fmt.Sprintf("write pathways: %s if the named set is meant, else rename it", c.Name), "there is a set called %q too, as the channel's own would be", clip(c.Name))
		default:
			if _, twice := b.sets[c.Name]; !twice {
				b.sets[c.Name] = i
				b.set(at+".list", c.Name, c.Pathways.List)
			}
		}
	}
}

func (b *builder) set(path, name string, list []Pathway) {
	set := proxy.SetConfig{Name: name}
	for i, p := range list {
		at := problem.At(path, i)
		set.Pathways = append(set.Pathways, b.pathway(at, &p))
		if p.Probe != nil {
			b.probe(at+".probe", name, &p)
		}
	}
	b.cfg.Proxy.Sets = append(b.cfg.Proxy.Sets, set)
}

func (b *builder) pathway(path string, p *Pathway) proxy.PathwayConfig {
	c := proxy.PathwayConfig{
		ID: p.ID, Base: p.Base, PlainBase: p.PlainBase, Weight: p.Weight, Capacity: p.Capacity, Commit: p.Commit,
		Only: b.matches(path+".only", p.Only), Never: b.matches(path+".never", p.Never), Prefer: b.matches(path+".prefer", p.Prefer),
	}
	if h, fixed := healths[p.Health]; fixed {
		c.Health = &h
		if p.Probe != nil {
			b.problems.AddHint(path+".health", "take one of them out, or write health: auto", "the health is fixed, and a probe would find it")
		}
	}
	if p.Base == "" {
		b.problems.AddHint(path, "write it as base: https://cdn.example", "the pathway has no base URL")
	}
	t := p.Token
	if t == nil {
		return c
	}
	path += ".token"
	c.Token = &token.Config{
		Format: t.Format, Keys: refs(t.Keys), Salt: string(t.Salt), Name: t.Name, Hash: t.Hash,
		Lifetime: t.Lifetime, Bucket: t.Bucket, Max: t.Max,
	}
	if t.HLS != "auto" {
		c.Token.HLS = t.HLS
	}
	if t.Family != "any" {
		c.Token.Family = t.Family
	}
	before := len(b.problems)
	secrets := token.Secrets{Salt: b.secret(path+".salt", t.Salt)}
	for i, ref := range t.Keys {
		secrets.Keys = append(secrets.Keys, b.secret(problem.At(path+".keys", i), ref))
	}
	if len(b.problems) > before || len(c.Token.Validate()) > 0 || slices.Contains(t.Keys, "") {
		return c // told, or validateProxy tells it
	}
	if _, err := token.New(*c.Token, "https://cdn.example/", secrets); err != nil {
		b.problems.Add(path+".keys", "%s", strings.TrimPrefix(err.Error(), "cannot make the token minter of https://cdn.example/: "))
	}
	return c
}

// healths are the states that a file may fix.
var healths = map[string]steering.Health{"healthy": steering.Healthy, "degraded": steering.Degraded, "down": steering.Down}

func (b *builder) matches(path string, list []Where) (out []proxy.MatchConfig) {
	for i := range list {
		out = append(out, b.match(problem.At(path, i), &list[i]))
	}
	return out
}

// match puts the countries of regions in their place. What cannot be read is
// told where it stands, and left out.
func (b *builder) match(path string, w *Where) proxy.MatchConfig {
	m := proxy.MatchConfig{Countries: b.countries(path+".countries", w.Countries)}
	for i, text := range w.Addresses {
		if _, err := steering.NewMatch(nil, nil, []string{text}); err != nil {
			b.problems.Add(problem.At(path+".addresses", i), "%v", err)
			continue
		}
		m.Addresses = append(m.Addresses, text)
	}
	for i, name := range w.Regions {
		countries, ok := b.file.Regions[name]
		if !ok {
			hint := didYouMean(name, sortedKeys(b.file.Regions))
			if hint == "" {
				hint = "list its countries under regions at the top of the file"
			}
			b.problems.AddHint(problem.At(path+".regions", i), hint, "there is no region %q", clip(name))
		}
		for _, text := range countries {
			if _, ok := steering.CountryOf(text); ok { // else regions tells it
				m.Countries = append(m.Countries, text)
			}
		}
	}
	for _, n := range w.ASNs {
		m.ASNs = append(m.ASNs, uint32(n))
	}
	return m
}

// regions checks the named groups of countries.
func (b *builder) regions() {
	for _, name := range sortedKeys(b.file.Regions) {
		path := "regions." + name
		if !setForm.MatchString(name) {
			b.problems.AddHint(path, "use letters, digits, dot, underscore and hyphen", "%q cannot be the name of a region", clip(name))
		}
		if len(b.file.Regions[name]) == 0 {
			b.problems.AddHint(path, "write it like [DE, AT, CH]", "the region has no countries")
		}
		b.countries(path, b.file.Regions[name])
	}
}

// countries tells which of a list are none, and gives the others.
func (b *builder) countries(path string, list []string) (good []string) {
	for i, text := range list {
		if _, ok := steering.CountryOf(text); !ok {
			b.problems.Add(problem.At(path, i), "%q is not a country: write two letters of ISO 3166-1, like DE", clip(text))
			continue
		}
		good = append(good, text)
	}
	return good
}

func (b *builder) probe(path, set string, p *Pathway) {
	t := probe.Target{
		Set: set, ID: p.ID, URL: p.Probe.URL, Every: p.Probe.Every, Timeout: p.Probe.Timeout,
		DownIn: p.Probe.DownIn, UpIn: p.Probe.UpIn, Slow: p.Probe.Slow, CoolDown: p.Probe.CoolDown,
	}
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		b.problems.AddHint(path+".url", "write it like https://cdn.example/health", "%q is not an absolute http or https URL", clip(t.URL))
		return
	}
	b.reachable(path+".url", u)
	b.cfg.Probes = append(b.cfg.Probes, t)
}

func (b *builder) channel(i int) {
	ch, path := &b.file.Channels[i], problem.At("channels", i)
	if ch.Name == "" {
		b.problems.AddHint(path, "write name: news", "the channel has no name")
	}
	c := proxy.ChannelConfig{
		Name: ch.Name, Hosts: ch.Match.Hosts, Prefix: strings.TrimSuffix(ch.Match.Prefix, "/"), Set: ch.Pathways.Set,
		Steering: ch.Steering.Enabled, TTL: ch.Steering.TTL, Dwell: ch.Steering.Dwell,
		Origin: b.origin(path+".origin", ch),
		Access: b.access(path+".access", ch),
	}
	if len(ch.Pathways.List) > 0 {
		c.Set = ch.Name
	}
	c.DefaultTier = ch.DefaultTier
	for _, t := range ch.Tiers {
		c.Tiers = append(c.Tiers, proxy.TierConfig{Name: t.Name, Filter: t.filter()})
	}
	for j, k := range ch.Cohorts {
		where := Where{Countries: k.Countries, Regions: k.Regions, ASNs: k.ASNs, Addresses: k.Addresses}
		c.Cohorts = append(c.Cohorts, proxy.CohortConfig{
			Name: k.Name, MatchConfig: b.match(problem.At(path+".cohorts", j), &where),
			Devices: k.Devices, Tiers: k.Tiers, Tier: k.Tier,
		})
	}
	c.OriginSteering = map[string]proxy.OriginSteering{"keep": proxy.OriginSteeringKept, "remove": proxy.OriginSteeringRemoved}[ch.Steering.Origin]
	c.NoSessions = ch.Sessions == "none"
	switch ch.Segments {
	case "proxy":
		c.Segments = manifest.SegmentsProxy
	case "redirect":
		c.Segments = manifest.SegmentsRedirect
	}
	b.cfg.Proxy.Channels = append(b.cfg.Proxy.Channels, c)
}

// filter is the tier as manifests are filtered by it.
func (t *Tier) filter() manifest.Filter {
	return manifest.Filter{
		MinLines: t.MinHeight, MaxLines: t.MaxHeight, MinBitrate: t.MinBitrate, MaxBitrate: t.MaxBitrate,
		MaxFrameRate: t.MaxFrameRate, Codecs: t.Codecs, SDROnly: !t.HDR, Languages: t.Languages, Subtitles: t.Subtitles,
		Order:        map[string]manifest.Order{"ascending": manifest.Ascending, "descending": manifest.Descending}[t.Order],
		StartBitrate: t.StartBitrate,
	}
}

func (b *builder) origin(path string, ch *Channel) origin.GroupConfig {
	o := &ch.Origin
	g := origin.GroupConfig{
		Name: or(ch.Name, "unnamed"), Query: o.Query, Headers: o.Headers, Keep: o.Keep, AllowPrivate: b.cfg.AllowPrivate,
		Deadlines: origin.Deadlines(o.Deadlines), Policy: origin.Policy(o.Policy),
		Limits: origin.Limits{
			Manifest: int64(o.Limits.Manifest), Segment: int64(o.Limits.Segment),
			Decoded: int64(o.Limits.Decoded), Ratio: int64(o.Limits.Ratio),
		},
	}
	for i, u := range o.URLs {
		at := problem.At(path+".urls", i)
		c := origin.OriginConfig{URL: u.URL, Host: u.Host}
		for j, f := range u.Fields {
			where := problem.At(at+".fields", j)
			if (f.Value == "") == (f.Secret == "") {
				b.problems.AddHint(where, "give it a value, or a reference as secret", "the field %q needs either a value or a secret", clip(f.Name))
			}
			c.Fields = append(c.Fields, exchange.Field{Name: f.Name, Value: f.Value + string(b.secret(where+".secret", f.Secret))})
		}
		if parsed, err := url.Parse(u.URL); err == nil {
			b.reachable(at+".url", parsed)
		}
		g.Origins = append(g.Origins, c)
	}
	return g
}

// reachable tells of a URL that the dialler would refuse every time: an
// address that is neither public nor listed.
func (b *builder) reachable(path string, u *url.URL) {
	host := u.Hostname()
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	if err != nil || dial.Public(a) {
		return
	}
	a = a.Unmap()
	if slices.ContainsFunc(b.cfg.AllowPrivate, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return
	}
	b.problems.AddHint(path, fmt.Sprintf("if it is meant, list it: shield: {allow_private: [%q]}", netip.PrefixFrom(a, a.BitLen())),
		"%s is not a public address and is not called", u.Host)
}

func (b *builder) access(path string, ch *Channel) access.Config {
	a := &ch.Access
	c := access.Config{
		Token: a.Token, Carriers: a.Carriers, QueryName: a.QueryName, CookieName: a.CookieName,
		AllowNoExpiry: a.AllowNoExpiry, Leeway: a.Leeway, MaxToken: int(a.MaxToken), Cached: a.Cached,
		Session: a.Session, SessionBucket: a.SessionBucket, UnboundCDN: a.UnboundCDN,
	}
	for i, is := range a.Issuers {
		issuer := access.Issuer{Name: is.Name, Audience: is.Audience}
		for j, k := range is.Keys {
			issuer.Keys = append(issuer.Keys, access.Key{ID: k.ID, Algorithm: k.Algorithm, Key: string(k.Key)})
			b.viewerKey(problem.At(problem.At(path+".issuers", i)+".keys", j)+".key", &k)
		}
		c.Issuers = append(c.Issuers, issuer)
	}
	return c
}

// viewerKey reads a key that viewers' tokens are verified with, and tries it.
func (b *builder) viewerKey(path string, k *Key) {
	tried := Key{Algorithm: k.Algorithm, Key: k.Key}
	if k.Key == "" || k.Algorithm == "" || b.viewerKeys[tried] {
		return // told by validateProxy, or tried before
	}
	_, err := access.New(access.Config{
		Token: "jwt", Cached: 1, Issuers: []access.Issuer{{Keys: []access.Key{{ID: k.ID, Algorithm: k.Algorithm, Key: string(k.Key)}}}},
	}, access.Channel{}, b.secrets, nil)
	if err == nil {
		b.viewerKeys[tried] = true
		return
	}
	for cause := errors.Unwrap(err); cause != nil && accessPrefix.MatchString(err.Error()); cause = errors.Unwrap(err) {
		err = cause
	}
	b.problems.Add(path, "%v", err)
}

// accessPrefix is what access says of where an error is, which the path says
// as well.
var accessPrefix = regexp.MustCompile(`^cannot (make the access policy|load key ")`)

// routes tells of channels that want the same requests.
func (b *builder) routes() {
	var table route.Table[int]
	for i, c := range b.cfg.Proxy.Channels {
		at := problem.At("channels", i) + ".match.prefix"
		hosts := c.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, h := range hosts {
			if err := table.Add(h, c.Prefix, i); err != nil && c.Name != "" {
				b.problems.Add(at, "%v", err)
				break
			}
		}
	}
}

// validateProxy adds what the packages find, at the places of the file: a set
// that is a channel's own stands in the channel.
func (b *builder) validateProxy() {
	told := map[string]bool{} // of a place is enough
	for _, p := range b.problems {
		told[p.Path] = true
	}
	for _, p := range b.cfg.Proxy.Validate() {
		if p.Path == "sessions.keys" {
			continue // told, or made by keepSessions
		}
		if rest, ok := strings.CutPrefix(p.Path, "pathways."); ok {
			name, at, _ := strings.Cut(rest, "[")
			if i, own := b.sets[name]; own && b.file.Pathways[name] == nil {
				p.Path = problem.At("channels", i) + ".pathways.list"
				if at != "" {
					p.Path += "[" + at
				}
			}
		}
		if strings.HasSuffix(p.Path, ".pathways") {
			p = b.noSet(p)
		}
		if !told[p.Path] && !told[parent(p.Path)] {
			b.problems = append(b.problems, p)
		}
	}
}

// noSet says which set was meant by a channel.
func (b *builder) noSet(p problem.Problem) problem.Problem {
	var i int
	if n, _ := fmt.Sscanf(p.Path, "channels[%d]", &i); n == 1 && p.Hint == "" {
		set := b.file.Channels[i].Pathways.Set
		switch names := sortedKeys(b.file.Pathways); {
		case strings.Contains(set, "://"):
			p.Hint = fmt.Sprintf("for a CDN's URL write a list: pathways: [%q]", set)
		case didYouMean(set, names) != "":
			p.Hint = didYouMean(set, names)
		case len(names) == 0:
			p.Hint = "make it under pathways at the top of the file, or list the CDNs here"
		default:
			p.Hint = "there are " + clip(listed(names))
		}
	}
	return p
}

func refs(list []Ref) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = string(r)
	}
	return out
}

// setForm is what a set may be called: its name stands in the admin API's paths.
var setForm = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
