package listen

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"manifold/exchange"
)

// request is an HTTP/2 or HTTP/3 request while it is answered. Both servers
// give it as net/http's types, and call a handler of ours that takes it from
// take to end:
//
//	q := l.take(c, w, r, arrival{…})
//	defer q.end()
//	if content := q.run(); len(content) > 0 {
//		_, err := w.Write(content)
//		q.wrote(err)
//	}
//
// That the content is written there, and not some calls further down, is for
// the stack: HTTP/3's server encodes the header within the first Write, and
// with more of our frames below it the stack of the request's goroutine, a new
// one, has to grow for it, which costs more than all we do (docs/benchmarks.md).
type request struct {
	l       *Listener
	conn    *conn
	quic    *quicConn // of HTTP/3
	w       http.ResponseWriter
	r       *http.Request
	ex      *exchange.Exchange
	arrival arrival

	header fields
	wait   *lazyContext
	body   bodyReader

	beside   bool // streams are under way on the connection
	turn     bool // a whole answer is being written: turns.end is to be called
	round    uint64
	complete bool // the answer was written to its end
}

var requests = sync.Pool{New: func() any { return &request{wait: &lazyContext{}} }}

// fields is a net/http header as Exchange.Header.
type fields struct{ h http.Header }

var _ exchange.Headers = (*fields)(nil)

// Get gives the first value of a field, "" where there is none.
func (f *fields) Get(name string) string {
	if v := f.h[http.CanonicalHeaderKey(name)]; len(v) > 0 && !hidden(name) {
		return trim(v[0])
	}
	return ""
}

// Each calls g for every field; net/http does not keep their order.
func (f *fields) Each(g func(name, value string) bool) {
	for name, values := range f.h {
		if hidden(name) {
			continue
		}
		for _, v := range values {
			if !g(name, trim(v)) {
				return
			}
		}
	}
}

// hidden names the fields that exchange.Headers keeps from handlers and that
// HTTP/2 and HTTP/3 do not refuse by themselves.
func hidden(name string) bool {
	switch len(name) {
	case 2:
		return fold(name, "te")
	case 4:
		return fold(name, "host")
	case 6:
		return fold(name, "expect")
	case 7:
		return fold(name, "trailer")
	}
	return name != "" && name[0] == ':'
}

// trim takes off the white space around a value, which HTTP/1.1 does not count
// as part of it and HTTP/2 forbids (RFC 9113, section 8.2.1).
func trim(v string) string {
	if v == "" || v[0] > ' ' && v[len(v)-1] > ' ' {
		return v
	}
	return strings.Trim(v, " \t")
}

// arrival is what a protocol knows of a request beside net/http's types.
type arrival struct {
	protocol exchange.Protocol
	early    bool // it came in 0-RTT data
	large    bool // the server did not keep the header to its bound
}

// take takes up a request that came over c.
func (l *Listener) take(c *conn, w http.ResponseWriter, r *http.Request, a arrival) *request {
	q := requests.Get().(*request)
	q.l, q.conn, q.w, q.r, q.arrival = l, c, w, r, a
	q.header.h = r.Header
	q.wait.parent, q.wait.timeout = r.Context(), l.cfg.RequestTimeout
	q.ex = exchange.Acquire(q.wait, &c.address.gate)
	return q
}

// end gives back what the request needed. It panics with http.ErrAbortHandler,
// which resets the stream, where the answer was not written to its end.
func (q *request) end() {
	if q.turn {
		q.conn.turns.end(q.ex.Priority.Urgency, q.round)
	}
	complete, qc, l := q.complete, q.quic, q.l
	awaited := complete && q.r.Context().Err() == nil // the client waited for all of it
	ended := q.wait
	if reusable := ended.finish(); reusable {
		ended.parent = nil
	} else {
		ended = &lazyContext{}
	}
	l.closeStream(q.ex)
	exchange.Release(q.ex)
	*q = request{wait: ended}
	requests.Put(q)
	if qc != nil {
		l.endH3(qc, awaited)
	}
	if !complete {
		panic(http.ErrAbortHandler)
	}
}

// run has the handler answer, and gives the content that is left to be written.
func (q *request) run() (content []byte) {
	l, ex := q.l, q.ex
	ex.Protocol, ex.TLS, ex.ALPN, ex.ServerName = q.arrival.protocol, true, q.conn.alpn, q.conn.serverName
	ex.Remote, ex.Header = q.conn.remote, &q.header
	ex.EarlyData = q.arrival.early || len(q.r.Header["Early-Data"]) > 0 && q.header.Get("Early-Data") == "1"
	ex.Priority = parsePriority(strings.Join(q.r.Header["Priority"], ","))
	if refused := l.fill(q, ex, q.w, q.r, q.arrival.large); refused != nil {
		l.refuse(ex, refused)
	} else {
		l.call(ex)
		q.wait.handled()
	}
	return q.answer()
}

