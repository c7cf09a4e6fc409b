package console

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"manifold/origin"
	"manifold/proxy"
)

// Sources are what /metrics reads. The hot paths count in plain atomics; the
// names and labels are put on when somebody asks.
type Sources struct {
	Requests interface {
		EachCount(f func(proxy.Count))
		EachBytes(f func(channel, kind string, bytes uint64))
		EachRefusal(f func(channel, stage string, n uint64))
		EachEvent(f func(channel, event string, n uint64))
		EachShield(f func(channel string, c origin.GroupCounters))
	}
	Pathways func() []proxy.PathwayStatus
	Shield   func() origin.Counters
	Listen   func() Connections
	// Shadow counts the answers that were read again, by what came of it.
	Shadow func() map[string]uint64
}

// Connections is what a listener counts.
type Connections struct {
	// TCP and QUIC are the connections open now.
	TCP, QUIC int
	// Requests are in flight: being answered, or, Waiting of them, held until
	// something happens.
	Requests, Waiting int64
	// Events counts what happened, by name.
	Events map[string]uint64
}

// AddMetrics adds /metrics.
func (c *Console) AddMetrics(s Sources) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{s})
	c.Read("GET /metrics", func(w http.ResponseWriter, q *http.Request) {
		promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, q)
	})
}

type collector struct{ s Sources }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("manifold_"+name, help, labels, nil)
}

var (
	requestsTotal  = describe("requests_total", "Requests answered.", "channel", "kind", "protocol", "class")
	bytesTotal     = describe("response_bytes_total", "Bytes of manifests and steering answers, before HTTP framing.", "channel", "kind")
	refusalsTotal  = describe("refusals_total", "Requests answered with an error, by the stage that they ended in.", "channel", "stage")
	channelEvents  = describe("channel_events_total", "What happened on a channel that an operator may want to know of.", "channel", "event")
	pathwayHealth  = describe("pathway_health", "1 for the state a pathway is in.", "set", "pathway", "state")
	pathwayChanges = describe("pathway_health_changes_total", "How often a pathway's health changed.", "set", "pathway")
	pathwayDrained = describe("pathway_drained", "1 while an operator drains the pathway.", "set", "pathway")
	pathwayLoad    = describe("pathway_load", "Load as reported to the admin API.", "set", "pathway")
	shieldRequests = describe("shield_requests_total", "What the requests of a channel came to at the shield.", "channel", "result")
	originRequests = describe("origin_requests_total", "Requests sent to the channel's origins, redirects, retries and hedges included.", "channel")
	originErrors   = describe("origin_errors_total", "Exchanges with the channel's origins that failed.", "channel")
	originBytes    = describe("origin_received_bytes_total", "Bytes of bodies from the channel's origins, decoded.", "channel")
	originAgain    = describe("origin_second_requests_total", "Second requests for the same thing, after a failure (retry) or beside a slow one (hedge).", "channel", "why")
	compilesTotal  = describe("compiles_total", "Versions of manifests compiled.", "channel")
	compilesFailed = describe("compile_errors_total", "Versions that could not be compiled, of those.", "channel")
	shieldEntries  = describe("shield_entries", "Entries held.", "zone")
	shieldBytes    = describe("shield_bytes", "Bytes held.", "zone")
	shieldEvents   = describe("shield_events_total", "What happened to entries.", "event")
	shadowTotal    = describe("shadow_total", "Answers of the sample that is read again, by what came of it.", "result")
	connections    = describe("connections", "Connections open.", "transport")
	inFlight       = describe("requests_in_flight", "Requests being answered, those that wait among them; not the sending of what is streamed.")
	waiting        = describe("requests_waiting", "Requests held until something happens, as a blocking playlist reload is.")
	connEvents     = describe("connection_events_total", "What happened to connections and to requests that no channel saw.", "event")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requestsTotal, bytesTotal, refusalsTotal, channelEvents, pathwayHealth, pathwayChanges, pathwayDrained, pathwayLoad,
		shieldRequests, originRequests, originErrors, originBytes, originAgain, compilesTotal, compilesFailed, shieldEntries, shieldBytes, shieldEvents,
		shadowTotal, connections, inFlight, waiting, connEvents} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	c.s.Requests.EachCount(func(n proxy.Count) {
		counter(requestsTotal, float64(n.Requests), n.Channel, n.Kind, n.Protocol, strconv.Itoa(n.Class)+"xx")
	})
	c.s.Requests.EachBytes(func(channel, kind string, bytes uint64) { counter(bytesTotal, float64(bytes), channel, kind) })
	c.s.Requests.EachRefusal(func(channel, stage string, n uint64) { counter(refusalsTotal, float64(n), channel, stage) })
	c.s.Requests.EachEvent(func(channel, event string, n uint64) { counter(channelEvents, float64(n), channel, event) })
	for _, p := range c.s.Pathways() {
		for _, state := range []string{"healthy", "degraded", "down"} {
			gauge(pathwayHealth, truth(p.Health == state), p.Set, p.ID, state)
		}
		counter(pathwayChanges, float64(p.HealthChanges), p.Set, p.ID)
		gauge(pathwayDrained, truth(p.Drain != nil), p.Set, p.ID)
		gauge(pathwayLoad, p.Load, p.Set, p.ID)
	}
	c.s.Requests.EachShield(func(channel string, n origin.GroupCounters) { shielded(counter, channel, &n) })
	s := c.s.Shield()
	gauge(shieldEntries, float64(s.LiveEntries), "live")
	gauge(shieldEntries, float64(s.RecentEntries), "recent")
	gauge(shieldBytes, float64(s.LiveBytes), "live")
	gauge(shieldBytes, float64(s.RecentBytes), "recent")
	gauge(shieldBytes, float64(s.FillingBytes), "filling")
	for event, n := range map[string]int64{
		"live_refused": s.LiveRefused, "expired": s.Expired, "moved": s.Moved, "library_set": s.LibrarySets,
		"library_dropped": s.LibraryDropped, "library_rejected": s.LibraryRejected, "library_evicted": s.LibraryEvicted,
	} {
		counter(shieldEvents, float64(n), event)
	}
	for result, n := range c.s.Shadow() {
		counter(shadowTotal, float64(n), result)
	}
	c.listener(counter, gauge)
}

func shielded(counter func(d *prometheus.Desc, v float64, labels ...string), channel string, n *origin.GroupCounters) {
	for result, v := range map[string]int64{
		"hit": n.Hits, "stale": n.Stale, "stale-if-error": n.StaleOnError, "negative": n.Negative, "miss": n.Misses,
		"coalesced": n.Coalesced, "revalidated": n.Revalidated, "pass": n.Passed, "failed": n.Failed,
	} {
		counter(shieldRequests, float64(v), channel, result)
	}
	counter(originRequests, float64(n.OriginRequests), channel)
	counter(originErrors, float64(n.OriginErrors), channel)
	counter(originBytes, float64(n.OriginBytes), channel)
	counter(originAgain, float64(n.Retries), channel, "retry")
	counter(originAgain, float64(n.Hedges), channel, "hedge")
	counter(compilesTotal, float64(n.Compiles), channel)
	counter(compilesFailed, float64(n.CompileErrors), channel)
}

func (c *collector) listener(counter, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	l := c.s.Listen()
	gauge(connections, float64(l.TCP), "tcp")
	gauge(connections, float64(l.QUIC), "quic")
	gauge(inFlight, float64(l.Requests))
	gauge(waiting, float64(l.Waiting))
	for event, n := range l.Events {
		counter(connEvents, float64(n), event)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
