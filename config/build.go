package config

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"manifold/device"
	"manifold/geo"
	"manifold/inspect"
	"manifold/internal/file"
	"manifold/internal/problem"
	"manifold/origin"
	"manifold/origin/ingest"
	"manifold/proxy"
	"manifold/proxy/listen"
	"manifold/session"
	"manifold/steering/probe"
	"manifold/transcoder"
)

// Config is a whole program's configuration, each part as its package wants
// it.
type Config struct {
	// File is what was read, with the defaults and all that was left to be
	// derived in it.
	File *File
	// Files are all files that were read: the configuration, keys,
	// certificates. When one changes, a reload may change something.
	Files []string
	// Sum is the SHA-256 of the configuration's own text.
	Sum [32]byte
	// Warnings are what may be meant so but seldom is.
	Warnings []Located

	Log    Log
	Listen listen.Config
	// Certificates are those of Listen; nil where there are none. SelfMade
	// says where the edge's own is, if it has one.
	Certificates *listen.CertStore
	SelfMade     SelfMade
	Admin        AdminConfig
	Shield       origin.Config
	Proxy        proxy.Config
	Probes       []probe.Target
	Shadow       inspect.ShadowConfig
	// Geo are the files of geo databases.
	Geo []string
	// AllowPrivate lists the address blocks that origins and probes may be in
	// although they are not public.
	AllowPrivate []netip.Prefix

	OriginServer OriginServerConfig
	Transcoder   TranscoderConfig
}

// AdminConfig is the admin listener's, with its token read.
type AdminConfig struct {
	Address string
	Token   string
	Hosts   []string
}

// OriginServerConfig is the content server and where it listens.
type OriginServerConfig struct {
	Listen listen.Config
	ingest.Config
}

// TranscoderConfig is a job and where its output goes.
type TranscoderConfig struct {
	To, Token string
	transcoder.Config
}

// builder makes a Config of a File.
type builder struct {
	file     *File
	dir      string
	lookup   func(string) (string, bool)
	cfg      *Config
	problems problem.List
	warnings problem.List
	files    []string
	secrets  *secrets
	// sets are the channels whose own pathways are a set, by its name.
	sets map[string]int
	// viewerKeys are those that were tried and work.
	viewerKeys map[Key]bool
	// checked are the geo databases that were read and are good.
	checked map[string]Stamp
}

func (b *builder) build(parts Part) {
	b.secrets = newSecrets(b.dir, b.lookup)
	b.viewerKeys = map[Key]bool{}
	b.cfg.Log = b.file.Log
	if parts&Edge != 0 {
		b.edge()
	}
	if parts&OriginPart != 0 {
		b.originServer()
	}
	if parts&TranscoderPart != 0 {
		b.transcoder()
	}
	b.files = append(b.files, b.secrets.files...)
	slices.Sort(b.files)
	b.files = slices.Compact(b.files)
}

func (b *builder) edge() {
	f, c := b.file, b.cfg
	b.listen()
	b.admin()
	b.shield()
	b.shadow()
	c.Proxy.Keys = b.secrets
	b.changed()
	c.Proxy.Explain = b.strong("admin.explain", b.secret("admin.explain", f.Admin.Explain))
	b.geo()
	c.Proxy.Sessions = b.sessions()
	b.regions()
	b.devices()
	b.pathwaySets()
	for i := range f.Channels {
		b.channel(i)
	}
	if len(f.Channels) == 0 {
		b.warnings.AddHint("channels", "list at least one under channels", "there are no channels: every request is answered by 404")
	}
	b.routes()
	b.validateProxy()
}

// path makes a path of the file absolute or relative to where the program
// runs.
func (b *builder) path(p Path) string {
	if p == "" || filepath.IsAbs(string(p)) {
		return string(p)
	}
	return filepath.Join(b.dir, string(p))
}

