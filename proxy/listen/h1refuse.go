package listen

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

var (
	refusedVersion  = &refusal{505, "this HTTP version is not spoken here: use 1.1, 2 or 3", true}
	refusedTransfer = &refusal{501, "the request has a transfer coding that is not known here", true}
	refusedSlow     = &refusal{408, "the request took too long to arrive", true}
	refusedSyntax   = &refusal{400, "the request is malformed", true}
)

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
	if op, ok := err.(*net.OpError); ok && op.Timeout() && !connOf(ctx.Conn()).deadlines {
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
	case spokenVersion(message):
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

// spokenVersion reports whether fasthttp refused a request line for its
// version alone. What it shows as the version begins after the second space:
// of a target with a space in it, that is the rest (RFC 9112, section 3.2).
func spokenVersion(message string) bool {
	_, shown, ok := strings.Cut(message, "unsupported http version \"")
	version, _, _ := strings.Cut(shown, "\"")
	return ok && strings.HasPrefix(version, "HTTP/") && !strings.ContainsAny(version, " \\")
}
