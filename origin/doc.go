// Package origin is the shield: a shared HTTP cache for media in front of
// configured origins (RFC 9111), between every viewer's request and the few
// that reach an origin.
//
// It knows HTTP: freshness, validation, coalescing, stale answers, negative
// answers, failover, and which addresses may be fetched at all. It knows no
// manifest syntax: what a manifest says of its window and target duration is
// told to it beside the compiled value ([Compiled]), which it keeps with the
// cached version. It knows nothing of viewers, tokens or sessions; access is
// decided before it is asked, and nothing of a viewer but declared query
// parameters and headers is in a key or goes to an origin.
//
// Storage has two floors. L0 is a synchronous map: its live part keeps
// manifests and segments of a live window for exactly as long as they are
// wanted and is never given up to newcomers; its recent part is a bounded
// queue through which all else passes. What leaves the recent part goes to
// L1, a ristretto cache by byte cost, for VOD and DVR.
//
// Locks, in order: version.mu (a compile runs under it, and what it replaces is compared) → shard.mu (never two
// shards at once) → flight.mu → body.mu. Group has one mutex of its own for
// the table of live folders, and each origin one for its health; nothing is
// called while they are held. A hit takes one shard's lock for reading and
// allocates nothing.
package origin