func (b *builder) listen() {
	f := &b.file.Listen
	d, m := &f.Deadlines, &f.Limits
	b.cfg.Listen = listen.Config{
		Plain: f.Plain, TLS: f.TLS, HTTP3: f.HTTP3, EarlyData: f.EarlyData,
		AltSvcPort: f.AltSvcPort, AltSvcMaxAge: f.AltSvcMaxAge,
		MaxHeaderBytes: int(m.Header), MaxHeaderFields: m.HeaderFields, MaxRequestBody: int64(m.RequestBody),
		MaxConnections: m.Connections, MaxConnectionsPerAddress: m.ConnectionsPerAddress, MaxStreams: m.Streams,
		MaxWaiting: m.Waiting, MaxWaitingPerAddress: m.WaitingPerAddress, RetryAbove: m.RetryAbove,
		HandshakeTimeout: d.Handshake, HeaderTimeout: d.Header, BodyTimeout: d.Body, RequestTimeout: d.Request,
		WriteTimeout: d.Write, IdleTimeout: d.Idle, DrainGrace: d.Drain,
	}
	b.cfg.SelfMade = SelfMade{Path(b.path(f.SelfMade.Folder)), f.SelfMade.Names}
	var files []listen.CertFile
	for i, cert := range f.Certificates {
		file := listen.CertFile{Cert: b.path(cert.Cert), Key: b.path(cert.Key)}
		if cert.Key == "" {
			file.Key = file.Cert
		}
		at := problem.At("listen.certificates", i)
		if cert.Cert == "" {
			b.problems.AddHint(at, "name the PEM file with the chain as cert", "there is no certificate")
			continue
		}
		if _, err := listen.NewCertStore(file); err != nil {
			b.problems.Add(at, "%v", err)
			continue
		}
		files = append(files, file)
		b.files = append(b.files, file.Cert, file.Key)
	}
	if len(files) > 0 {
		b.cfg.Certificates, _ = listen.NewCertStore(files...) // each was read a moment ago
	}
	if len(f.TLS) > 0 && len(f.Certificates) == 0 && f.SelfMade.Folder == "" {
		b.problems.AddHint("listen.tls", "list one under listen.certificates, or name a folder under listen.self_made for one that the edge makes itself", "TLS needs a certificate")
	}
	check := b.cfg.Listen
	check.TLS, check.HTTP3 = nil, false // but for the addresses nothing depends on them
	if check.Plain = append(slices.Clone(f.Plain), f.TLS...); len(check.Plain) == 0 {
		check.Plain = []string{":0"}
		b.warnings.Add("listen", "there is no address: only sockets that are handed over are served")
	}
	for _, p := range check.Validate() {
		var i int
		if n, _ := fmt.Sscanf(p.Path, "plain[%d]", &i); n == 1 && i >= len(f.Plain) {
			p.Path = problem.At("tls", i-len(f.Plain))
		}
		b.problems.Under("listen", problem.List{p})
	}
}

func (b *builder) admin() {
	f := &b.file.Admin
	b.cfg.Admin = AdminConfig{Address: f.Address, Token: string(b.strong("admin.token", b.secret("admin.token", f.Token))), Hosts: f.Hosts}
	check := listen.Config{Plain: []string{f.Address}}
	for _, p := range check.Validate() {
		p.Path = "admin.address"
		b.problems = append(b.problems, p)
	}
	if !loopback(f.Address) && f.Token == "" {
		b.warnings.AddHint("admin.address", "listen on 127.0.0.1, or guard the port", "whoever reaches %s can read the state of this edge", f.Address)
	}
}

// changed reads when the configuration was made, where the file says so.
func (b *builder) changed() {
	text := b.file.Changed
	if text == "" {
		return
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		b.problems.AddHint("changed", "write it like 2026-11-23T18:30:00Z", "%q is not a time", clip(text))
		return
	}
	b.cfg.Proxy.Since = at
}

// minToken is the least length in characters of what opens the admin side.
const minToken = 16

// strong tells of a token that could be guessed.
func (b *builder) strong(path string, token []byte) []byte {
	if token != nil && len(token) < minToken {
		b.problems.AddHint(path, "openssl rand -hex 16 makes one", "it has %d characters, at least %d are needed", len(token), minToken)
	}
	return token
}

// geo checks the databases. One that was checked before is not read again.
func (b *builder) geo() {
	for i, name := range b.file.Geo.Databases {
		file := b.path(name)
		b.cfg.Geo = append(b.cfg.Geo, file)
		b.files = append(b.files, file)
		stamp := StampOf(file)
		if stamp == b.checked[file] && stamp != (Stamp{}) {
			continue
		}
		if err := new(geo.Locator).Load(file); err != nil {
			b.problems.Add(problem.At("geo.databases", i), "%v", err)
			continue
		}
		b.checked[file] = stamp
	}
}

// Stamp tells two states of a file apart without reading it; the zero Stamp is
// that of no file.
type Stamp struct {
	size, nanos int64
}

// Size is the file's size in bytes.
func (s Stamp) Size() int64 { return s.size }

// String is another text for each other stamp.
func (s Stamp) String() string { return fmt.Sprint(s.size, s.nanos) }

// StampOf looks at a file.
func StampOf(name string) Stamp {
	info, err := os.Stat(name)
	if err != nil {
		return Stamp{}
	}
	return Stamp{info.Size(), info.ModTime().UnixNano()}
}

