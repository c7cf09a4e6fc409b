// Package route finds what a canonical request path asks for: which channel
// (by host and longest path prefix), and, below its prefix, whether it is the
// entry address, a session address or a cohort address.
//
// A Table is built once per configuration and never changes. It knows nothing
// of what a channel is: the caller's value is a type parameter. No locks.
package route
