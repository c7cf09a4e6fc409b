package listen

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

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
	q.conn.phase.begin(working, 0)
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
	complete := q.l.pump(q.ex, func(p []byte) error {
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
	h := &q.ctx.Response.Header
	h.SetContentLength(-2) // none, and no chunks: "Connection: close"
	if q.ex.Method == http.MethodHead {
		return
	}
	q.ctx.HijackSetNoResponse(true)
	q.takeOver(func(c net.Conn) {
		write := func(p []byte) error {
			if err := c.SetWriteDeadline(time.Now().Add(q.l.cfg.WriteTimeout)); err != nil {
				return err
			}
			_, err := c.Write(p)
			return err
		}
		if write(h.AppendBytes(nil)) == nil && !q.l.pump(q.ex, write) {
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

// takeOver lets f have the connection after the answer, to its end. Where the
// answer cannot be written fasthttp forgets f.
func (q *request1) takeOver(f func(net.Conn)) {
	q.ctx.Hijack(func(c net.Conn) {
		l, info := q.l, q.conn
		defer l.conns.leave(info)
		defer q.end()
		f(c)
	})
}
