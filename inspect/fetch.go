package inspect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"manifold/internal/dial"
)

// Bounds of what is fetched.
const (
	// MaxBody bounds a manifest in bytes, also decoded: the bound of MPDs
	// (manifest/dash); manifest/hls keeps a narrower one for playlists.
	MaxBody = 8 << 20
	// maxRatio bounds what decoding makes of a body.
	maxRatio     = 100
	maxRedirects = 5
	// DefaultTimeout bounds a fetch where Fetcher.Timeout is 0.
	DefaultTimeout = 15 * time.Second
)

// Fetcher fetches manifests over HTTP. Make one with [NewFetcher]; it may be
// used by several goroutines.
type Fetcher struct {
	// Header is sent to the host of the first URL, and to no other.
	Header http.Header
	// Timeout bounds a fetch from the first byte sent to the last received; 0
	// means [DefaultTimeout].
	Timeout time.Duration
	// Now is the clock.
	Now func() time.Time

	host   string // the host that was asked for: it may be anywhere
	inside atomic.Bool
	client *http.Client
}

// NewFetcher makes a fetcher for a URL and what it leads to. roots, where not
// nil, are trusted instead of the system's.
//
// The host of the URL may be anywhere, loopback and private networks included:
// whoever asks has named it. Where redirects and playlists lead to another
// host, that has to be public, unless the first was not either.
func NewFetcher(first string, roots *x509.CertPool, now func() time.Time) (*Fetcher, error) {
	u, err := parseHTTP(first)
	if err != nil {
		return nil, err
	}
	f := &Fetcher{Now: now, host: u.Hostname()}
	f.client = &http.Client{
		Transport: &http.Transport{
			DialContext: f.dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: 10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f, nil
}

// Close lets go of idle connections.
func (f *Fetcher) Close() { f.client.CloseIdleConnections() }

func (f *Fetcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot dial %q: %w", address, err)
	}
	if !strings.EqualFold(host, f.host) && !f.inside.Load() {
		return (&dial.Dialer{}).DialContext(ctx, network, address)
	}
	conn, err := dial.Localhost(ctx, network, address)
	if err == nil && strings.EqualFold(host, f.host) {
		if ap, perr := netip.ParseAddrPort(conn.RemoteAddr().String()); perr == nil && !dial.Public(ap.Addr()) {
			f.inside.Store(true)
		}
	}
	return conn, err
}

func parseHTTP(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("cannot fetch %s: only http and https are fetched", short(text))
	case u.Hostname() == "":
		return nil, fmt.Errorf("cannot fetch %s: it names no host", short(text))
	}
	return u, nil
}

// Fetch fetches a manifest. The error says what went wrong and what may help;
// it names the URL without its query, which may hold a token.
func (f *Fetcher) Fetch(ctx context.Context, address string) (*Source, error) {
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a := &Answer{}
	from := f.Now()
	u, err := parseHTTP(address)
	if err != nil {
		return nil, err
	}
	for {
		res, err := f.get(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("cannot fetch %s: %w", bare(u), explain(ctx, err, timeout))
		}
		if next := res.Header.Get("Location"); res.StatusCode/100 == 3 && next != "" {
			_ = res.Body.Close()
			if len(a.Redirects) == maxRedirects {
				return nil, fmt.Errorf("cannot fetch %s: more than %d redirects, the last to %s", bare(mustParse(address)), maxRedirects, short(withoutQuery(next)))
			}
			a.Redirects = append(a.Redirects, u.String())
			to, err := u.Parse(next)
			if err == nil {
				_, err = parseHTTP(to.String())
			}
			if err != nil {
				return nil, fmt.Errorf("cannot follow the redirect of %s: %w", bare(u), err)
			}
			u = to
			continue
		}
		s, err := f.read(res, a)
		_ = res.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot fetch %s: %w", bare(u), explain(ctx, err, timeout))
		}
		a.URL, a.Took = u.String(), Seconds(f.Now().Sub(from))
		s.Name = address
		return s, nil
	}
}

func mustParse(address string) *url.URL {
	u, _ := url.Parse(address) // parseHTTP has read it
	return u
}

