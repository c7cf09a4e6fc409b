package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"manifold/exchange"
	"manifold/origin"
	"manifold/proxy/access/token"
	"manifold/proxy/listen"
)

// Fault is what is wrong with a CDN, on purpose.
type Fault struct {
	// Refuse closes its sockets: connections are reset and new ones refused.
	Refuse bool
	// Status, where not 0, is the answer to everything.
	Status int
	// Latency is added before each answer.
	Latency time.Duration
}

// Entry is one line of a CDN's log.
type Entry struct {
	Time     time.Time
	CDN      string
	Protocol string
	Method   string
	// Path is without the token.
	Path   string
	Status int
	// Viewer is the session id that the player sent as CMCD (CTA-5004, sid),
	// empty where it sent none.
	Viewer string
}

// CDN is one fake CDN: a caching proxy in front of the origin that serves who
// brings a good token.
type CDN struct {
	ID     string
	format string

	verifier *token.Verifier
	shield   *origin.Shield
	group    *origin.Group
	log      *slog.Logger
	now      func() time.Time
	listen   listen.Config

	plain, secure netip.AddrPort

	changing sync.Mutex // held over a change of the fault

	mu       sync.Mutex
	listener *listen.Listener // nil while it refuses
	fault    Fault
	entries  []Entry
	requests int
	waiters  []*waiter
}

// keptEntries bounds a CDN's log.
const keptEntries = 20_000

// cdnConfig is what one CDN is made of.
type cdnConfig struct {
	id            string
	plain, secure string // addresses; port 0 chooses
	certificate   func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	token         token.Config
	key           []byte
	origin        string // root URL
	log           *slog.Logger
	now           func() time.Time
	random        func() float64
}

// startCDN opens a CDN's sockets and serves.
func startCDN(c cdnConfig) (*CDN, error) {
	shield, err := origin.New(origin.Config{Name: "cdn-" + c.id}, c.now, c.random)
	if err != nil {
		return nil, fmt.Errorf("cannot start CDN %s: %w", c.id, err)
	}
	group, err := shield.Group(origin.GroupConfig{
		Name: "origin", Origins: []origin.OriginConfig{{URL: c.origin}},
		AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot start CDN %s: %w", c.id, err)
	}
	d := &CDN{
		ID: c.id, format: c.token.Format, shield: shield, group: group, log: c.log, now: c.now,
		listen: listen.Config{
			Plain: []string{c.plain}, TLS: []string{c.secure}, HTTP3: true, Certificate: c.certificate,
			RawTargets: true, Logger: c.log, Now: c.now, DrainGrace: -1,
		},
	}
	if d.listener, err = d.open(); err != nil {
		shield.Close()
		return nil, fmt.Errorf("cannot start CDN %s: %w", c.id, err)
	}
	// From now on the same ports are used, also after an outage.
	d.plain, d.secure = address(d.listener, listen.Plain), address(d.listener, listen.TLS)
	d.listen.Plain, d.listen.TLS = []string{d.plain.String()}, []string{d.secure.String()}
	d.verifier, err = token.NewVerifier(c.token, []string{d.Base(true), d.Base(false)}, token.Secrets{Keys: [][]byte{c.key}})
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("cannot start CDN %s: %w", c.id, err)
	}
	return d, nil
}

// open opens the sockets.
func (d *CDN) open() (*listen.Listener, error) {
	l, err := listen.New(d.listen, d)
	if err != nil {
		return nil, err
	}
	return l, l.Start()
}

// address is where a listener carries a kind.
func address(l *listen.Listener, k listen.Kind) netip.AddrPort {
	for _, a := range l.Addrs() {
		if a.Kind == k {
			return a.Addr
		}
	}
	return netip.AddrPort{}
}

// Base is the CDN's URL, with or without TLS, ending in "/".
func (d *CDN) Base(tls bool) string {
	if tls {
		return fmt.Sprintf("https://localhost:%d/", d.secure.Port())
	}
	return fmt.Sprintf("http://localhost:%d/", d.plain.Port())
}

// Ports are those of the plain and of the TLS and QUIC sockets.
func (d *CDN) Ports() (plain, secure uint16) { return d.plain.Port(), d.secure.Port() }

// Fault tells what is wrong at present.
func (d *CDN) Fault() Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// SetFault makes something wrong, or right again with the zero Fault. An
// outage has begun when it returns: QUIC connections were closed with
// CONNECTION_CLOSE, TCP connections reset, the sockets closed.
func (d *CDN) SetFault(f Fault) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.mu.Lock()
	l := d.listener
	d.fault = f
	if f.Refuse {
		d.listener = nil
	}
	d.mu.Unlock()
	switch {
	case f.Refuse && l != nil:
		l.Close() // waits for requests, which look at the fault
	case !f.Refuse && l == nil:
		l, err := d.open()
		if err != nil {
			return fmt.Errorf("cannot bring CDN %s back: %w", d.ID, err)
		}
		d.mu.Lock()
		d.listener = l
		d.mu.Unlock()
	}
	return nil
}

