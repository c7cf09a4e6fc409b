package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Client is one viewer's client.
type Client struct {
	cfg       *Config
	transport http.RoundTripper
}

// Request is what to fetch with GET.
type Request struct {
	URL    string
	Header http.Header // besides the client's own; may be nil
	// Keep is how many bytes of the body are kept; what follows is read and
	// counted. 0 keeps all, and then MaxBody is the bound.
	Keep int64
	// MaxBody replaces the configuration's bound where it is not 0.
	MaxBody int64
	// Timeout replaces the configuration's where it is not 0.
	Timeout time.Duration
	// Progress is kept up to date while the body comes, where it is not nil.
	Progress *Progress
}

// Progress is how far an answer has come; it may be read at any time.
type Progress struct {
	first, bytes atomic.Int64
}

// Bytes is how many bytes of the body have come, and when the header did; the
// zero time where it has not.
func (p *Progress) Bytes() (n int64, first time.Time) {
	if ns := p.first.Load(); ns != 0 {
		first = time.Unix(0, ns)
	}
	return p.bytes.Load(), first
}

// Hop is one redirect.
type Hop struct {
	Status   int
	Location string
}

// Result is what came of a request; Status is 0 where no answer came.
type Result struct {
	// URL is the address that answered, after redirects.
	URL       *url.URL
	Status    int
	Header    http.Header
	Proto     string // HTTP/1.1, HTTP/2.0, HTTP/3.0
	Body      []byte // what was kept, decoded
	Size      int64  // bytes of the whole body, decoded
	Wire      int64  // bytes of the body as they came
	Redirects []Hop
	Reused    bool // the connection was there already (not known for HTTP/3)
	// Begin is when the request was made, FirstByte and Total how long it took
	// until the header and the end of the body were there.
	Begin            time.Time
	FirstByte, Total time.Duration
	// Err is why there is no answer, or why its body broke off.
	Err error
}

// OK tells whether a whole answer with a status of 200 to 299 is there.
func (r *Result) OK() bool { return r.Err == nil && r.Status >= 200 && r.Status < 300 }

// TooLargeError says that a body is larger than allowed.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the body has more than %d bytes", e.Limit)
}

// RedirectError says that redirects do not end.
type RedirectError struct {
	Hops []Hop
	Loop bool // an address came again
}

func (e *RedirectError) Error() string {
	if e.Loop {
		return fmt.Sprintf("redirects go round: %s came again after %d", e.Hops[len(e.Hops)-1].Location, len(e.Hops))
	}
	return fmt.Sprintf("more than %d redirects", len(e.Hops)-1)
}

// Do fetches. It always returns a result.
func (c *Client) Do(ctx context.Context, req Request) *Result {
	res := &Result{Begin: c.cfg.Now()}
	timeout := c.cfg.Timeout
	if req.Timeout > 0 {
		timeout = req.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res.Err = c.follow(ctx, req, res)
	if ctx.Err() == context.DeadlineExceeded && res.Err != nil {
		res.Err = fmt.Errorf("no whole answer within %s: %w", timeout, res.Err)
	}
	res.Total = c.cfg.Now().Sub(res.Begin)
	return res
}

func (c *Client) follow(ctx context.Context, req Request, res *Result) error {
	at, err := url.Parse(req.URL)
	if err != nil {
		return fmt.Errorf("cannot read the address: %w", err)
	}
	seen := []string{at.String()}
	for {
		if at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
			return fmt.Errorf("cannot fetch %q: http and https only", at.Scheme)
		}
		res.URL = at
		next, err := c.once(ctx, at, req, res)
		if next == nil || err != nil {
			return err
		}
		res.Redirects = append(res.Redirects, Hop{res.Status, next.String()})
		if loop := slices.Contains(seen, next.String()); loop || len(res.Redirects) > max(c.cfg.MaxRedirects, 0) {
			if c.cfg.MaxRedirects < 0 {
				return nil // redirects are the caller's business
			}
			return &RedirectError{res.Redirects, loop}
		}
		seen = append(seen, next.String())
		at = next
	}
}

// once makes one request; it returns where a redirect leads.
func (c *Client) once(ctx context.Context, at *url.URL, req Request, res *Result) (*url.URL, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { res.Reused = i.Reused }})
	hr, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	for _, h := range []http.Header{c.cfg.Header, req.Header} {
		for k, v := range h {
			hr.Header[http.CanonicalHeaderKey(k)] = v
		}
	}
	if hr.Header.Get("User-Agent") == "" {
		hr.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	if hr.Header.Get("Accept-Encoding") == "" && hr.Header.Get("Range") == "" && req.Keep == 0 {
		hr.Header.Set("Accept-Encoding", "gzip")
	}
	answer, err := c.transport.RoundTrip(hr)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	now := c.cfg.Now()
	res.FirstByte = now.Sub(res.Begin)
	if req.Progress != nil {
		req.Progress.first.Store(now.UnixNano())
	}
	res.Status, res.Header, res.Proto = answer.StatusCode, answer.Header, answer.Proto
	if answer.StatusCode >= 300 && answer.StatusCode < 400 && answer.StatusCode != http.StatusNotModified {
		if where := answer.Header.Get("Location"); where != "" {
			next, err := at.Parse(where)
			if err != nil {
				return nil, fmt.Errorf("cannot read where a redirect leads: %w", err)
			}
			return next, nil
		}
	}
	return nil, c.read(answer, req, res)
}

// counter counts what passes.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

var (
	buffers   = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}
	inflaters = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

func (c *Client) read(answer *http.Response, req Request, res *Result) error {
	limit := c.cfg.MaxBody
	if req.MaxBody > 0 {
		limit = req.MaxBody
	}
	keep := req.Keep
	if keep <= 0 || keep > limit {
		keep = limit
	}
	wire := &counter{r: answer.Body}
	defer func() { res.Wire = wire.n }()
	var body io.Reader = wire
	switch encoding := answer.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z := inflaters.Get().(*gzip.Reader)
		defer inflaters.Put(z)
		if err := z.Reset(wire); err != nil {
			return fmt.Errorf("the body is not the gzip it says it is: %w", err)
		}
		body = z
	default:
		return fmt.Errorf("the body has Content-Encoding %q, which nobody asked for", encoding)
	}
	var kept bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= keep && n < 1<<20 {
		kept.Grow(int(n))
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(*buf)
		res.Size += int64(n)
		if req.Progress != nil {
			req.Progress.bytes.Store(res.Size)
		}
		if room := keep - int64(kept.Len()); room > 0 {
			kept.Write((*buf)[:min(int64(n), room)])
		}
		res.Body = kept.Bytes()
		switch {
		case res.Size > limit:
			return &TooLargeError{limit}
		case errors.Is(err, io.EOF):
			if answer.ContentLength >= 0 && wire.n < answer.ContentLength {
				return fmt.Errorf("the body has %d bytes, Content-Length says %d: %w", wire.n, answer.ContentLength, io.ErrUnexpectedEOF)
			}
			return nil
		case err != nil:
			return fmt.Errorf("the body broke off after %d bytes: %w", res.Size, err)
		}
	}
}