func (l *Listener) fill(q *request, ex *exchange.Exchange, w http.ResponseWriter, r *http.Request, large bool) *refusal {
	if len(r.Header) > l.cfg.MaxHeaderFields || large && headerSize(r) > l.cfg.MaxHeaderBytes {
		return refusedTooLarge
	}
	size := r.ContentLength
	if declared := r.Header["Content-Length"]; len(declared) > 0 && !isSize(declared, size) {
		return refusedSize
	}
	if refused := l.admit(ex, r.Method, r.Host, r.RequestURI, size); refused != nil {
		return refused
	}
	// HTTP/3 does not say before the end of the stream that there is no
	// content: it is looked for where a method is about content.
	if size > 0 || size == -1 && (ex.Protocol == exchange.HTTP2 || hasContent(r.Method)) {
		rc := http.NewResponseController(w)
		q.body = bodyReader{src: r.Body, size: size, left: l.cfg.MaxRequestBody, timeout: l.cfg.BodyTimeout, deadline: rc.SetReadDeadline}
		if ex.Protocol == exchange.HTTP3 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
			q.body.begin = func() { w.WriteHeader(http.StatusContinue) } // x/net sends its own
		}
		ex.RequestBody = &q.body
	}
	return nil
}

// isSize tells whether a Content-Length is one number, and the one of the
// content. A stream that ends with its header has none, whatever was declared
// (RFC 9113, section 8.1.1; RFC 9114, section 4.1.2).
func isSize(declared []string, size int64) bool {
	n, err := strconv.ParseUint(declared[0], 10, 63)
	return err == nil && len(declared) == 1 && (size < 0 || int64(n) == size)
}

// headerSize counts a header as HTTP/2 and HTTP/3 do (RFC 9113, section
// 6.5.2), without the 32 bytes a field.
func headerSize(r *http.Request) int {
	n := len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

func hasContent(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// answer writes what the handler left in the exchange, but for content that
// is at hand, which it gives.
func (q *request) answer() (content []byte) {
	l, ex, w := q.l, q.ex, q.w
	h := w.Header()
	length := ""
	q.beside = q.conn.turns.streams.Load() > 0 // so that this one is not held back, and counted, by the server
	if ex.Stream != nil || q.beside || ex.Method == http.MethodHead || len(ex.Content()) >= countedByServer {
		length = announced(ex, decimal)
	}
	setFields(h, ex, length)
	if _, typed := h["Content-Type"]; !typed {
		h["Content-Type"] = nil // keeps the servers from guessing one
	}
	if q.conn.altSvc != nil && ex.ResponseField("Alt-Svc") == "" {
		h["Alt-Svc"] = q.conn.altSvc
	}
	h["Date"] = *l.clock.date.Load()
	switch {
	case ex.Method == http.MethodHead || bodyless(ex.Status):
		w.WriteHeader(ex.Status)
		q.complete = length != "" || flush(w) == nil // else HTTP/3 says that the length is 0
	case ex.Stream != nil:
		q.complete = q.stream()
	default:
		q.round, q.turn = q.conn.turns.begin(ex.Priority.Urgency), true
		if ex.Protocol != exchange.HTTP2 { // whose server has a WriteTimeout for the whole answer
			bound(w, l.cfg.WriteTimeout)
		}
		w.WriteHeader(ex.Status)
		if content = ex.Content(); len(content) == 0 {
			q.wrote(nil)
		}
	}
	return content
}

// wrote notes how the writing of the content went.
func (q *request) wrote(err error) {
	q.complete = err == nil && (!q.beside || flush(q.w) == nil)
}

// setFields puts the answer's fields into h. Both servers write h after the
// handler has returned, when the Exchange's own storage may be used again:
// what lies in it is copied.
func setFields(h http.Header, ex *exchange.Exchange, length string) {
	from := ex.Fields()
	values := make([]string, 0, len(from)+1)
	for _, f := range from {
		if ours(f.Name) {
			continue
		}
		if ex.Owns(f.Value) {
			f.Value = strings.Clone(f.Value)
		}
		if ex.Owns(f.Name) {
			f.Name = strings.Clone(f.Name)
		}
		n := len(values)
		values = append(values, f.Value)
		name := http.CanonicalHeaderKey(f.Name)
		if old, ok := h[name]; ok {
			h[name] = append(old, f.Value)
		} else {
			h[name] = values[n : n+1 : n+1]
		}
	}
	if length != "" {
		if ex.Owns(length) { // what the handler said for HEAD
			length = strings.Clone(length)
		}
		values = append(values, length)
		h["Content-Length"] = values[len(values)-1:]
	}
}

// countedByServer is the size of content below which both servers hold it back
// until the handler returns, and announce its length themselves.
const countedByServer = 4096

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (q *request) stream() (complete bool) {
	l, ex, w, turns := q.l, q.ex, q.w, &q.conn.turns
	turns.streams.Add(1)
	defer turns.streams.Add(-1)
	w.WriteHeader(ex.Status)
	timeout := l.cfg.WriteTimeout + l.patience // the deadline runs on while the stream is held back
	bound(w, timeout)
	if flush(w) != nil {
		return false
	}
	bounded := l.clock.seconds.Load()
	return l.pump(ex, func(p []byte) error {
		held := turns.hold(q.r.Context(), ex.Priority.Urgency, l.patience)
		if now := l.clock.seconds.Load(); held || now != bounded {
			bounded = now
			bound(w, timeout)
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		return flush(w)
	})
}

// bound says how long the next writes may take.
func bound(w http.ResponseWriter, timeout time.Duration) {
	if d, ok := w.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(timeout))
	}
}

func flush(w http.ResponseWriter) error {
	f, ok := w.(interface{ FlushError() error })
	if !ok {
		return http.ErrNotSupported
	}
	return f.FlushError()
}
