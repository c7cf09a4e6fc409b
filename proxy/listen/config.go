package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strconv"
	"time"

	"manifold/internal/problem"
)

// Config says where to listen and what to allow. The zero value of every
// limit and deadline means the default that its comment names.
type Config struct {
	// Plain are the addresses ("127.0.0.1:8080", ":80") that carry HTTP/1.1
	// without TLS.
	Plain []string
	// TLS are the addresses that carry HTTP/1.1 and HTTP/2 on TCP, and with
	// HTTP3 also HTTP/3 on UDP of the same port. Port 0 chooses one port that
	// is free on both.
	TLS []string
	// HTTP3 turns on QUIC beside every TLS address, and its announcement by
	// Alt-Svc (RFC 7838).
	HTTP3 bool
	// Certificate chooses the certificate of a handshake; see [CertStore].
	// Needed where TLS is not empty.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// EarlyData accepts QUIC 0-RTT requests with safe methods and marks them
	// Exchange.EarlyData (RFC 8470); others get 425. Off by default: a 0-RTT
	// request may be a replay.
	EarlyData bool
	// AltSvcPort is the port told to clients where a packet filter maps
	// another one here; 0 is the port listened on.
	AltSvcPort int
	// AltSvcMaxAge is how long clients remember HTTP/3; 0 is 24 hours,
	// negative does not announce it.
	AltSvcMaxAge time.Duration
	// QUICSecret, of 32 bytes or more, lets another process with the same
	// secret tell the clients of one that died that their connections are
	// gone (RFC 9000, section 10.3), and honour its address tokens. Without
	// it each process has its own tokens and dead connections time out.
	QUICSecret []byte
	// Inherited are sockets that another process opened, see
	// [FromEnvironment]. One with the address of Plain or TLS is used for it;
	// others are served by their name ("plain", "tls", "quic").
	Inherited []Socket

	// RawTargets hands requests to the handler whose target is not canonical,
	// with Path empty: for a server whose paths hold something else than a
	// path (a token with an escaped slash), and which reads Target itself.
	RawTargets bool

	// MaxHeaderBytes bounds a request's head (431; 414 where the target alone
	// is over [exchange.MaxTarget]); 0 is 16 KiB.
	MaxHeaderBytes int
	// MaxHeaderFields bounds the number of its lines (431); 0 is 128.
	MaxHeaderFields int
	// MaxRequestBody bounds a request's content in bytes (413); 0 is 64 KiB,
	// negative is no bound. Content is streamed, never held whole.
	MaxRequestBody int64
	// MaxConnections bounds open TCP and QUIC connections together; 0 is
	// three quarters of the process's descriptor limit, negative no bound.
	MaxConnections int
	// MaxConnectionsPerAddress bounds them for one IPv4 address or IPv6 /64;
	// 0 is 512, negative no bound.
	MaxConnectionsPerAddress int
	// MaxStreams bounds the concurrent requests of one HTTP/2 or HTTP/3
	// connection; 0 is 100.
	MaxStreams int
	// MaxWaiting and MaxWaitingPerAddress bound the requests that wait for
	// something to happen ([exchange.Gate]); 0 is 16384 and 256, negative
	// lets none wait.
	MaxWaiting           int
	MaxWaitingPerAddress int
	// RetryAbove is the number of QUIC handshakes in one second above which
	// clients must prove their address first (RFC 9000, section 8.1.2); 0 is
	// 200, negative always asks.
	RetryAbove int

	// HandshakeTimeout bounds a TLS handshake; 0 is 5 s. (QUIC's is 3 s
	// without a packet, 6 s in all.)
	HandshakeTimeout time.Duration
	// HeaderTimeout bounds the reading of a request's head; 0 is 10 s. It,
	// WriteTimeout and IdleTimeout are looked at once a second: on HTTP/1.1
	// they end up to two seconds late.
	HeaderTimeout time.Duration
	// BodyTimeout bounds each wait for more content; content must also
	// average 1 KiB/s after that time; 0 is 15 s.
	BodyTimeout time.Duration
	// RequestTimeout ends Exchange.Context while the handler runs; 0 is 60 s.
	RequestTimeout time.Duration
	// WriteTimeout bounds the writing of an answer, or of one chunk of a
	// streamed one; 0 is 60 s.
	WriteTimeout time.Duration
	// IdleTimeout closes a connection without requests; 0 is 60 s.
	IdleTimeout time.Duration
	// DrainGrace is how long Shutdown leaves idle connections open, so that
	// a request already on its way is answered (with "Connection: close" or
	// after a first GOAWAY) rather than reset; 0 is 5 s, negative none.
	DrainGrace time.Duration

	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// Now is the clock behind Date; nil is time.Now.
	Now func() time.Time
}

