package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Target is one thing to watch.
type Target struct {
	// Set and ID name the pathway.
	Set, ID string
	// URL is asked by GET. Any answer below 500 means that it works: a probe
	// carries no token, so 403 is the sound of a healthy CDN.
	URL string
	// Every is the time between two questions, 0 means 2 s; Timeout is how
	// long one may take, 0 means 2 s.
	Every, Timeout time.Duration
	// DownIn failures in a row mean down, UpIn successes in a row mean up
	// again; 0 means 2 and 3.
	DownIn, UpIn int
}

// WithDefaults gives the target in force: what each zero value means is in
// its place.
func (t Target) WithDefaults() Target { return t.withDefaults() }

func (t Target) withDefaults() Target {
	t.Every = or(t.Every, 2*time.Second)
	t.Timeout = or(t.Timeout, 2*time.Second)
	t.DownIn = or(t.DownIn, 2)
	t.UpIn = or(t.UpIn, 3)
	return t
}

// Changed is told each believed change; err says why a target is down.
type Changed func(t *Target, up bool, err error)

// Prober watches targets. Transport is how: its dialer decides which addresses
// may be reached.
type Prober struct {
	Transport http.RoundTripper
	Changed   Changed
}

// Run watches until ctx ends. Targets are taken to be up at first.
func (p *Prober) Run(ctx context.Context, targets []Target) {
	var wg sync.WaitGroup
	for _, t := range targets {
		t := t.withDefaults()
		wg.Go(func() { p.watch(ctx, &t) })
	}
	wg.Wait()
}

func (p *Prober) watch(ctx context.Context, t *Target) {
	// A redirect is an answer; where it leads is none of a probe's business.
	client := &http.Client{Transport: p.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tick := time.NewTicker(t.Every)
	defer tick.Stop()
	c := counter{up: true, downIn: t.DownIn, upIn: t.UpIn}
	for {
		err := ask(ctx, client, t)
		if ctx.Err() != nil {
			return
		}
		if c.count(err == nil) {
			p.Changed(t, c.up, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// maxBody is how much of an answer is read, so that the connection can be used
// again.
const maxBody = 64 << 10

func ask(ctx context.Context, client *http.Client, t *Target) error {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
	if err != nil {
		return fmt.Errorf("cannot make probe: %w", err)
	}
	req.Header.Set("User-Agent", "manifold-probe")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cannot probe %s: %w", t.ID, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	if res.StatusCode >= 500 {
		return fmt.Errorf("cannot probe %s: status %d", t.ID, res.StatusCode)
	}
	return nil
}

// counter believes a change when it was seen often enough in a row.
type counter struct {
	up           bool
	run          int
	downIn, upIn int
}

// count takes one result and tells whether the belief changed.
func (c *counter) count(ok bool) bool {
	if ok == c.up {
		c.run = 0
		return false
	}
	c.run++
	need := c.downIn
	if ok {
		need = c.upIn
	}
	if c.run < need {
		return false
	}
	c.up, c.run = ok, 0
	return true
}

func or[T comparable](v, zero T) T {
	var none T
	if v == none {
		return zero
	}
	return v
}
