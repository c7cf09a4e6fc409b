// Package listen is the edge's front door: it carries HTTP/1.1, HTTP/2 and
// HTTP/3 on one port number (and plain HTTP/1.1 on others), fills one pooled
// [exchange.Exchange] for each request whatever the protocol, calls one
// [exchange.Handler] and writes what it left. It knows sockets, TLS, framing,
// deadlines and limits, and refuses what could be read in two ways; it does
// not know channels, manifests or tokens.
//
// # One port, three protocols
//
// TCP connections are accepted here, counted, and shaken hands with; ALPN then
// hands them to fasthttp (http/1.1) or to x/net's HTTP/2 server (h2). UDP of
// the same number goes to quic-go. HTTP/2 frames pass a guard that budgets
// what costs the client nothing and the server something (resets, PING,
// SETTINGS, CONTINUATION …) before the server sees them. x/net rather than
// net/http, because its write scheduler obeys RFC 9218 priorities and because
// it turns an error of the guard into GOAWAY(ENHANCE_YOUR_CALM).
//
// # Locks
//
// conns.mu (who is connected), hangups.mu (whom to tell of a hang-up),
// guard.wmu (one HTTP/2 connection's writes) and lazyContext.mu (one
// exchange) are never held together, except that conns.mu is held while a
// guard is asked for a GOAWAY only by copying the list first.
package listen