// Close stops the CDN.
func (d *CDN) Close() {
	_ = d.SetFault(Fault{Refuse: true}) // that fails only the other way
	d.shield.Close()
}

// Serve answers one request as a CDN does.
func (d *CDN) Serve(ex *exchange.Exchange) {
	fault := d.Fault()
	path := d.answer(ex, fault)
	ex.SetField("Access-Control-Allow-Origin", "*")
	ex.SetField("Access-Control-Expose-Headers", "*")
	ex.SetField("Timing-Allow-Origin", "*")
	d.record(Entry{Time: d.now(), CDN: d.ID, Protocol: ex.Protocol.String(), Method: strings.Clone(ex.Method), Path: path, Status: ex.Status, Viewer: viewerOf(ex)})
}

// viewerOf finds the session id in a request's CMCD: its headers, else its
// query.
func viewerOf(ex *exchange.Exchange) string {
	text := ex.Header.Get("CMCD-Session")
	if text == "" {
		_, query, _ := strings.Cut(ex.Target, "?")
		values, _ := url.ParseQuery(query) // what can be read of it
		text = values.Get("CMCD")
	}
	_, rest, _ := strings.Cut(text, `sid="`)
	id, _, _ := strings.Cut(rest, `"`)
	return strings.Clone(id)
}

// answer makes the answer and gives the path without its token.
func (d *CDN) answer(ex *exchange.Exchange, fault Fault) (path string) {
	if fault.Latency > 0 {
		wait := time.NewTimer(fault.Latency)
		select {
		case <-wait.C:
		case <-ex.Context().Done():
			wait.Stop()
		}
	}
	raw, query, _ := strings.Cut(ex.Target, "?")
	switch {
	case fault.Status != 0:
		ex.Fail(fault.Status, "this CDN was told to fail")
		return ""
	case ex.Method == "OPTIONS":
		ex.Status = 204
		ex.SetField("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		ex.SetField("Access-Control-Allow-Headers", "*")
		return ""
	case ex.Method != "GET" && ex.Method != "HEAD":
		ex.Fail(405, "a CDN serves GET and HEAD")
		return ""
	case raw == "/":
		ex.Status, ex.Body = 200, append(ex.Body[:0], "CDN "+d.ID+"\n"...)
		return "/"
	}
	path, _, err := d.verifier.Verify(raw, query, ex.Remote.Addr(), d.now())
	if err != nil {
		ex.Fail(403, "access denied: "+err.Error())
		return ""
	}
	path = strings.Clone(path)
	req := origin.Request{
		Group: d.group, Class: origin.Segment, Path: path[1:],
		Range: ex.Header.Get("Range"), IfRange: ex.Header.Get("If-Range"),
		IfNoneMatch: ex.Header.Get("If-None-Match"), IfModifiedSince: ex.Header.Get("If-Modified-Since"),
	}
	a, err := d.shield.Fetch(ex.Context(), &req)
	if err != nil {
		status := 502
		if e := (*origin.Error)(nil); errors.As(err, &e) {
			status = e.HTTPStatus()
		}
		ex.Fail(status, "the origin does not give it")
		return path
	}
	a.Respond(ex)
	return path
}

// record keeps a line of the log and tells who waits for it.
func (d *CDN) record(e Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	if len(d.entries) == keptEntries {
		d.entries = append(d.entries[:0], d.entries[keptEntries/2:]...)
	}
	d.entries = append(d.entries, e)
	kept := d.waiters[:0]
	for _, w := range d.waiters {
		if w.matches(e) {
			w.found <- e
		} else {
			kept = append(kept, w)
		}
	}
	d.waiters = kept
}

type waiter struct {
	matches func(Entry) bool
	found   chan Entry
}

// Log gives the lines since a moment.
func (d *CDN) Log(since time.Time) []Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Entry
	for _, e := range d.entries {
		if !e.Time.Before(since) {
			out = append(out, e)
		}
	}
	return out
}

// Await gives the next request that matches.
func (d *CDN) Await(ctx context.Context, matches func(Entry) bool) (Entry, error) {
	w := &waiter{matches: matches, found: make(chan Entry, 1)}
	d.mu.Lock()
	d.waiters = append(d.waiters, w)
	d.mu.Unlock()
	select {
	case e := <-w.found:
		return e, nil
	case <-ctx.Done():
		d.mu.Lock()
		defer d.mu.Unlock()
		for i, have := range d.waiters {
			if have == w {
				d.waiters = append(d.waiters[:i], d.waiters[i+1:]...)
				break
			}
		}
		return Entry{}, fmt.Errorf("cannot see the request at CDN %s: %w", d.ID, ctx.Err())
	}
}

// Requests counts what was asked so far.
func (d *CDN) Requests() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests
}
