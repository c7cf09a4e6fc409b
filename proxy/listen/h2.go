package listen

//lint:file-ignore SA1019 x/net marks its HTTP/2 server as deprecated in favour of net/http's, which in Go 1.26 schedules answers round-robin instead of by RFC 9218, and closes without a word where the guard refuses to read on.

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"

	"golang.org/x/net/http2"

	"manifold/exchange"
)

// h2 is the HTTP/2 server. base holds its settings, and is what it is told to
// shut down through.
type h2 struct {
	server *http2.Server
	base   *http.Server
}

func (l *Listener) newH2() (*h2, error) {
	const window = 256 << 10 // an edge receives little
	h := &h2{
		server: &http2.Server{},
		base: &http.Server{
			// A field longer than this ends the connection, so that what is
			// only a little too large is counted by headerSize and gets 431.
			MaxHeaderBytes: 2 * l.cfg.MaxHeaderBytes,
			IdleTimeout:    l.cfg.IdleTimeout,
			// For an answer made at once; streams move it on, see bound.
			WriteTimeout: l.cfg.RequestTimeout + l.cfg.WriteTimeout,
			ErrorLog:     log.New(quiet{l.cfg.Logger}, "", 0),
			HTTP2: &http.HTTP2Config{
				MaxConcurrentStreams:          l.cfg.MaxStreams,
				MaxReceiveBufferPerConnection: window,
				MaxReceiveBufferPerStream:     window / 4,
				MaxReadFrameSize:              16 << 10,
			},
		},
	}
	return h, http2.ConfigureServer(h.base, h.server)
}

// shutdown sends every connection the last GOAWAY.
func (h *h2) shutdown(ctx context.Context) { _ = h.base.Shutdown(ctx) }

// serveH2 serves a connection to its end.
func (l *Listener) serveH2(tc *tls.Conn, c *conn) {
	g := newGuard(tc, &l.clock, func(what string) {
		l.stats.floods.Add(1)
		l.cfg.Logger.Debug("HTTP/2 connection closed: too many frames of one kind", "kind", what)
	})
	l.conns.setGuard(c, g)
	l.h2.server.ServeConn(g, &http2.ServeConnOpts{
		Context:    l.ctx,
		BaseConfig: l.h2.base,
		Handler:    &h2Handler{l, c, g},
	})
}

// h2Handler is what the HTTP/2 server calls for the requests of one connection.
type h2Handler struct {
	l     *Listener
	conn  *conn
	guard *guard
}

func (h *h2Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := h.l.take(h.conn, w, r, arrival{protocol: exchange.HTTP2, large: h.guard.large.Load()})
	defer q.end()
	if content := q.run(); len(content) > 0 {
		_, err := w.Write(content)
		q.wrote(err)
	}
}
