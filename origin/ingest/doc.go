// Package ingest is the content server: it serves a tree of manifests and
// segments, and takes them in from an encoder or packager where that is
// allowed.
//
// Reading is plain HTTP (RFC 9110): GET and HEAD with entity tags, dates,
// conditional requests and single byte ranges, freshness that fits what the
// object is (see [Lifetime]), CORS open to all. Writing is PUT, POST (the
// same as PUT: what encoders send) and DELETE by a token or from loopback;
// an object appears when its last byte came, never before. A path whose last
// element is "time" answers with the clock, for DASH UTCTiming.
//
// It knows objects by their names' extensions and peeks into manifests for
// one thing, whether they change; it makes none (origin/pack does). It has no
// locks of its own; those of origin/store are held inside its calls only.
package ingest
