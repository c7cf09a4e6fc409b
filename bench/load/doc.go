// Package load runs a scenario: its viewers arrive in an open loop, whether the
// target keeps up or not, and each asks for its manifests and steering answers
// over real connections when its player would. Segments are counted, and come
// at the speed of the viewer's network; a share of the viewers fetches them.
//
// One goroutine holds all viewers and a heap of what is due next; requests run
// in goroutines of their own, within a bound. A latency counts from when its
// request was due, so that waiting in the generator counts too, and where
// requests are repeated those count that a slow answer kept from being made
// (coordinated omission). How late the loop is and how much processor it takes
// is measured besides, and a generator that is too slow says so.
//
// Locks: none of its own; the loop owns everything, and answers reach it over a
// channel.
package load
