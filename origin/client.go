package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"manifold/exchange"
	"manifold/internal/dial"
)

// The shield speaks to origins with net/http's Transport, not with fasthttp's
// client. Both stream, but fasthttp v1.77.0 reports the end of a chunked body
// whose connection broke as a clean end, so that half a segment would be
// cached as a whole one; and a request cannot be given up while it waits for
// its header. A fill happens once for all its viewers: what net/http costs
// more per request does not show. See docs/adr/0003.

var (
	errEOF           = io.EOF
	errUnexpectedEOF = io.ErrUnexpectedEOF
)

// client is one dialling policy: the connections of all groups that allow the
// same blocks.
type client struct {
	transport *http.Transport
	agent     string // User-Agent
	via       string // Via of RFC 9110, section 7.6.3
}

// maxHeader bounds a response's header, in bytes.
const maxHeader = 64 << 10

func newClient(cfg Config, allow []netip.Prefix, connect time.Duration) *client {
	d := &dial.Dialer{Timeout: connect, Allow: allow, Resolver: cfg.Resolver}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &client{
		agent: cfg.Name,
		via:   "1.1 " + cfg.Name,
		transport: &http.Transport{
			Proxy:                  nil, // never from the environment
			DialContext:            d.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connect,
			DisableCompression:     true, // we bound it ourselves
			MaxIdleConns:           4 * cfg.ConnsPerHost,
			MaxIdleConnsPerHost:    min(cfg.ConnsPerHost, 64),
			MaxConnsPerHost:        cfg.ConnsPerHost,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
			ReadBufferSize:         32 << 10,
			Protocols:              &protocols,
		},
	}
}

// reply is an origin's answer whose body is still to be read.
type reply struct {
	source   *source
	status   int
	header   http.Header
	length   int64  // declared, or -1
	at       string // see entry.at
	asked    time.Time
	answered time.Time

	ctx   context.Context
	body  io.ReadCloser
	guard *guard
	idle  time.Duration
	total int64
	after context.CancelFunc // called when it is closed, or nil
}

// guard ends an exchange whose deadline passes. It is armed anew for each
// step.
type guard struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer
	cause  atomic.Pointer[errDeadline]
}

func newGuard(cancel context.CancelCauseFunc, what string, d time.Duration) *guard {
	g := &guard{cancel: cancel}
	g.cause.Store(&errDeadline{what, d})
	g.timer = time.AfterFunc(d, func() { cancel(g.cause.Load()) })
	return g
}

// maxRedirects bounds what one fetch follows.
const maxRedirects = 3

// ask sends one request and gives the answer's header. from is where in the
// body to begin, guarded by etag (RFC 9110, section 13.1.5); 0 is the whole.
func (f *flight) ask(ctx context.Context, o *source, known *entry, from int64, etag string) (*reply, *Error) {
	g := f.group
	ctx, cancel := context.WithCancelCause(ctx)
	guard := newGuard(cancel, "first byte", g.cfg.Deadlines.FirstByte)
	give := func(e *Error) (*reply, *Error) {
		guard.timer.Stop()
		cancel(nil)
		return nil, e
	}
	u, err := f.target.below(o.root)
	if err != nil {
		return give(&Error{Reason: ErrPath, Err: err})
	}
	for hop := 0; ; hop++ {
		req := f.request(ctx, o, u, known)
		if from > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
			req.Header.Set("If-Range", etag)
		}
		g.counters.originRequests.Add(1)
		asked := f.shield.now()
		resp, err := g.client.transport.RoundTrip(req)
		if err != nil {
			return give(transportError(ctx, o.root.Host, err, false))
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			// What follows is not HTTP, and no deadline of the context ends it.
			_ = resp.Body.Close()
			return give(&Error{Reason: ErrProtocol, Status: resp.StatusCode, Origin: o.root.Host,
				Err: errors.New("it switches to another protocol, which was not asked for")})
		}
		if location := resp.Header.Get("Location"); isRedirect(resp.StatusCode) && location != "" {
			discard(resp.Body)
			if hop == maxRedirects {
				return give(&Error{Reason: ErrRedirect, Status: resp.StatusCode, Origin: o.root.Host,
					Err: fmt.Errorf("more than %d redirects", maxRedirects)})
			}
			next, to, err := g.follow(u, location)
			if err != nil {
				return give(&Error{Reason: ErrRedirect, Status: resp.StatusCode, Origin: o.root.Host, Err: err})
			}
			u, o = next, to
			continue
		}
		// The timer may have fired while the header came in: then the context
		// is done and the first read says so.
		guard.timer.Stop()
		guard.cause.Store(&errDeadline{"idle", g.cfg.Deadlines.Idle})
		return &reply{
			source: o, status: resp.StatusCode, header: resp.Header, length: resp.ContentLength, at: o.pathOf(u, hop),
			asked: asked, answered: f.shield.now(),
			ctx: ctx, body: resp.Body, guard: guard, idle: g.cfg.Deadlines.Idle,
		}, nil
	}
}

