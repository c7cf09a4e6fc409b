package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
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
		ReadTimeout:     l.cfg.HeaderTimeout,
		WriteTimeout:    l.cfg.WriteTimeout,
		IdleTimeout:     l.cfg.IdleTimeout,
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

func (l *Listener) stateH1(c net.Conn, s fasthttp.ConnState) {
	if s != fasthttp.StateClosed {
		return
	}
	info := connOf(c)
	if q := info.hijack; q != nil { // the connection broke before its time came
		info.hijack = nil
		_ = q.Close()
	}
	l.conns.leave(info)
}

// request1 is an HTTP/1.1 request while it is answered. fasthttp writes the
// answer after the handler has returned, from the very bytes in the Exchange;
// it closes request1, as a user value of the request, when it is done.
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

type request1Key struct{}

// Close gives back what the answer needed.
func (q *request1) Close() error {
	ended := q.wait
	reusable := ended.finish()
	exchange.Release(q.ex)
	if reusable {
		ended.parent = nil
	} else {
		ended = &lazyContext{} // somebody may hold the old one
	}
	*q = request1{head: head{lines: q.head.lines[:0]}, wait: ended}
	requests1.Put(q)
	return nil
}

// watchPeer watches the connection while its request waits or is streamed.
func (q *request1) watchPeer(gone func()) (stop func()) {
	stop, err := q.l.hangups.watch(q.conn.sock, gone)
	if err != nil {
		q.l.cfg.Logger.Debug("cannot watch for a hang-up", "error", err)
		return nil
	}
	return stop
}

func (l *Listener) serveH1(ctx *fasthttp.RequestCtx) {
	q := requests1.Get().(*request1)
	q.l, q.ctx, q.conn = l, ctx, connOf(ctx.Conn())
	q.wait.parent, q.wait.timeout = l.ctx, l.cfg.RequestTimeout
	if q.wait.watch == nil {
		q.wait.watch = q.watchPeer
	}
	q.ex = exchange.Acquire(q.wait, &q.conn.address.gate)
	ctx.SetUserValue(request1Key{}, q)

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

var (
	refusedVersion  = &refusal{505, "this HTTP version is not spoken here: use 1.1, 2 or 3", true}
	refusedTransfer = &refusal{501, "the request has a transfer coding that is not known here", true}
	refusedSlow     = &refusal{408, "the request took too long to arrive", true}
	refusedSyntax   = &refusal{400, "the request is malformed", true}
)

// answer hands the Exchange's answer to fasthttp.
func (q *request1) answer() {
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
		if ex.StreamSize < 0 && !q.ctx.Request.Header.IsHTTP11() && ex.Method != http.MethodHead {
			q.untilClose()
			return
		}
		resp.ImmediateHeaderFlush = true
		resp.SetBodyStream(&stream1{q}, int(max(ex.StreamSize, -1)))
	case ex.Method == http.MethodHead && len(ex.Body) == 0:
		if n, err := strconv.Atoi(announced(ex, nil)); err == nil && n >= 0 {
			h.SetContentLength(n)
		}
	default:
		resp.SetBodyRaw(ex.Body)
	}
}

// stream1 is Exchange.Stream as fasthttp takes it.
type stream1 struct{ q *request1 }

var _ fasthttp.BodyWriterTo = (*stream1)(nil)

// SupportsBodyWriteTo makes fasthttp call WriteTo, which flushes what Read
// would leave in a buffer.
func (s *stream1) SupportsBodyWriteTo() bool { return true }

func (s *stream1) Read([]byte) (int, error) { return 0, io.EOF }

// WriteTo sends the stream. Of a known length it goes straight to the
// connection, past fasthttp's buffer, which is empty after the header was
// flushed; else w frames and flushes each chunk.
func (s *stream1) WriteTo(w io.Writer) (int64, error) {
	q := s.q
	c := q.ctx.Conn()
	timeout := q.l.cfg.WriteTimeout
	if q.ex.StreamSize >= 0 {
		w = c
		if f, ok := q.ex.Stream.(*os.File); ok {
			if tcp, ok := c.(*net.TCPConn); ok {
				return sendFile(tcp, f, q.ex.StreamSize, timeout)
			}
		}
	}
	var sent int64
	complete := pump(q.ex, func(p []byte) error {
		if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		n, err := w.Write(p)
		sent += int64(n)
		return err
	})
	if !complete {
		return sent, errCut
	}
	return sent, nil
}

var errCut = errors.New("the answer was cut off")

// sendFile sends n bytes of f without copying them through this process
// (sendfile(2), by way of ReadFrom).
func sendFile(c *net.TCPConn, f *os.File, n int64, timeout time.Duration) (sent int64, err error) {
	const piece = 1 << 20 // what one deadline is for
	for sent < n && err == nil {
		if err = c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return sent, err
		}
		var m int64
		m, err = c.ReadFrom(&io.LimitedReader{R: f, N: min(piece, n-sent)})
		sent += m
		if m == 0 && err == nil {
			err = errCut // the file is shorter than was said
		}
	}
	return sent, err
}

