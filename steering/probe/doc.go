// Package probe asks CDNs regularly whether they work, and tells when the
// answer has changed for long enough to be believed.
//
// It knows one HTTP request and how to count; what a change means is decided
// by who is told (steering). A Prober has one goroutine per target and no
// locks.
package probe
