package origin

import "sync/atomic"

// counters are the live values of GroupCounters.
type counters struct {
	hits, stale, staleOnError, negative            atomic.Int64
	misses, coalesced, revalidated, passed, failed atomic.Int64
	originRequests, originErrors, originBytes      atomic.Int64
	retries, hedges, compiles, compileErrors       atomic.Int64
	previous                                       atomic.Int64
}

// GroupCounters counts what a group's requests came to, since it was made.
// Every request is in exactly one of the first nine.
type GroupCounters struct {
	// Hits were answered fresh from the cache, Stale while a newer version is
	// asked for, StaleOnError because the origins fail or are slow, Negative
	// with a remembered error.
	Hits, Stale, StaleOnError, Negative int64
	// Misses led a fill, Coalesced joined one, Revalidated led one that a 304
	// confirmed, Passed were fetched for one viewer alone, Failed had nothing
	// to be answered with.
	Misses, Coalesced, Revalidated, Passed, Failed int64
	// OriginRequests counts requests sent (redirects, retries and hedges
	// included), OriginErrors exchanges that failed, OriginBytes the decoded
	// bytes of bodies received.
	OriginRequests, OriginErrors, OriginBytes int64
	// Retries and Hedges are the second requests among them.
	Retries, Hedges int64
	// Compiles counts versions compiled, CompileErrors those that failed.
	Compiles, CompileErrors int64
	// Previous counts answers of the version before, because the last one
	// cannot be served.
	Previous int64
}

// Counters reads the group's counters.
func (g *Group) Counters() GroupCounters {
	c := &g.counters
	return GroupCounters{
		Hits: c.hits.Load(), Stale: c.stale.Load(), StaleOnError: c.staleOnError.Load(), Negative: c.negative.Load(),
		Misses: c.misses.Load(), Coalesced: c.coalesced.Load(), Revalidated: c.revalidated.Load(),
		Passed: c.passed.Load(), Failed: c.failed.Load(),
		OriginRequests: c.originRequests.Load(), OriginErrors: c.originErrors.Load(), OriginBytes: c.originBytes.Load(),
		Retries: c.retries.Load(), Hedges: c.hedges.Load(),
		Compiles: c.compiles.Load(), CompileErrors: c.compileErrors.Load(), Previous: c.previous.Load(),
	}
}
