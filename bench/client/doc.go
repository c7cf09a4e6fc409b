// Package client is the HTTP client of the bench: HTTP/1.1, HTTP/2 and HTTP/3
// with a declared connection model (each viewer its own connections, or a
// number of viewers sharing a set), names below localhost on loopback, trust
// options for private certificates, and bounds on everything a server chooses:
// sizes, redirects, times, compressed bodies.
//
// It knows nothing of media. A Clients and its Client may be used from several
// goroutines; Clients has one lock, around the list of transports, never held
// while a request runs.
package client
