// Package console is the admin side: its own listener (loopback by default)
// with the API under /api/v1/, health and readiness, metrics.
//
// It knows HTTP and JSON; what it shows and changes it asks for through the
// small interfaces in console.go. Reads are open to who reaches the listener,
// writes need the token. No locks.
package console
