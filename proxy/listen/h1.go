package listen

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"manifold/exchange"
)

// plainConn is an accepted TCP connection with what is known of it. fasthttp
// is given its first field, a *net.TCPConn, because it writes header and
// content with one system call (writev) only to that type; connOf finds the
// rest again.
type plainConn struct {
	net.TCPConn
	info conn
}

// tlsConn is a TLS connection after its handshake.
type tlsConn struct {
	*tls.Conn
	info conn
}

// connOf gives what is known of a connection that was given to fasthttp.
func connOf(c net.Conn) *conn {
	switch c := c.(type) {
	case *net.TCPConn:
		// Every one that fasthttp sees lies within a plainConn (see
		// Listener.welcome).
		return &(*plainConn)(unsafe.Pointer(c)).info
	case *tlsConn:
		return &c.info
	}
	return nil
}

// queue is a net.Listener whose connections the accept loops put in.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue() *queue { return &queue{conns: make(chan net.Conn), done: make(chan struct{})} }

func (q *queue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, io.EOF
	}
}

func (q *queue) Close() error   { q.once.Do(func() { close(q.done) }); return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

func (l *Listener) newH1() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:         l.serveH1,
		ErrorHandler:    l.failH1,
		ExpectHandler:   l.expectH1,
		HeaderReceived:  l.headH1,
		ConnState:       l.stateH1,
		ReadBufferSize:  l.cfg.MaxHeaderBytes,
		Concurrency:     1 << 24, // conns has the limit
		Logger:          quiet{l.cfg.Logger},
		LazyRequestTime: true,
		// Content is streamed; its bound is kept by admit and bodyReader.
		StreamRequestBody:            true,
		MaxRequestBodySize:           1 << 20,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		MaxIdleWorkerDuration:        2 * time.Second,
	}
}

// request1 is an HTTP/1.1 request while it is answered. fasthttp writes the
// answer after the handler has returned, from the very bytes in the Exchange;
// when it is done, or has failed, stateH1 ends request1.
type request1 struct {
	l    *Listener
	ctx  *fasthttp.RequestCtx
	conn *conn
	ex   *exchange.Exchange
	head head
	wait *lazyContext
	body bodyReader
}

var requests1 = sync.Pool{New: func() any { return &request1{wait: &lazyContext{}} }}

// end gives back what the answer needed.
func (q *request1) end() {
	q.conn.request = nil
	ended := q.wait
	reusable := ended.finish()
	q.l.closeStream(q.ex)
	exchange.Release(q.ex)
	if reusable {
		ended.parent = nil
	} else {
		ended = &lazyContext{} // somebody may hold the old one
	}
	*q = request1{head: head{lines: q.head.lines[:0]}, wait: ended}
	requests1.Put(q)
}

// watchPeer watches the connection while its request waits or is streamed.
func (q *request1) watchPeer(gone func()) (stop func()) {
	stop, err := q.l.hangups.watch(q.conn.tcp, gone)
	if err != nil {
		q.l.cfg.Logger.Debug("cannot watch for a hang-up", "error", err)
		return nil
	}
	return stop
}

func (l *Listener) serveH1(ctx *fasthttp.RequestCtx) {
	q := requests1.Get().(*request1)
	q.l, q.ctx, q.conn = l, ctx, connOf(ctx.Conn())
	q.conn.phase.begin(working, 0)
	q.wait.parent, q.wait.timeout = l.ctx, l.cfg.RequestTimeout
	if q.wait.watch == nil {
		q.wait.watch = q.watchPeer
	}
	q.ex = exchange.Acquire(q.wait, &q.conn.address.gate)
	q.conn.request = q

	r := q.fill()
	if r == nil {
		l.call(q.ex)
		q.wait.handled()
	} else {
		l.refuse(q.ex, r)
	}
	if l.draining.Load() || r != nil && r.broken {
		ctx.SetConnectionClose()
	}
	q.answer()
	if r == refusedBody || q.ex.RequestBody != nil && q.body.unread() > readAnyway {
		q.lingerAfter()
	}
}

// readAnyway is how much content that no handler read fasthttp reads to keep
// the connection.
const readAnyway = 256 << 10

// fill makes the Exchange from the request.
func (q *request1) fill() *refusal {
	ex, h := q.ex, &q.ctx.Request.Header
	ex.Protocol, ex.TLS, ex.ALPN, ex.ServerName = exchange.HTTP1, q.conn.tls, q.conn.alpn, q.conn.serverName
	ex.Remote = q.conn.remote
	if v := h.Protocol(); string(v) != "HTTP/1.1" && string(v) != "HTTP/1.0" {
		return refusedVersion
	}
	if r := q.head.parse(h.RawHeaders(), q.l.cfg.MaxHeaderBytes, q.l.cfg.MaxHeaderFields); r != nil {
		return r
	}
	ex.Header, ex.EarlyData = &q.head, q.head.earlyData
	ex.Priority = parsePriority(q.head.priority)
	if q.head.host == "" && !h.IsHTTP11() { // which need not say it (RFC 9112, section 3.2): the address it came to
		q.head.host = q.ctx.LocalAddr().String()
	}
	target, size := text(h.RequestURI()), int64(h.ContentLength())
	if target[0] != '/' {
		var r *refusal
		if target, r = originForm(target, q.head.host); r != nil {
			return r
		}
	}
	r := q.l.admit(ex, text(h.Method()), q.head.host, target, size)
	if r == nil && (size > 0 || size == -1) {
		q.body = bodyReader{
			src: q.ctx.RequestBodyStream(), size: size, left: q.l.cfg.MaxRequestBody,
			timeout: q.l.cfg.BodyTimeout, deadline: q.ctx.Conn().SetReadDeadline,
		}
		ex.RequestBody = &q.body
	}
	return r
}

// answer hands the Exchange's answer to fasthttp.
func (q *request1) answer() {
	q.conn.phase.begin(leaving, q.l.clock.seconds.Load())
	ex, resp := q.ex, &q.ctx.Response
	resp.SetStatusCode(ex.Status)
	h := &resp.Header
	h.DisableNormalizing()
	for _, f := range ex.Fields() {
		if !ours(f.Name) {
			h.Add(f.Name, f.Value)
		}
	}
	if q.conn.altSvc != nil && ex.ResponseField("Alt-Svc") == "" {
		h.Add("Alt-Svc", q.conn.altSvc[0])
	}
	switch {
	case ex.Stream != nil && !bodyless(ex.Status):
		if ex.StreamSize < 0 && !q.ctx.Request.Header.IsHTTP11() {
			q.untilClose()
			return
		}
		q.conn.deadlines = true
		resp.ImmediateHeaderFlush = true
		resp.SetBodyStream(&stream1{q}, int(max(ex.StreamSize, -1)))
	case ex.Method == http.MethodHead && len(ex.Content()) == 0:
		if n, err := strconv.Atoi(announced(ex, nil)); err == nil && n >= 0 {
			h.SetContentLength(n)
		}
	default:
		resp.SetBodyRaw(ex.Content())
	}
}
