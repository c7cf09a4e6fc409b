// Package alternate is a load balancer for tests: an HTTP/1.1 reverse proxy
// that gives each request to the next of its backends, whoever sent it and on
// whatever connection, and remembers which one answered.
//
// It knows no health, no affinity and no retries: what does not survive it
// depends on one backend. Locks: one mutex over the turn and the log.
package alternate
