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
// At a hand-over the next process gets the sockets. TCP's it shares; UDP's it
// alone reads, and passes on to the one before what is of its connections
// (relay.go), so that connections of all protocols end where they began.
//
// # Locks
//
// Listener.life (that it starts and ends once), conns.mu (who is connected),
// lazyContext.mu (one exchange's context), hangups.mu (whom to tell that a peer
// left), guard.wmu (one HTTP/2 connection's writes), shared.mu (who reads a UDP socket),
// quicConn.mu and counter.mu.
// lazyContext.mu is held while hangups.mu is taken; no other is held while
// another is taken.
package listen
