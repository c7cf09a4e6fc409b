package config

import (
	"slices"
	"time"

	"manifold/device"
	"manifold/inspect"
	"manifold/origin"
	"manifold/origin/ingest"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/proxy/listen"
	"manifold/steering/probe"
	"manifold/transcoder"
)

// Default is the configuration before a file is read: what every key means
// when it is not there. The numbers are the packages' own.
func Default() *File {
	l, s, again := listen.Config{}.WithDefaults(), origin.Config{}.WithDefaults(), inspect.ShadowConfig{}.WithDefaults()
	return &File{
		Log: Log{Level: "info", Format: "json"},
		Listen: Listen{
			Plain: []string{":8080"}, HTTP3: true, SelfMade: SelfMade{Names: slices.Clone(listen.LocalNames)},
			AltSvcMaxAge: l.AltSvcMaxAge,
			Limits: ListenLimits{
				Header: Size(l.MaxHeaderBytes), HeaderFields: l.MaxHeaderFields, RequestBody: Size(l.MaxRequestBody),
				ConnectionsPerAddress: l.MaxConnectionsPerAddress, Streams: l.MaxStreams,
				Waiting: l.MaxWaiting, WaitingPerAddress: l.MaxWaitingPerAddress, RetryAbove: l.RetryAbove,
			},
			Deadlines: ListenDeadlines{
				Handshake: l.HandshakeTimeout, Header: l.HeaderTimeout, Body: l.BodyTimeout, Request: l.RequestTimeout,
				Write: l.WriteTimeout, Idle: l.IdleTimeout, Drain: l.DrainGrace,
			},
		},
		Admin: Admin{Address: "127.0.0.1:9090"},
		Shield: Shield{
			Name: s.Name, Live: Size(s.LiveBytes), Recent: Size(s.RecentBytes), Library: Size(s.LibraryBytes),
			Filling: Size(s.FillingBytes), ConnectionsPerHost: s.ConnsPerHost,
		},
		Shadow: Shadow{
			Every: again.Every, PerSecond: again.PerSecond, Queue: again.Queue, Waiting: Size(again.QueueBytes),
			Cases: again.Cases, Kept: Size(again.CaseBytes),
		},
		OriginServer: defaultOriginServer(),
		Transcoder:   defaultTranscoder(),
	}
}

func defaultOriginServer() OriginServer {
	c := ingest.Config{}.WithDefaults()
	return OriginServer{
		Listen: []string{"127.0.0.1:9100"}, Directory: "content", MemoryLimit: Size(c.MemoryLimit),
		MaxObject: Size(c.MaxObject), TimeName: c.TimeName,
	}
}

func defaultTranscoder() Transcoder {
	c := transcoder.Config{}.WithDefaults()
	return Transcoder{
		To: "http://127.0.0.1:9100/", FFmpeg: c.FFmpeg, Ladder: Ladder{Name: "demo"}, Segment: c.Segment,
		Time: "time", RestartDelay: c.RestartDelay,
	}
}

// The elements of lists have defaults too. name is the element's key of that
// name, where it has one: a device of a shipped name begins as the shipped one.

func (d *Device) defaults(name string) {
	d.HDR = true
	for _, p := range device.Shipped() {
		if p.Name == name {
			*d = deviceOf(p)
		}
	}
}

func deviceOf(p device.Profile) Device {
	d := Device{
		Name: p.Name, UserAgents: p.UserAgents, RedundantVariants: p.RedundantVariants, BaseURLs: p.BaseURLs,
		PlainBaseURL: p.PlainBaseURL, Location: p.Location, Redirects: p.Redirects, Gzip: p.Gzip, Evict: p.Evict,
		MaxHeight: p.MaxHeight, Codecs: p.Codecs, HDR: !p.SDROnly,
	}
	if p.Steering&device.SteersHLS != 0 {
		d.Steering = append(d.Steering, "hls")
	}
	if p.Steering&device.SteersDASH != 0 {
		d.Steering = append(d.Steering, "dash")
	}
	return d
}

// defaultTTL is proxy.ChannelConfig's.
const defaultTTL = 20 * time.Second

func (c *Channel) defaults(string) {
	g, a := origin.GroupConfig{}.WithDefaults(), access.Config{}.WithDefaults()
	*c = Channel{
		Segments: "direct",
		Sessions: "signed",
		Steering: Steering{Enabled: true, TTL: defaultTTL, Origin: "replace"},
		Origin: Origin{
			Deadlines: OriginDeadlines(g.Deadlines),
			Limits: OriginLimits{
				Manifest: Size(g.Limits.Manifest), Segment: Size(g.Limits.Segment),
				Decoded: Size(g.Limits.Decoded), Ratio: int(g.Limits.Ratio),
			},
			Policy: OriginPolicy(g.Policy),
		},
		Access: Access{
			Token: a.Token, Carriers: a.Carriers, QueryName: a.QueryName, CookieName: a.CookieName, Leeway: a.Leeway,
			MaxToken: Size(a.MaxToken), Cached: a.Cached, Session: a.Session, SessionBucket: a.SessionBucket,
		},
	}
}

func (t *Tier) defaults(string) { *t = Tier{HDR: true, Order: "listed"} }

func (p *Pathway) defaults(string) { p.Weight, p.Health = 1, "auto" }

func (t *Token) defaults(string) {
	c := token.Config{}.WithDefaults()
	*t = Token{HLS: "auto", Hash: "hmac", Lifetime: c.Lifetime, Bucket: c.Bucket, Family: "any"}
}

func (p *Probe) defaults(string) {
	t := probe.Target{}.WithDefaults()
	*p = Probe{Every: t.Every, Timeout: t.Timeout, DownIn: t.DownIn, UpIn: t.UpIn, Slow: t.Slow, CoolDown: t.CoolDown}
}
