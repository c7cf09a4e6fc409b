package client

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"manifold/internal/problem"
)

// Protocol is the HTTP version to speak.
type Protocol string

// The protocols.
const (
	Auto Protocol = "auto" // HTTP/2 where TLS offers it, else HTTP/1.1
	H1   Protocol = "h1"
	H2   Protocol = "h2" // also without TLS, by prior knowledge
	H3   Protocol = "h3" // TLS only
)

// Config is how clients speak.
type Config struct {
	// Protocol is the HTTP version; empty means Auto.
	Protocol Protocol
	// Share is how many viewers share one set of connections; 0 and 1 mean that
	// each viewer has its own.
	Share int
	// CAFile is a PEM file of certificates to trust besides the system's.
	CAFile string
	// Insecure trusts any certificate.
	Insecure bool
	// Timeout bounds a request with its redirects and body; 0 means 10 s.
	Timeout time.Duration
	// ConnectTimeout bounds connecting and the TLS handshake; 0 means 3 s.
	ConnectTimeout time.Duration
	// MaxBody bounds a decoded body in bytes; 0 means 8 MiB.
	MaxBody int64
	// MaxRedirects bounds how many redirects are followed; 0 means 5, negative none.
	MaxRedirects int
	// UserAgent is sent with every request; empty means "manifold-bench".
	UserAgent string
	// Header is sent with every request besides.
	Header http.Header
	// Transport carries requests instead of sockets, where it is not nil.
	Transport http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Validate tells what is wrong with c.
func (c *Config) Validate() error {
	var list problem.List
	switch c.Protocol {
	case "", Auto, H1, H2, H3:
	default:
		list.AddHint("protocol", "one of auto, h1, h2, h3", "unknown protocol %q", c.Protocol)
	}
	if c.Share < 0 {
		list.Add("share", "must not be negative")
	}
	if c.Timeout < 0 || c.ConnectTimeout < 0 {
		list.Add("timeout", "must not be negative")
	}
	if c.MaxBody < 0 {
		list.Add("max_body", "must not be negative")
	}
	return list.Err()
}

func (c *Config) defaults() {
	if c.Protocol == "" {
		c.Protocol = Auto
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 3 * time.Second
	}
	if c.MaxBody == 0 {
		c.MaxBody = 8 << 20
	}
	if c.MaxRedirects == 0 {
		c.MaxRedirects = 5
	}
	if c.UserAgent == "" {
		c.UserAgent = "manifold-bench"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Share = max(c.Share, 1)
}

func (c *Config) trust() (*tls.Config, error) {
	t := &tls.Config{InsecureSkipVerify: c.Insecure}
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificates to trust: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot find a certificate in %s: PEM blocks of CERTIFICATE are wanted", c.CAFile)
	}
	t.RootCAs = pool
	return t, nil
}