func (b *builder) shield() {
	f := &b.file.Shield
	b.cfg.Shield = origin.Config{
		Name: f.Name, LiveBytes: int64(f.Live), RecentBytes: int64(f.Recent), LibraryBytes: int64(f.Library),
		FillingBytes: int64(f.Filling), ConnsPerHost: f.ConnectionsPerHost,
	}
	for i, text := range f.AllowPrivate {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			if a, aerr := netip.ParseAddr(text); aerr == nil {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
		}
		if err != nil {
			b.problems.AddHint(problem.At("shield.allow_private", i), `write it like 10.1.0.0/16 or "fd00::/8"`, "%q is not an address block", clip(text))
			continue
		}
		b.cfg.AllowPrivate = append(b.cfg.AllowPrivate, p.Masked())
	}
	if len(f.RootCAs) > 0 {
		b.cfg.Shield.RootCAs = b.rootCAs(f.RootCAs)
	}
	b.problems.Under("shield", b.cfg.Shield.Validate())
}

func (b *builder) shadow() {
	f := &b.file.Shadow
	b.cfg.Shadow = inspect.ShadowConfig{
		Every: f.Every, PerSecond: f.PerSecond, Queue: f.Queue, QueueBytes: int64(f.Waiting),
		Folder: b.path(f.Folder), Cases: f.Cases, CaseBytes: int64(f.Kept),
	}
}

// maxAuthorities bounds a file of them, in bytes: a system's whole bundle is a
// quarter of a megabyte.
const maxAuthorities = 16 << 20

// rootCAs adds the operator's authorities to the system's.
func (b *builder) rootCAs(files []Path) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for i, name := range files {
		at := problem.At("shield.root_cas", i)
		data, err := file.Read(b.path(name), maxAuthorities)
		switch {
		case err != nil:
			b.problems.Add(at, "cannot read the authority: %v", err)
		case !pool.AppendCertsFromPEM(data):
			b.problems.AddHint(at, "the file should begin with -----BEGIN CERTIFICATE-----", "%s holds no certificate in PEM", b.path(name))
		}
	}
	return pool
}

// sessions reads the session keys; nil where the file names none.
func (b *builder) sessions() *session.Keys {
	s := &b.file.Sessions
	if len(s.Keys) == 0 {
		if s.HashKey != "" {
			b.problems.AddHint("sessions.hash_key", "list a key under sessions.keys too", "there is a key to hash with but none to sign with")
			return nil
		}
		b.warnings.AddHint("sessions.keys", "list one, the same on all edges: head -c 32 /dev/urandom >session.key",
			"there is no session key: one is made at each start, so that sessions end with it and hold at this edge alone")
		return nil
	}
	var all session.Secrets
	before := len(b.problems)
	for i, ref := range s.Keys {
		at := problem.At("sessions.keys", i)
		all.Sign = append(all.Sign, b.long(at, b.secret(at, ref)))
	}
	all.Hash = b.long("sessions.hash_key", b.secret("sessions.hash_key", s.HashKey))
	if len(b.problems) > before || slices.Contains(s.Keys, "") { // the second is told
		return nil
	}
	k, err := session.NewKeys(all)
	if err != nil {
		b.problems.Add("sessions.keys", "%v", err)
	}
	return k
}

// long tells of a session secret that is too short.
func (b *builder) long(path string, secret []byte) []byte {
	if secret != nil && len(secret) < session.MinSecret {
		b.problems.AddHint(path, "make one with: head -c 32 /dev/urandom >session.key",
			"the key has %d bytes, at least %d are needed", len(secret), session.MinSecret)
	}
	return secret
}

func (b *builder) devices() {
	for i, d := range b.file.Devices {
		var p device.Profile
		for _, s := range device.Shipped() {
			if s.Name == d.Name {
				p = s // for what the file has no keys for
			}
		}
		p.Name, p.UserAgents, p.RedundantVariants, p.BaseURLs = d.Name, d.UserAgents, d.RedundantVariants, d.BaseURLs
		p.Location, p.Redirects, p.Gzip, p.Evict = d.Location, d.Redirects, d.Gzip, d.Evict
		p.PlainBaseURL = d.PlainBaseURL
		p.MaxHeight, p.Codecs, p.SDROnly = d.MaxHeight, d.Codecs, !d.HDR
		p.Steering = 0
		if slices.Contains(d.Steering, "hls") {
			p.Steering |= device.SteersHLS
		}
		if slices.Contains(d.Steering, "dash") {
			p.Steering |= device.SteersDASH
		}
		list := append(slices.Clip(b.cfg.Proxy.Devices), p)
		if _, err := device.NewTable(list); err != nil {
			b.problems.Add(problem.At("devices", i)+".name", "%v", err)
			if len(list) > 255 {
				return
			}
			continue
		}
		b.cfg.Proxy.Devices = list
	}
}