func (f *Fetcher) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "manifold-inspect")
	req.Header.Set("Accept-Encoding", "gzip")
	if strings.EqualFold(u.Hostname(), f.host) {
		for name, values := range f.Header {
			req.Header[name] = values
			if name == "Host" {
				req.Host = values[0]
			}
		}
	}
	return f.client.Do(req)
}

// read takes the answer's head and body.
func (f *Fetcher) read(res *http.Response, a *Answer) (*Source, error) {
	h := res.Header
	a.Protocol, a.Status = res.Proto, res.StatusCode
	a.MediaType, a.Encoding, a.Server = h.Get("Content-Type"), h.Get("Content-Encoding"), h.Get("Server")
	a.CacheControl, a.CacheStatus = h.Get("Cache-Control"), h.Get("Cache-Status")
	if n, err := strconv.Atoi(h.Get("Age")); err == nil {
		a.Age = &n
	}
	if res.StatusCode != http.StatusOK {
		return nil, statusError(res)
	}
	if res.ContentLength > MaxBody {
		return nil, fmt.Errorf("the answer has %s, and a manifest at most %s", size(int(min(res.ContentLength, 1<<50))), size(MaxBody))
	}
	wire, err := readBounded(res.Body)
	if err != nil {
		return nil, err
	}
	a.Wire = len(wire)
	switch strings.ToLower(a.Encoding) {
	case "", "identity":
		return &Source{Body: wire, HTTP: a}, nil
	case "gzip", "x-gzip":
		body, err := inflate(wire)
		return &Source{Body: body, HTTP: a}, err
	}
	return nil, fmt.Errorf("the answer is encoded as %s, which was not asked for", short(a.Encoding))
}

// statusError says what an answer other than 200 means.
func statusError(res *http.Response) error {
	text := strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode)
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the server answers %s: a token may be missing (put it into the URL, or give --header)", text)
	case http.StatusNotModified, http.StatusNoContent, http.StatusPartialContent:
		return fmt.Errorf("the server answers %s, which was not asked for", text)
	}
	return fmt.Errorf("the server answers %s", text)
}

// readBounded reads all of r, up to [MaxBody].
func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("the answer goes on behind %s, the most that a manifest has", size(MaxBody))
	}
	return body, nil
}

// inflate decodes gzip, within bounds.
func inflate(wire []byte) ([]byte, error) {
	z, err := gzip.NewReader(strings.NewReader(string(wire)))
	if err != nil {
		return nil, fmt.Errorf("the answer is said to be gzip, and is not: %w", err)
	}
	most := min(MaxBody, maxRatio*len(wire)+64<<10)
	body, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the gzip of the answer is broken: %w", err)
	case len(body) > most:
		return nil, fmt.Errorf("%s of gzip hold more than %s: no manifest compresses so well", size(len(wire)), size(most))
	}
	return body, nil
}

// explain makes of a client's error what a person can act on.
func explain(ctx context.Context, err error, timeout time.Duration) error {
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var prohibited *dial.ProhibitedError
	var urlErr *url.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no complete answer in %s", span(timeout))
	case errors.As(err, &unknown):
		return errors.New("nobody we trust has signed its certificate (give the authority's with --ca)")
	case errors.As(err, &wrongHost):
		return fmt.Errorf("its certificate is for other names: %w", wrongHost)
	case errors.As(err, &prohibited):
		return fmt.Errorf("%w: a public host must not lead there", prohibited)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return errors.New("it speaks http, not https")
	case errors.As(err, &urlErr):
		return urlErr.Err // without the URL, which is named already
	}
	return err
}

// bare is a URL without what may be secret: user and query.
func bare(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func withoutQuery(s string) string {
	s, _, _ = strings.Cut(s, "?")
	return s
}

// ReadFile reads a manifest from a file.
func ReadFile(name string) (*Source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest: %w", err)
	}
	defer f.Close()
	return Read(name, f)
}

// Read reads a manifest from r, whose name is shown.
func Read(name string, r io.Reader) (*Source, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest: %w", err)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("cannot read %s: it goes on behind %s, the most that a manifest has", name, size(MaxBody))
	}
	return &Source{Name: name, Body: body}, nil
}

// Roots reads certificates of authorities to trust, in PEM.
func Roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot read the authorities: %s holds no certificate in PEM", file)
	}
	return pool, nil
}