// Read reads the body under the idle deadline.
func (r *reply) Read(p []byte) (int, error) {
	r.guard.timer.Reset(r.idle)
	n, err := r.body.Read(p)
	r.guard.timer.Stop()
	r.total += int64(n)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, transportError(r.ctx, r.source.root.Host, err, true)
}

// close ends the exchange. A body that is nearly through is read out, so that
// the connection can be used again.
func (r *reply) close() {
	if r.length >= 0 && r.length-r.total <= drainMost {
		r.guard.timer.Reset(r.idle)
		_, _ = io.CopyN(io.Discard, r.body, drainMost)
	}
	r.guard.timer.Stop()
	_ = r.body.Close()
	r.guard.cancel(nil)
	if r.after != nil {
		r.after()
	}
}

const drainMost = 16 << 10

func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, drainMost)
	_ = body.Close()
}

// request makes the origin request: few fields, all ours or declared.
func (f *flight) request(ctx context.Context, o *source, u *url.URL, known *entry) *http.Request {
	h := make(http.Header, 8)
	h.Set("User-Agent", f.group.client.agent)
	h.Set("Via", f.group.client.via)
	h.Set("Accept", "*/*")
	// A manifest shrinks tenfold; media does not, and a segment that streams
	// through is not decoded on the way.
	if f.target.class == Manifest {
		h.Set("Accept-Encoding", "gzip")
	} else {
		h.Set("Accept-Encoding", "identity")
	}
	for _, field := range f.target.fields {
		h.Set(field.Name, field.Value)
	}
	for _, field := range o.Fields {
		h.Set(field.Name, field.Value)
	}
	if known != nil {
		if known.originETag != "" {
			h.Set("If-None-Match", known.originETag)
		}
		if known.lastModified != "" {
			h.Set("If-Modified-Since", known.lastModified)
		}
	}
	req := (&http.Request{
		Method: http.MethodGet, URL: u, Host: o.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	return req
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// pathOf is the canonical path below the root of where redirects led; empty
// where there were none, or where that is not below the root.
func (o *source) pathOf(u *url.URL, redirects int) string {
	rest, below := strings.CutPrefix(u.EscapedPath(), o.root.EscapedPath())
	if redirects == 0 || !below {
		return ""
	}
	path, _, err := exchange.Canonical(nil, "/"+strings.TrimPrefix(rest, "/"))
	if err != nil || len(path) == 0 {
		return ""
	}
	return string(path[1:])
}

// follow resolves a redirect, which must stay within the group's origins.
func (g *Group) follow(from *url.URL, location string) (*url.URL, *source, error) {
	u, err := from.Parse(location)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read Location: %w", err)
	}
	if u.User != nil || u.Host == "" {
		return nil, nil, errors.New("the Location has a user or no host")
	}
	u.Fragment, u.RawFragment = "", ""
	to := authority(u)
	for _, o := range g.origins {
		if o.authority == to {
			return u, o, nil
		}
	}
	return nil, nil, fmt.Errorf("%s is not an origin of the group", net.JoinHostPort(u.Hostname(), u.Port()))
}
