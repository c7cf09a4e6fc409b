package listen

import (
	"log/slog"
	"sync/atomic"
)

type counters struct {
	active                                                                         atomic.Int64
	accepted, overLimit, overAddress, handshakes, floods, stalled, refused, panics atomic.Uint64
}

// Stats are the listener's counts: of now, and since New.
type Stats struct {
	TCP, QUIC int   // connections open
	Active    int64 // requests that the handler is at, those that wait among them
	Waiting   int64 // requests that wait (Exchange.Gate)

	Accepted          uint64 // connections
	RefusedLimit      uint64 // connections over MaxConnections
	RefusedAddress    uint64 // connections over MaxConnectionsPerAddress
	FailedHandshakes  uint64 // TLS handshakes that failed or took too long
	Floods            uint64 // connections closed for spending a budget
	Stalled           uint64 // HTTP/2 connections closed for keeping us waiting
	RefusedRequests   uint64 // requests that no handler saw
	RecoveredHandlers uint64 // handlers that panicked
}

// Stats gives the counts.
func (l *Listener) Stats() Stats {
	tcp, quic := l.conns.count()
	c := &l.stats
	return Stats{
		TCP: tcp, QUIC: quic, Active: c.active.Load(), Waiting: l.conns.waiting.Waiting(),
		Accepted:          c.accepted.Load(),
		RefusedLimit:      c.overLimit.Load(),
		RefusedAddress:    c.overAddress.Load(),
		FailedHandshakes:  c.handshakes.Load(),
		Floods:            c.floods.Load(),
		Stalled:           c.stalled.Load(),
		RefusedRequests:   c.refused.Load(),
		RecoveredHandlers: c.panics.Load(),
	}
}

// quiet is the log of the libraries. What they have to say is about single
// connections, and may quote requests: only that they said something is kept.
type quiet struct{ *slog.Logger }

// Printf implements fasthttp.Logger.
func (q quiet) Printf(string, ...any) { q.Debug("an HTTP/1.1 connection ended with an error") }

// Write implements io.Writer, for package log.
func (q quiet) Write(p []byte) (int, error) {
	q.Debug("an HTTP/2 connection ended with an error")
	return len(p), nil
}
