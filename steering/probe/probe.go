package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"manifold/steering"
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
	// Slow is how long an answer may take: DownIn slower ones in a row mean
	// that the target works badly, and better again after UpIn that took less
	// than four fifths of it. 0 never.
	Slow time.Duration
	// CoolDown is how long at least something bad is believed; 0 has no least.
	CoolDown time.Duration
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

// Changed is told each believed change; cause says why a target is not
// healthy.
type Changed func(t *Target, h steering.Health, cause error)

// Prober watches targets. Transport is how: its dialer decides which addresses
// may be reached.
type Prober struct {
	Transport http.RoundTripper
	Changed   Changed
}

// Run watches until ctx ends. Targets are taken to be healthy at first.
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
	var b belief
	for {
		began := time.Now()
		err := ask(ctx, client, t)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		took := now.Sub(began)
		if b.count(t, t.judge(took, err), now) {
			if err == nil && b.health != steering.Healthy {
				err = fmt.Errorf("%s answers slowly or not always: the last time after %s", t.ID, took.Round(time.Millisecond))
			}
			p.Changed(t, b.health, err)
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

func or[T comparable](v, zero T) T {
	var none T
	if v == none {
		return zero
	}
	return v
}
