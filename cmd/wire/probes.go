package wire

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"manifold/internal/dial"
	"manifold/proxy"
	"manifold/steering"
	"manifold/steering/probe"
)

// probes watch the CDNs and tell the steering. What a reload does not change
// goes on without being disturbed; what it takes away is taken to be healthy.
// Only one goroutine at a time calls set.
type probes struct {
	ctx        context.Context
	conditions *proxy.Conditions
	log        *slog.Logger
	allow      []netip.Prefix
	transport  *http.Transport
	running    map[probe.Target]*watch
}

// watch is one target being watched.
type watch struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

func newProbes(ctx context.Context, c *proxy.Conditions, log *slog.Logger) *probes {
	return &probes{ctx: ctx, conditions: c, log: log, running: map[probe.Target]*watch{}}
}

// set watches these targets and no others.
func (p *probes) set(targets []probe.Target, allow []netip.Prefix) {
	keep := map[probe.Target]bool{}
	if p.transport == nil || !slices.Equal(allow, p.allow) {
		dialer := &dial.Dialer{Allow: allow}
		p.allow = allow
		p.transport = &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}
	} else {
		for _, t := range targets {
			keep[t] = true
		}
	}
	var gone []probe.Target
	for t, w := range p.running {
		if !keep[t] {
			w.stop()
			gone = append(gone, t)
		}
	}
	for _, t := range gone {
		p.running[t].done.Wait()
		delete(p.running, t)
		p.forget(t)
	}
	for _, t := range targets {
		if p.running[t] == nil {
			p.start(t)
		}
	}
}

// forget takes back what was believed of a target that is watched no more.
// Where its pathway is gone as well there is nothing to take back.
func (p *probes) forget(t probe.Target) {
	_ = p.conditions.SetHealth(t.Set, t.ID, steering.Healthy, "")
}

func (p *probes) start(t probe.Target) {
	ctx, stop := context.WithCancel(p.ctx)
	w := &watch{stop: stop}
	p.running[t] = w
	prober := probe.Prober{Transport: p.transport, Changed: p.changed}
	p.forget(t) // the prober begins with the same belief
	w.done.Go(func() { prober.Run(ctx, []probe.Target{t}) })
}

func (p *probes) changed(t *probe.Target, health steering.Health, cause error) {
	why := ""
	if cause != nil {
		why = cause.Error()
	}
	if err := p.conditions.SetHealth(t.Set, t.ID, health, why); err != nil {
		p.log.Error("cannot set health", "error", err)
		return
	}
	p.log.Warn("pathway health changed", "set", t.Set, "pathway", t.ID, "health", health.String(), "cause", cause)
}

// wait waits until all probing has ended, after ctx has.
func (p *probes) wait() {
	for _, w := range p.running {
		w.stop()
		w.done.Wait()
	}
}
