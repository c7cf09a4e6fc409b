// Package steering decides in which order a viewer is to use the pathways, and
// says so in the steering answer that HLS (draft-pantos-content-steering) and
// DASH (ETSI TS 103 998) share.
//
// It is pure: [Choose] maps (viewer, state, now) to an order with reasons. It
// does no HTTP, starts no goroutines, has no locks; states are immutable
// values that somebody else swaps.
package steering
