package listen

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"unsafe"

	"manifold/exchange"
)

// call runs the handler and repairs an answer that cannot be sent.
func (l *Listener) call(ex *exchange.Exchange) {
	l.stats.active.Add(1)
	defer l.rescue(ex)
	l.handler.Serve(ex)
	l.repair(ex)
}

func (l *Listener) rescue(ex *exchange.Exchange) {
	p := recover()
	l.stats.active.Add(-1)
	if p == nil {
		return
	}
	l.panicked("handler", p, "protocol", ex.Protocol.String(), "method", ex.Method)
	l.closeStream(ex)
	ex.Fail(http.StatusInternalServerError, "internal error")
}

// panicked counts and logs a panic of what is the handler's; it is called
// while the panic's stack is there.
func (l *Listener) panicked(what string, p any, about ...any) {
	l.stats.panics.Add(1)
	l.cfg.Logger.Error(what+" panicked", append(about, "panic", p, "stack", string(debug.Stack()))...)
}

// rescueStream is deferred where the handler's stream is read or closed, some
// of which is on goroutines where a panic would end the process. The request's
// own strings may be gone by then.
func (l *Listener) rescueStream(ex *exchange.Exchange) {
	if p := recover(); p != nil {
		l.panicked("stream", p, "protocol", ex.Protocol.String())
	}
}

// closeStream closes the stream if it is still the Exchange's.
func (l *Listener) closeStream(ex *exchange.Exchange) {
	if ex.Stream == nil {
		return
	}
	defer l.rescueStream(ex)
	c, ok := ex.Stream.(io.Closer)
	if ex.Stream = nil; ok {
		_ = c.Close()
	}
}

// repair makes an answer with an impossible status, or with a field that
// would break out of its line, a 500.
func (l *Listener) repair(ex *exchange.Exchange) {
	if ex.Status == 0 {
		ex.Status = http.StatusInternalServerError
	}
	if ex.Status < 200 || ex.Status > 599 {
		l.cfg.Logger.Error("handler gave an impossible status", "status", ex.Status)
		ex.Fail(http.StatusInternalServerError, "internal error")
	}
	for _, f := range ex.Fields() {
		if !validValue(f.Value) || !validName(f.Name) {
			l.cfg.Logger.Error("handler gave a field with a forbidden byte", "field", f.Name)
			ex.Fail(http.StatusInternalServerError, "internal error")
			ex.DelField(f.Name)
			l.repair(ex)
			return
		}
	}
}

// validValue reports whether a field value holds no control character but
// tab (RFC 9110, section 5.5), eight bytes at a time.
func validValue(s string) bool {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		control := (w - ones*0x20) &^ w & tops // a byte below 0x20
		x := w ^ ones*0x7f
		if control|(x-ones)&^x&tops != 0 { // or one that is DEL
			for j := i; j < i+8; j++ {
				if b[j] < ' ' && b[j] != '\t' || b[j] == 0x7f {
					return false
				}
			}
		}
	}
	for ; i < len(b); i++ {
		if b[i] < ' ' && b[i] != '\t' || b[i] == 0x7f {
			return false
		}
	}
	return true
}

func validName(s string) bool {
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}

// ours reports whether a field of an answer is the listener's business, so
// that the handler's is left out: what frames the message, what belongs to
// one connection (RFC 9110, section 7.6.1), and Date.
func ours(name string) bool {
	switch len(name) {
	case 4:
		return fold(name, "Date")
	case 7:
		return fold(name, "Trailer") || fold(name, "Upgrade")
	case 10:
		return fold(name, "Connection") || fold(name, "Keep-Alive")
	case 14:
		return fold(name, "Content-Length")
	case 16:
		return fold(name, "Proxy-Connection")
	case 17:
		return fold(name, "Transfer-Encoding")
	}
	return false
}

// bodyless statuses have no content whatever the handler made (RFC 9110,
// section 6.4.1).
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// announced is the Content-Length of an answer, or "" where it has none: the
// length of what the handler made, or for HEAD what it says it would be.
func announced(ex *exchange.Exchange, decimal func(int64) string) string {
	switch {
	case bodyless(ex.Status):
		return ""
	case ex.Stream != nil && ex.StreamSize >= 0:
		return decimal(ex.StreamSize)
	case ex.Stream != nil:
		return ""
	case ex.Method == http.MethodHead && len(ex.Content()) == 0:
		for _, f := range ex.Fields() {
			if fold(f.Name, "Content-Length") {
				return f.Value
			}
		}
		return ""
	}
	return decimal(int64(len(ex.Content())))
}

const chunkSize = 32 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// pump copies Exchange.Stream to the client, chunk by chunk as Read gives
// them. write must have sent a chunk on its way when it returns. When the
// exchange's context ends the stream is closed, so that a Read that waits
// ends too. It reports whether the client got all there was, and all that was
// announced.
func (l *Listener) pump(ex *exchange.Exchange, write func([]byte) error) (complete bool) {
	defer l.rescueStream(ex)
	stream, left := ex.Stream, ex.StreamSize
	if c, ok := stream.(io.Closer); ok {
		ex.Stream = nil
		var once sync.Once
		end := func() {
			once.Do(func() {
				defer l.rescueStream(ex)
				_ = c.Close()
			})
		}
		stop := context.AfterFunc(ex.Context(), end)
		defer end()
		defer stop()
	}
	buf := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(buf)
	for left != 0 {
		p := buf[:]
		if left > 0 && left < int64(len(p)) {
			p = p[:left]
		}
		n, err := stream.Read(p)
		if n > 0 {
			if left > 0 {
				left -= int64(n)
			}
			if write(p[:n]) != nil {
				return false
			}
		}
		if err == io.EOF {
			return left <= 0
		}
		if err != nil || ex.Context().Err() != nil {
			return false
		}
	}
	return true
}