// untilClose answers HTTP/1.0 with a stream of unknown length, which only the
// end of the connection delimits (RFC 9112, section 6.3).
func (q *request1) untilClose() {
	q.ctx.HijackSetNoResponse(true)
	q.takeOver(func(c net.Conn) {
		h := &q.ctx.Response.Header
		h.SetConnectionClose()
		h.SetContentLength(-2)
		write := func(p []byte) error {
			if err := c.SetWriteDeadline(time.Now().Add(q.l.cfg.WriteTimeout)); err != nil {
				return err
			}
			_, err := c.Write(p)
			return err
		}
		if write(h.AppendBytes(nil)) == nil && !pump(q.ex, write) {
			q.conn.close() // an end that is not the end of the stream must not look like it
		}
	})
}

// lingerAfter keeps the connection open for a moment after the answer, and
// reads what the client is still sending: were it closed with data unread,
// the answer would be lost with it (RFC 9112, section 9.6).
func (q *request1) lingerAfter() {
	if q.ctx.Request.Header.ConnectionClose() || q.ctx.Hijacked() {
		return // fasthttp closes such connections itself, at once
	}
	q.ctx.Response.Header.ResetConnectionClose()
	conn := q.ctx.Conn()
	q.takeOver(func(c net.Conn) { linger(conn, c) })
}

// takeOver lets f have the connection after the answer, to its end. (fasthttp
// releases the request afterwards; where the answer cannot be written it
// forgets f and the request, which stateH1 then closes.)
func (q *request1) takeOver(f func(net.Conn)) {
	info := q.conn
	info.hijack = q
	q.ctx.Hijack(func(c net.Conn) {
		info.hijack = nil
		defer q.l.conns.leave(info)
		f(c)
	})
}

// headH1 gives content its own deadline.
func (l *Listener) headH1(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if n := h.ContentLength(); n > 0 || n == -1 {
		c.ReadTimeout = l.cfg.BodyTimeout
	}
	return c
}

// expectH1 answers "Expect: 100-continue": 100, or why not.
func (l *Listener) expectH1(ctx *fasthttp.RequestCtx) int {
	h := &ctx.Request.Header
	if int64(h.ContentLength()) > l.cfg.MaxRequestBody {
		l.stats.refused.Add(1)
		return refusedBody.status
	}
	return http.StatusContinue
}

// failH1 answers what fasthttp itself could not read.
func (l *Listener) failH1(ctx *fasthttp.RequestCtx, err error) {
	if op, ok := err.(*net.OpError); ok && op.Timeout() {
		_ = ctx.Conn().Close() // it never asked for anything, or stopped in the middle
		return
	}
	l.stats.refused.Add(1)
	r := refusedSyntax
	var small *fasthttp.ErrSmallBuffer
	var netErr net.Error
	switch message := err.Error(); {
	case errors.As(err, &small):
		if r = refusedTooLarge; targetAlone(message) {
			r = refusedTarget
		}
	case errors.As(err, &netErr) && netErr.Timeout():
		r = refusedSlow
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		r = refusedBody
	case strings.Contains(message, "unsupported http version"):
		r = refusedVersion
	case errors.Is(err, fasthttp.ErrUnsupportedTransferEncoding):
		r = refusedTransfer
	}
	ctx.Response.Reset()
	ctx.Response.SetStatusCode(r.status)
	ctx.Response.Header.Set("Content-Type", "text/plain; charset=utf-8")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.Response.SetBodyString(r.text + "\n")
	if r == refusedTooLarge || r == refusedTarget {
		sendAndLinger(ctx, l.cfg.WriteTimeout)
	}
}

// sendAndLinger writes the answer past fasthttp, whose buffer is empty while
// it reads a header that does not fit, and then reads on for a moment: the
// client is in the middle of sending, and would lose the answer otherwise.
func sendAndLinger(ctx *fasthttp.RequestCtx, timeout time.Duration) {
	c, resp := ctx.Conn(), &ctx.Response
	resp.SetConnectionClose()
	resp.Header.SetContentLength(len(resp.Body()))
	_ = c.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := c.Write(append(resp.Header.AppendBytes(nil), resp.Body()...)); err == nil {
		linger(c, c)
	}
	_ = c.Close()
}

// linger ends our side of a connection and reads what still comes.
func linger(c net.Conn, r io.Reader) {
	const atMost, bytes = 2 * time.Second, 8 << 20
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(atMost))
	_, _ = io.CopyN(io.Discard, r, bytes)
}

// targetAlone reports whether the head that did not fit was all target. fasthttp
// shows its first and last 200 bytes in the message: a request line ends in
// the first ones, or the last ones have what no target can.
func targetAlone(message string) bool {
	_, shown, ok := strings.Cut(message, "contents: \"")
	_, target, _ := strings.Cut(shown, " ") // after the method
	return ok && target != "" && !strings.ContainsAny(target, " \\")
}
