package proxy

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"manifold/exchange"
	"manifold/geo"
	"manifold/origin"
)

// Proxy serves viewers. Make one with [New], give it a configuration with
// [Proxy.Load].
type Proxy struct {
	shield     *origin.Shield
	conditions *Conditions
	log        *slog.Logger
	now        func() time.Time
	geo        *geo.Locator
	current    atomic.Pointer[snapshot]
	shadow     atomic.Pointer[Shadow]
	requests   sync.Pool
	counting   counting
	siblings   siblings
}

// New makes a proxy over a shield. It serves 503 until Load succeeded.
func New(shield *origin.Shield, log *slog.Logger, now func() time.Time) *Proxy {
	p := &Proxy{shield: shield, conditions: NewConditions(now), log: log, now: now, geo: &geo.Locator{}}
	p.requests.New = func() any { return &request{p: p} }
	return p
}

// Load makes cfg the configuration, at once and whole: requests that have
// begun end with the old one. On an error the old one stays.
func (p *Proxy) Load(cfg *Config) error {
	s, err := p.newSnapshot(cfg)
	if err != nil {
		return err
	}
	p.conditions.attach(s.sets)
	p.current.Store(s)
	return nil
}

// Geo are the databases by which viewers are placed.
func (p *Proxy) Geo() *geo.Locator { return p.geo }

// Conditions are the drains and the health of the pathways.
func (p *Proxy) Conditions() *Conditions { return p.conditions }

// Ready tells nil when a configuration is loaded.
func (p *Proxy) Ready() error {
	if p.current.Load() == nil {
		return errors.New("no configuration is loaded")
	}
	return nil
}

// begin takes a request from the pool and binds it to the exchange and to the
// configuration of this moment.
func (p *Proxy) begin(ex *exchange.Exchange) *request {
	r := p.requests.Get().(*request)
	r.ex, r.snap, r.now = ex, p.current.Load(), p.now()
	if r.snap != nil && r.snap.explain != nil {
		r.traceIfAsked()
	}
	return r
}

// end gives the request back.
func (p *Proxy) end(r *request) {
	*r = request{p: p, text: r.text[:0]}
	p.requests.Put(r)
}
