// Package wire puts a running edge together from its configuration: the one
// place, beside the subcommands, that knows all packages. It starts the parts
// in order and stops them in reverse, and exchanges their configuration while
// they run.
//
// Locks: Edge.mu is held for a reload as a whole and guards what a reload
// changes; nothing on a request's way takes it. It is held while conditions of
// the proxy (its own lock) are set, never the other way round.
package wire
