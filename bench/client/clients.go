package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/internal/dial"
)

// Clients hands a client to each viewer, by the connection model of its
// configuration.
type Clients struct {
	cfg   Config
	trust *tls.Config

	mu   sync.Mutex
	sets map[int]http.RoundTripper
}

// New makes the clients; Close ends their connections.
func New(cfg Config) (*Clients, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.defaults()
	trust, err := cfg.trust()
	if err != nil {
		return nil, err
	}
	return &Clients{cfg: cfg, trust: trust, sets: map[int]http.RoundTripper{}}, nil
}

// String is the connection model in words, for reports.
func (c *Clients) String() string {
	s := map[Protocol]string{Auto: "h2 or h1 by ALPN", H1: "h1", H2: "h2", H3: "h3"}[c.cfg.Protocol]
	if c.cfg.Share > 1 {
		return fmt.Sprintf("%s, connections shared by %d viewers", s, c.cfg.Share)
	}
	return s + ", own connections for each viewer"
}

// Viewer is the client of viewer i, from 0.
func (c *Clients) Viewer(i int) *Client {
	set := i / c.cfg.Share
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.sets[set]
	if t == nil {
		t = c.transport()
		c.sets[set] = t
	}
	return &Client{cfg: &c.cfg, transport: t}
}

// Leave closes the connections of viewer i, where it does not share them.
func (c *Clients) Leave(i int) {
	if c.cfg.Share > 1 || c.cfg.Transport != nil {
		return
	}
	c.mu.Lock()
	t := c.sets[i]
	delete(c.sets, i)
	c.mu.Unlock()
	closeTransport(t)
}

// Close closes all connections.
func (c *Clients) Close() {
	c.mu.Lock()
	sets := c.sets
	c.sets = map[int]http.RoundTripper{}
	c.mu.Unlock()
	for _, t := range sets {
		if c.cfg.Transport == nil {
			closeTransport(t)
		}
	}
}

func closeTransport(t http.RoundTripper) {
	switch t := t.(type) {
	case *http.Transport:
		t.CloseIdleConnections()
	case io.Closer:
		_ = t.Close()
	}
}

// errPlainH3 says what HTTP/3 cannot do.
var errPlainH3 = errors.New("HTTP/3 needs an https address")

type h3Transport struct{ *http3.Transport }

func (t h3Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errPlainH3
	}
	return t.Transport.RoundTrip(r)
}

func (c *Clients) transport() http.RoundTripper {
	if c.cfg.Transport != nil {
		return c.cfg.Transport
	}
	if c.cfg.Protocol == H3 {
		return h3Transport{&http3.Transport{
			TLSClientConfig: c.trust.Clone(), DisableCompression: true, Dial: c.dialQUIC,
			QUICConfig: &quic.Config{HandshakeIdleTimeout: c.cfg.ConnectTimeout, MaxIdleTimeout: time.Minute},
		}}
	}
	t := &http.Transport{
		TLSClientConfig: c.trust.Clone(), DisableCompression: true, TLSHandshakeTimeout: c.cfg.ConnectTimeout,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
			defer cancel()
			return dial.Localhost(ctx, network, addr)
		},
	}
	t.Protocols = new(http.Protocols)
	switch c.cfg.Protocol {
	case H1:
		t.Protocols.SetHTTP1(true)
	case H2:
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
	default:
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	}
	return t
}

// dialQUIC connects to a name below localhost on loopback, IPv4 first.
func (c *Clients) dialQUIC(ctx context.Context, addr string, tlsConfig *tls.Config, cfg *quic.Config) (*quic.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !dial.IsLocalhost(host) {
		return quic.DialAddrEarly(ctx, addr, tlsConfig, cfg)
	}
	conn, err4 := quic.DialAddrEarly(ctx, net.JoinHostPort("127.0.0.1", port), tlsConfig, cfg)
	if err4 == nil || ctx.Err() != nil {
		return conn, err4
	}
	conn, err6 := quic.DialAddrEarly(ctx, net.JoinHostPort("::1", port), tlsConfig, cfg)
	if err6 != nil {
		return nil, errors.Join(err4, err6)
	}
	return conn, nil
}
