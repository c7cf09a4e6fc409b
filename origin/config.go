package origin

import (
	"crypto/x509"
	"net"
	"time"

	"manifold/internal/problem"
)

// Config is what a shield is made of. The zero value is usable.
type Config struct {
	// Name is how the shield calls itself in Cache-Status, Proxy-Status, Via
	// and User-Agent: a token. "" means "manifold".
	Name string
	// LiveBytes bounds what L0 holds for live manifests and live windows, in
	// bytes; 0 means 256 MiB. What does not fit is kept like the rest, and
	// counted (see StoreCounters.LiveRefused).
	LiveBytes int64
	// RecentBytes bounds the queue of L0 through which everything else
	// passes, in bytes; 0 means 64 MiB.
	RecentBytes int64
	// LibraryBytes bounds L1 (VOD and DVR), in bytes; 0 means 512 MiB, below 0
	// means no L1.
	LibraryBytes int64
	// FillingBytes bounds the memory of all fills under way, in bytes; 0 means
	// 512 MiB. A fill that would pass it fails with reason Overload.
	FillingBytes int64
	// ConnsPerHost bounds the connections to one origin host; 0 means 512.
	// Requests beyond it wait, within their first-byte deadline.
	ConnsPerHost int
	// RootCAs verifies origins' certificates; nil means the system's.
	RootCAs *x509.CertPool
	// Resolver looks origins up; nil means the system's.
	Resolver *net.Resolver
}

// WithDefaults gives the configuration in force: what each zero value means is
// in its place.
func (c Config) WithDefaults() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	c.Name = or(c.Name, "manifold")
	c.LiveBytes = or(c.LiveBytes, 256<<20)
	c.RecentBytes = or(c.RecentBytes, 64<<20)
	c.LibraryBytes = or(c.LibraryBytes, 512<<20)
	c.FillingBytes = or(c.FillingBytes, 512<<20)
	c.ConnsPerHost = or(c.ConnsPerHost, 512)
	return c
}

// Validate lists everything that is wrong with c.
func (c Config) Validate() (l problem.List) {
	if !isToken(or(c.Name, "manifold")) {
		l.AddHint("name", "use letters, digits and -", "%q is not a token", c.Name)
	}
	for _, f := range []struct {
		path string
		v    int64
	}{{"live", c.LiveBytes}, {"recent", c.RecentBytes}, {"filling", c.FillingBytes}, {"connections_per_host", int64(c.ConnsPerHost)}} {
		if f.v < 0 {
			l.Add(f.path, "%d is negative", f.v)
		}
	}
	return l
}

// Deadlines bound one exchange with an origin.
type Deadlines struct {
	// Connect bounds name resolution, TCP and TLS together; 0 means 3 s. It
	// is part of FirstByte.
	Connect time.Duration
	// FirstByte bounds the time until the response's header is there; 0 means
	// 5 s.
	FirstByte time.Duration
	// Idle bounds the time between two reads of the body; 0 means 5 s.
	Idle time.Duration
	// Manifest bounds a manifest's exchange as a whole; 0 means 10 s. Segments
	// have no such bound: low-latency chunks trickle for a whole segment.
	Manifest time.Duration
	// Patience is how long a request waits for a slow origin while there is a
	// stale manifest or segment it may have; 0 means 1 s. When one has waited
	// so long, those who come while the origin still does not answer do not.
	Patience time.Duration
	// Hedge is after how long without an answer a manifest is asked for at a
	// second origin of the group as well; 0 means never.
	Hedge time.Duration
}

func (d Deadlines) withDefaults() Deadlines {
	d.Connect = or(d.Connect, 3*time.Second)
	d.FirstByte = or(d.FirstByte, 5*time.Second)
	d.Idle = or(d.Idle, 5*time.Second)
	d.Manifest = or(d.Manifest, 10*time.Second)
	d.Patience = or(d.Patience, time.Second)
	return d
}

