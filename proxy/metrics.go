package proxy

import (
	"maps"
	"sync"
	"sync/atomic"

	"manifold/exchange"
	"manifold/explain"
	"manifold/manifest"
	"manifold/origin"
)

// served is what a request turned out to be, for counting.
type served uint8

const (
	servedOther served = iota
	servedMultivariant
	servedMedia
	servedMPD
	servedSteering
	servedSegment
	servedKinds
)

var servedNames = [servedKinds]string{"other", "multivariant", "media", "mpd", "steering", "segment"}

// statusClasses are 1xx to 5xx; 0 is a status out of that range.
const statusClasses = 6

// stop is a stage of a request, for counting where requests end.
type stop uint8

const (
	atListen stop = iota
	atRoute
	atAccess
	atChoose
	atFetch
	atCompile
	atPlan
	atRender
	stops
)

var stopNames = [stops]explain.Stage{
	explain.Listen, explain.Route, explain.Access, explain.Choose, explain.Fetch, explain.Compile, explain.Plan, explain.Render,
}

// counters count one channel's requests. They are resolved when a
// configuration is loaded, and outlive it.
type counters struct {
	requests [servedKinds][exchange.HTTP3 + 1][statusClasses]atomic.Uint64
	bytes    [servedKinds]atomic.Uint64
	events   [eventKinds]atomic.Uint64
	refusals [stops]atomic.Uint64
}

// event is something of a channel that an operator may want to know of.
type event uint8

const (
	// unknownTier: a token named a tier that the channel does not have.
	unknownTier event = iota
	// unreadableVersion: the origin's new version cannot be compiled, and the
	// one before is served.
	unreadableVersion
	// sequenceWentBack: a live playlist's media sequence did, and the one
	// before is served.
	sequenceWentBack
	eventKinds
)

var eventNames = [eventKinds]string{"unknown_tier", "unreadable_version", "sequence_went_back"}

// happened counts an event of the request's channel.
func (r *request) happened(e event) {
	if r.imagined == nil {
		r.ch.counters.events[e].Add(1)
	}
}

// counting keeps the counters of all channels by name; "" is for requests that
// found no channel.
type counting struct {
	mu   sync.Mutex
	byID map[string]*counters
	lost counters
}

// of gives a channel's counters.
func (c *counting) of(channel string) *counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]*counters{}
	}
	if c.byID[channel] == nil {
		c.byID[channel] = &counters{}
	}
	return c.byID[channel]
}

// count counts an answered request.
func (r *request) count() {
	if r.imagined != nil {
		return
	}
	c := &r.p.counting.lost
	if r.ch != nil {
		c = r.ch.counters
	}
	class := r.ex.Status / 100
	if class < 0 || class >= statusClasses {
		class = 0
	}
	protocol := min(r.ex.Protocol, exchange.HTTP3)
	c.requests[r.served][protocol][class].Add(1)
	if class >= 4 {
		c.refusals[r.stop].Add(1)
	}
	c.bytes[r.served].Add(uint64(len(r.ex.Content())))
}

// servedAs is the kind of a manifest, for counting.
func servedAs(k manifest.Kind) served {
	switch k {
	case manifest.HLSMultivariant:
		return servedMultivariant
	case manifest.HLSMedia:
		return servedMedia
	case manifest.DASH:
		return servedMPD
	}
	return servedOther
}

// Count is how many requests of one sort were answered.
type Count struct {
	// Channel is "" for requests that found none.
	Channel  string
	Kind     string // multivariant, media, mpd, steering, segment, other
	Protocol string // h1, h2, h3
	// Class is the status code's first digit, 0 for none.
	Class    int
	Requests uint64
}

// all gives the counters by channel, "" for requests that found none.
func (c *counting) all() map[string]*counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]*counters{"": &c.lost}
	maps.Copy(all, c.byID)
	return all
}

// EachRefusal calls f for every stage that refused requests of a channel, by
// the name that explanations call it.
func (p *Proxy) EachRefusal(f func(channel, stage string, n uint64)) {
	for name, c := range p.counting.all() {
		for s := range c.refusals {
			if n := c.refusals[s].Load(); n > 0 {
				f(name, string(stopNames[s]), n)
			}
		}
	}
}

// EachCount calls f for every sort of request that was seen.
func (p *Proxy) EachCount(f func(Count)) {
	for name, c := range p.counting.all() {
		for kind := range c.requests {
			for protocol := range c.requests[kind] {
				for class := range c.requests[kind][protocol] {
					if n := c.requests[kind][protocol][class].Load(); n > 0 {
						f(Count{name, servedNames[kind], exchange.Protocol(protocol).String(), class, n})
					}
				}
			}
		}
	}
}

// EachBytes calls f for every kind of answer with the bytes of its bodies, but
// for those that were streamed.
func (p *Proxy) EachBytes(f func(channel, kind string, bytes uint64)) {
	p.counting.mu.Lock()
	defer p.counting.mu.Unlock()
	for name, c := range p.counting.byID {
		for kind := range c.bytes {
			if n := c.bytes[kind].Load(); n > 0 {
				f(name, servedNames[kind], n)
			}
		}
	}
}

// EachShield calls f for every channel that is configured, with what its
// requests came to at the shield. They begin anew when the channel's origin is
// configured otherwise.
func (p *Proxy) EachShield(f func(channel string, c origin.GroupCounters)) {
	s := p.current.Load()
	if s == nil {
		return
	}
	for name, ch := range s.channels {
		f(name, ch.group.Counters())
	}
}

// EachEvent calls f for every event of every channel, also those that did not
// happen yet: an alarm on their rate needs the zero.
func (p *Proxy) EachEvent(f func(channel, event string, n uint64)) {
	p.counting.mu.Lock()
	defer p.counting.mu.Unlock()
	for name, c := range p.counting.byID {
		for e := range c.events {
			f(name, eventNames[e], c.events[e].Load())
		}
	}
}