// Defaults, see Config.
const (
	defaultMaxHeaderBytes       = 16 << 10
	defaultMaxHeaderFields      = 128
	defaultMaxRequestBody       = 64 << 10
	defaultMaxPerAddress        = 512
	defaultMaxStreams           = 100
	defaultMaxWaiting           = 16384
	defaultMaxWaitingPerAddress = 256
	defaultRetryAbove           = 200
	maxHeaderBytesLimit         = math.MaxUint16 // offsets into a head are 16 bits wide
)

// Validate lists every fault that can be found without opening a socket, at
// paths as the listen section of manifold.yml has them.
func (c *Config) Validate() (l problem.List) {
	if len(c.Plain)+len(c.TLS)+len(c.Inherited) == 0 {
		l.AddHint("", `for example plain: [":8080"]`, "there is no address to listen on")
	}
	for _, list := range []struct {
		path  string
		addrs []string
	}{{"plain", c.Plain}, {"tls", c.TLS}} {
		for i, a := range list.addrs {
			if err := checkAddress(a); err != nil {
				l.Add(problem.At(list.path, i), "%q is not an address: %v", a, err)
			}
		}
	}
	if len(c.TLS) > 0 && c.Certificate == nil {
		l.Add("tls", "TLS needs a certificate")
	}
	if c.HTTP3 && len(c.TLS) == 0 && !hasKind(c.Inherited, TLS) {
		l.Add("http3", "HTTP/3 needs a tls address")
	}
	if c.AltSvcPort < 0 || c.AltSvcPort > math.MaxUint16 {
		l.AddHint("alt_svc_port", "use 1 to 65535, or 0 for the one listened on", "%d is not a port", c.AltSvcPort)
	}
	if n := len(c.QUICSecret); n > 0 && n < 32 {
		l.AddHint("quic_secret", "use 32 random bytes", "%d bytes are too few", n)
	}
	if c.MaxHeaderBytes != 0 && (c.MaxHeaderBytes < 1<<10 || c.MaxHeaderBytes > maxHeaderBytesLimit) {
		l.AddHint("limits.header", fmt.Sprintf("use 1024 to %d bytes", maxHeaderBytesLimit), "%d bytes are out of range", c.MaxHeaderBytes)
	}
	if c.MaxHeaderFields < 0 {
		l.Add("limits.header_fields", "%d is negative", c.MaxHeaderFields)
	}
	if c.MaxStreams < 0 || c.MaxStreams > 1<<16 {
		l.AddHint("limits.streams", "use 1 to 65536", "%d is out of range", c.MaxStreams)
	}
	for _, d := range []struct {
		path  string
		value time.Duration
	}{
		{"handshake", c.HandshakeTimeout}, {"header", c.HeaderTimeout}, {"body", c.BodyTimeout},
		{"request", c.RequestTimeout}, {"write", c.WriteTimeout}, {"idle", c.IdleTimeout},
	} {
		if d.value < 0 {
			l.Add("deadlines."+d.path, "%v is negative", d.value)
		}
	}
	return l
}

func checkAddress(a string) error {
	_, port, err := net.SplitHostPort(a)
	if err != nil {
		return errors.New(`write host:port (as in "127.0.0.1:8443", "[::1]:8443" or ":8443")`)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

// WithDefaults gives the Config that is in force: what each zero value means
// is in its place.
func (c Config) WithDefaults() Config {
	defaultTo(&c.AltSvcMaxAge, 24*time.Hour)
	defaultTo(&c.MaxHeaderBytes, defaultMaxHeaderBytes)
	defaultTo(&c.MaxHeaderFields, defaultMaxHeaderFields)
	defaultTo(&c.MaxRequestBody, defaultMaxRequestBody)
	defaultTo(&c.MaxConnections, descriptorLimit()/4*3)
	defaultTo(&c.MaxConnectionsPerAddress, defaultMaxPerAddress)
	defaultTo(&c.MaxStreams, defaultMaxStreams)
	defaultTo(&c.MaxWaiting, defaultMaxWaiting)
	defaultTo(&c.MaxWaitingPerAddress, defaultMaxWaitingPerAddress)
	defaultTo(&c.RetryAbove, defaultRetryAbove)
	defaultTo(&c.HandshakeTimeout, 5*time.Second)
	defaultTo(&c.HeaderTimeout, 10*time.Second)
	defaultTo(&c.BodyTimeout, 15*time.Second)
	defaultTo(&c.RequestTimeout, 60*time.Second)
	defaultTo(&c.WriteTimeout, 60*time.Second)
	defaultTo(&c.IdleTimeout, 60*time.Second)
	defaultTo(&c.DrainGrace, 5*time.Second)
	unbounded(&c.MaxRequestBody, math.MaxInt64)
	unbounded(&c.MaxConnections, math.MaxInt)
	unbounded(&c.MaxConnectionsPerAddress, math.MaxInt)
	c.MaxWaiting = max(c.MaxWaiting, 0)
	c.MaxWaitingPerAddress = max(c.MaxWaitingPerAddress, 0)
	c.DrainGrace = max(c.DrainGrace, 0)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func unbounded[T int | int64](field *T, value T) {
	if *field < 0 {
		*field = value
	}
}