// Limits bound what an origin may send.
type Limits struct {
	// Manifest bounds a manifest as it comes, in bytes; 0 means 2 MiB.
	Manifest int64
	// Segment bounds a segment, in bytes; 0 means 64 MiB.
	Segment int64
	// Decoded bounds a body after decompression, in bytes; 0 means 8 MiB.
	Decoded int64
	// Ratio bounds decoded over encoded size; 0 means 100. Bodies that decode
	// to less than 64 KiB are not held to it.
	Ratio int64
}

func (l Limits) withDefaults() Limits {
	l.Manifest = or(l.Manifest, 2<<20)
	l.Segment = or(l.Segment, 64<<20)
	l.Decoded = or(l.Decoded, 8<<20)
	l.Ratio = or(l.Ratio, 100)
	return l
}

// Policy says what holds where an origin's header does not, and how stale an
// answer may be. A header's own word (max-age, stale-while-revalidate,
// stale-if-error) goes before it, except for Override. In the Stale fields 0
// means the default and below 0 means never.
type Policy struct {
	// ManifestTTL is the freshness of a manifest without any of its own,
	// until it has been observed (see Compiled): 0 means 1 s. Observed live it
	// is half the target duration.
	ManifestTTL time.Duration
	// LibraryTTL is the same for a manifest observed not to be live and for a
	// segment of no live window; 0 means 1 min. A Last-Modified may make it
	// longer (RFC 9111, section 4.2.2: a tenth of the age, at most a day).
	LibraryTTL time.Duration
	// Override is the freshness of every manifest, whatever the origin says,
	// no-store and private included; 0 means that the origin is obeyed. It is
	// for packagers that forbid caching by default.
	Override time.Duration
	// LiveMax bounds the freshness of a live manifest, whatever the origin
	// says; 0 means its target duration.
	LiveMax time.Duration
	// StaleWhileRevalidate is for how long a stale manifest is served while a
	// newer one is fetched. 0 means 1 min, and for live manifests until they
	// are half a target duration old, which most are when they stop being
	// fresh: a player then waits for the origin and is given the newest. More
	// than one target duration is never granted to these.
	StaleWhileRevalidate time.Duration
	// StaleIfError is for how long a stale manifest is served while every
	// origin fails; 0 means 5 min.
	StaleIfError time.Duration
	// SequenceGuard is for how long a live playlist whose media sequence number
	// went back is not believed, while the one before may be served as a stale
	// one may; 0 means three target durations, as long as players' buffers
	// last; below 0 never.
	SequenceGuard time.Duration
	// SegmentStale is for how long a stale segment is served, at once and when
	// origins fail; 0 means 24 h, which is as long as it is held.
	SegmentStale time.Duration
	// NotFound is for how long a 404 or 425 is remembered; 0 means 1 s, below
	// 0 means not at all. In a live folder it is never more than 1 s.
	NotFound time.Duration
	// Gone is for how long a 410 is remembered; 0 means 10 min.
	Gone time.Duration
	// Strict makes s-maxage forbid stale answers as proxy-revalidate does
	// (RFC 9111, section 5.2.2.10). Otherwise it is only a lifetime, and the
	// operator's policy is the contract of section 4.2.4.
	Strict bool
}

func (p Policy) withDefaults() Policy {
	p.ManifestTTL = or(p.ManifestTTL, time.Second)
	p.LibraryTTL = or(p.LibraryTTL, time.Minute)
	p.StaleIfError = or(p.StaleIfError, 5*time.Minute)
	p.SegmentStale = or(p.SegmentStale, 24*time.Hour)
	p.NotFound = or(p.NotFound, time.Second)
	p.Gone = or(p.Gone, 10*time.Minute)
	return p
}

// or gives v, or what stands for its zero value.
func or[T comparable](v, zero T) T {
	var z T
	if v == z {
		return zero
	}
	return v
}
