package listen

import (
	"net"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// phase is what an HTTP/1.1 connection waits for, and since when on the coarse
// clock. A request changes it four times, which costs next to nothing; the
// socket's own deadlines, set three times a request, cost a twentieth of a
// whole request. Once a second the sweep finds those that wait too long and
// puts their deadline in the past: fasthttp then does what it does when a
// deadline passes.
type phase struct{ word atomic.Int64 } // seconds<<2 | activity

type activity int64

// The activities. Content and streams set deadlines of the socket for each
// piece; the handler has the deadline of its context.
const (
	working  activity = iota
	idling            // no request has begun
	arriving          // a request's head, or the first byte of a connection
	leaving           // an answer
)

func (p *phase) begin(a activity, now int64) { p.word.Store(now<<2 | int64(a)) }

// overdue reports whether the activity going on lasts longer than it may; it
// is told at most two seconds late, never early.
func (p *phase) overdue(now int64, cfg *Config) (a activity, over bool) {
	w := p.word.Load()
	a = activity(w & 3)
	var limit time.Duration
	switch a {
	case working:
		return a, false
	case idling:
		limit = cfg.IdleTimeout
	case arriving:
		limit = cfg.HeaderTimeout
	case leaving:
		limit = cfg.WriteTimeout
	}
	return a, time.Duration(now-w>>2-1)*time.Second >= limit
}

var longAgo = time.Unix(1, 0)

// hurry ends what an HTTP/1.1 connection waits for if it is overdue.
func (l *Listener) hurry(c *conn, now int64) {
	switch a, over := c.phase.overdue(now, &l.cfg); {
	case !over:
	case a == leaving:
		_ = c.tcp.SetWriteDeadline(longAgo)
	default:
		_ = c.tcp.SetReadDeadline(longAgo)
	}
}

// stateH1 follows a connection from request to request.
func (l *Listener) stateH1(c net.Conn, s fasthttp.ConnState) {
	info := connOf(c)
	switch s {
	case fasthttp.StateNew, fasthttp.StateActive:
		info.phase.begin(arriving, l.clock.seconds.Load())
	case fasthttp.StateIdle:
		if info.deadlines {
			info.deadlines = false
			_ = info.tcp.SetDeadline(time.Time{})
		}
		info.phase.begin(idling, l.clock.seconds.Load())
		if q := info.request; q != nil {
			q.end()
		}
	case fasthttp.StateHijacked:
		info.phase.begin(working, 0)
	case fasthttp.StateClosed:
		if q := info.request; q != nil { // the connection broke, or the answer was its last
			q.end()
		}
		l.conns.leave(info)
	}
}

// headH1 sees every head when it was read: it gives content its own deadline,
// and spares fasthttp the parsing of the target, which admit does.
func (l *Listener) headH1(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	ctx := contextOf(h)
	ctx.Request.SetURI(&noURI)
	if n := h.ContentLength(); n > 0 || n == -1 {
		info := connOf(ctx.Conn())
		info.phase.begin(working, 0)
		info.deadlines = true
		c.ReadTimeout = l.cfg.BodyTimeout
		// fasthttp waits for as much of the content as this, or 8 KiB, before
		// it calls the handler, which may have an answer without any.
		c.MaxRequestBodySize = 1
	}
	return c
}

var noURI fasthttp.URI

// contextOf gives the request whose header fasthttp shows to HeaderReceived:
// the header lies within it.
func contextOf(h *fasthttp.RequestHeader) *fasthttp.RequestCtx {
	var c *fasthttp.RequestCtx
	return (*fasthttp.RequestCtx)(unsafe.Add(unsafe.Pointer(h), -int(unsafe.Offsetof(c.Request)+unsafe.Offsetof(c.Request.Header))))
}
