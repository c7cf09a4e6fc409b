package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

var protocols = []string{"h1", "h2", "h3"}

// streams is how many requests share a connection of HTTP/2 and HTTP/3: as
// many as the edge allows by default.
const streams = 100

// client is a client of one protocol: any number of connections of HTTP/1.1,
// one of the others.
type client struct {
	http.RoundTripper
	protocol, base string
}

func (e *edge) client(protocol string) *client {
	e.t.Helper()
	trust := &tls.Config{RootCAs: e.trust}
	if protocol == "h3" {
		t := &http3.Transport{TLSClientConfig: trust, DisableCompression: true}
		e.t.Cleanup(func() { _ = t.Close() })
		return &client{t, protocol, e.secure}
	}
	t := &http.Transport{TLSClientConfig: trust, DisableCompression: true, MaxIdleConnsPerHost: 1 << 20, Protocols: new(http.Protocols)}
	t.Protocols.SetHTTP1(protocol == "h1")
	t.Protocols.SetHTTP2(protocol == "h2")
	e.t.Cleanup(t.CloseIdleConnections)
	if protocol == "h1" {
		return &client{t, protocol, e.plain}
	}
	return &client{t, protocol, e.secure}
}

// clients gives n clients, each n-th of them the same one where its connection
// has room for more: one per connection of h2 and h3, with a stream to spare.
func (e *edge) clients(protocol string, n int) []*client {
	var distinct []*client
	per := n
	if protocol != "h1" {
		per = streams - 1
	}
	for range (n + per - 1) / per {
		distinct = append(distinct, e.client(protocol))
	}
	all := make([]*client, n)
	for i := range all {
		all[i] = distinct[i/per]
	}
	return all
}

// answer is an answer that came whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a path of the edge, or for a URL.
func (c *client) get(ctx context.Context, path string) (*answer, error) {
	res, err := c.open(ctx, path)
	if err != nil {
		return nil, err
	}
	return whole(res)
}

// open asks, and leaves the body to the caller.
func (c *client) open(ctx context.Context, path string) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at(c.base, path), nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("User-Agent", player)
	return c.RoundTrip(q)
}

// player is a User-Agent like hls.js brings along.
const player = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

func whole(res *http.Response) (*answer, error) {
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.ContentLength >= 0 && int64(len(b)) != res.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("after %d bytes of a %d: %w", len(b), res.StatusCode, err)
	}
	return &answer{res.StatusCode, res.Header, string(b)}, nil
}

// at gives a path, or the path of a URL, at a server.
func at(server, path string) string {
	if i := strings.Index(path, "://"); i >= 0 {
		path = path[i+3:]
		path = path[strings.IndexByte(path, '/'):]
	}
	return server + path
}

// fetch gives what must be there.
func fetch(t *testing.T, rt http.RoundTripper, url string) *answer {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("User-Agent", player)
	res, err := rt.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	a, err := whole(res)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// enter comes in at a multivariant playlist, as a session of the channel, and
// gives the path of its first variant.
func (e *edge) enter(entry, session string) string {
	e.t.Helper()
	a := fetch(e.t, http.DefaultTransport, e.plain+entry+"?device=hlsjs&CMCD="+url.QueryEscape(`sid="`+session+`"`))
	if a.status != http.StatusOK {
		e.t.Fatalf("%s: %d %s", entry, a.status, a.body)
	}
	return resolve(e.t, e.plain+entry, firstURI(e.t, a.body))
}

// firstURI is the first line of a playlist that is neither tag nor comment.
func firstURI(t *testing.T, playlist string) string {
	t.Helper()
	for line := range strings.Lines(playlist) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	t.Fatalf("no URI in the playlist:\n%s", playlist)
	return ""
}

// resolve gives the path of a reference in the document at a URL.
func resolve(t *testing.T, document, reference string) string {
	t.Helper()
	u, err := url.Parse(document)
	if err == nil {
		u, err = u.Parse(reference)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// sibling gives another file of the same folder.
func sibling(file, name string) string { return path.Dir(file) + "/" + name }

// waitFor waits until something is closed.
func waitFor(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	select {
	case <-event:
	case <-ctx.Done():
		t.Fatalf("%s does not happen", what)
	}
}

// countdown closes done when n things have happened.
type countdown struct {
	left atomic.Int64
	done chan struct{}
}

func newCountdown(n int) *countdown {
	c := &countdown{done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) one() {
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}

// openLoop begins requests at a rate until stop, whatever becomes of those
// before, and gives their number.
func openLoop(rate int, stop <-chan struct{}, begin func(i int)) (n int) {
	tick := time.NewTicker(max(time.Second/time.Duration(rate), time.Millisecond))
	defer tick.Stop()
	for start := time.Now(); ; {
		for due := int(time.Since(start).Seconds() * float64(rate)); n < due; n++ {
			begin(n)
		}
		select {
		case <-stop:
			return n
		case <-tick.C:
		}
	}
}

// complaints keeps the first few of many errors.
type complaints struct {
	n    atomic.Int64
	list [5]atomic.Pointer[string]
}

func (c *complaints) add(format string, args ...any) {
	if i := c.n.Add(1) - 1; i < int64(len(c.list)) {
		text := fmt.Sprintf(format, args...)
		c.list[i].Store(&text)
	}
}

// report fails the test for them.
func (c *complaints) report(t *testing.T) {
	t.Helper()
	if c.n.Load() == 0 {
		return
	}
	var all []error
	for i := range c.list {
		if text := c.list[i].Load(); text != nil {
			all = append(all, errors.New(*text))
		}
	}
	t.Errorf("%d failures, the first of them:\n%v", c.n.Load(), errors.Join(all...))
}
