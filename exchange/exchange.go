package exchange

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"sync"
	"unsafe"
)

// Handler answers one Exchange. It must not keep the Exchange, nor any string
// or slice taken from it, after it returned.
type Handler interface {
	Serve(*Exchange)
}

// HandlerFunc is a function used as a [Handler].
type HandlerFunc func(*Exchange)

// Serve calls f.
func (f HandlerFunc) Serve(ex *Exchange) { f(ex) }

// Headers looks up request header fields. Names are compared without regard
// to case; Get returns the first value, or "" where there is none. Host is
// not a header here: it is Exchange.Host; nor are the fields that belong to
// one connection (RFC 9110, section 7.6.1) or to the protocol: Connection,
// Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, TE, Trailer,
// Expect.
type Headers interface {
	Get(name string) string
	// Each calls f for every field line (names as the protocol gives them)
	// until f returns false. Lines of one name come in the order received;
	// on HTTP/1.1 all lines do, on HTTP/2 and HTTP/3 the order of different
	// names is not kept.
	Each(f func(name, value string) bool)
}

// Protocol is the HTTP version an Exchange came over.
type Protocol uint8

// The protocols an edge listens for.
const (
	HTTP1 Protocol = iota + 1
	HTTP2
	HTTP3
)

// String gives the name used in logs and metrics: "h1", "h2" or "h3".
func (p Protocol) String() string {
	switch p {
	case HTTP1:
		return "h1"
	case HTTP2:
		return "h2"
	case HTTP3:
		return "h3"
	}
	return "unknown"
}

// Priority is the client's wish of RFC 9218, section 4. Known is false where
// the client did not state one.
type Priority struct {
	Urgency     uint8 // 0 (first) to 7 (background); 3 where not stated
	Incremental bool
	Known       bool
}

// Exchange is one request and the answer being made for it.
type Exchange struct {
	// Protocol, TLS and ALPN tell how the request came. EarlyData is true
	// where it was sent in TLS 1.3 or QUIC 0-RTT data (RFC 8470) and may be a
	// replay.
	Protocol  Protocol
	TLS       bool
	EarlyData bool
	ALPN      string
	// ServerName is the TLS SNI host, or "".
	ServerName string

	// Method is the request method as sent ("GET").
	Method string
	// Host is the request's authority as sent ("localhost:8443").
	Host string
	// Target is the raw request target, origin form, as it came (RFC 9112,
	// section 3.2). Nothing decides by it: it is for logs.
	Target string
	// Path is the canonical path, made by [Canonical] from Target: decoded,
	// with no dot segment, no encoded slash, no backslash, no NUL.
	Path string
	// RawQuery is the query as sent, without "?".
	RawQuery string
	// Header looks up request fields.
	Header Headers
	// Remote is the address at the other end of the socket.
	Remote netip.AddrPort
	// Priority is what the client asked for by RFC 9218.
	Priority Priority
	// RequestBody is the request's content, bounded by the listener; nil
	// where there is none. Reading past the bound gives [ErrTooLarge].
	RequestBody io.Reader

	// Status is the answer's status code; 0 is written as 500.
	Status int
	// Body is the answer's content where nothing else is. Handlers append to
	// Body[:0]: its storage is kept with the Exchange.
	Body []byte
	// Shared, where not nil, is the answer's content instead of Body: memory
	// that others read too, and that nobody writes any more.
	Shared []byte
	// Stream, where not nil, is the answer's content instead of both. Each
	// chunk that Read returns is flushed to the client. It is closed if it is
	// an io.Closer; when the client has gone, Close is called while a Read
	// may be waiting, to end it.
	Stream io.Reader
	// Text is storage for field values made while answering, kept with the
	// Exchange: append to it only, and take what was appended by Piece.
	Text []byte
	// StreamSize is the length of Stream in bytes, or -1 where not known.
	StreamSize int64

	ctx     context.Context
	gate    *Gate
	fields  []Field
	pathBuf []byte
}

// Field is one header field of the answer.
type Field struct{ Name, Value string }

var pool = sync.Pool{New: func() any {
	return &Exchange{Body: make([]byte, 0, 16<<10), fields: make([]Field, 0, 16), pathBuf: make([]byte, 0, 256), Text: make([]byte, 0, 256)}
}}

// maxKeptBody bounds the storage that a pooled Exchange keeps.
const maxKeptBody = 1 << 20

// Acquire takes an empty Exchange from the pool.
func Acquire(ctx context.Context, gate *Gate) *Exchange {
	ex := pool.Get().(*Exchange)
	ex.ctx, ex.gate, ex.StreamSize = ctx, gate, -1
	return ex
}

// Release gives ex back to the pool, closing Stream if need be.
func Release(ex *Exchange) {
	if c, ok := ex.Stream.(io.Closer); ok {
		_ = c.Close()
	}
	body, fields, path, text := ex.Body[:0], ex.fields[:0], ex.pathBuf[:0], ex.Text[:0]
	if cap(body) > maxKeptBody {
		body = make([]byte, 0, 16<<10)
	}
	*ex = Exchange{Body: body, fields: fields, pathBuf: path, Text: text}
	pool.Put(ex)
}

// Context ends when nobody waits for the answer any more: the stream was
// reset (h2, h3), the listener drains hard, or the listener's own deadline
// for the exchange passed. On h1 a peer's close is seen only by the watch of
// the listener (socket polled for POLLRDHUP), never by reading.
func (ex *Exchange) Context() context.Context { return ex.ctx }

// Gate bounds the requests that wait (LL-HLS blocking reload, RFC 8216bis
// 6.2.5.2); nil bounds nothing.
func (ex *Exchange) Gate() *Gate { return ex.gate }

// SetTarget takes the raw request target and fills Target, Path and RawQuery
// with it. An error (see [Canonical]) means 400.
func (ex *Exchange) SetTarget(target string) error {
	ex.Target = target
	path, query, err := Canonical(ex.pathBuf[:0], target)
	if err != nil {
		return err
	}
	ex.pathBuf = path
	ex.Path, ex.RawQuery = unsafeString(path), query
	return nil
}

// SetField sets a field of the answer. A field of the same name (compared as
// written) is replaced. Name and value are not copied: they stay as they are
// until the exchange is over.
func (ex *Exchange) SetField(name, value string) {
	for i := range ex.fields {
		if ex.fields[i].Name == name {
			ex.fields[i].Value = value
			return
		}
	}
	ex.fields = append(ex.fields, Field{name, value})
}

// DelField removes all fields of the answer of that name (compared as
// written).
func (ex *Exchange) DelField(name string) {
	ex.fields = slices.DeleteFunc(ex.fields, func(f Field) bool { return f.Name == name })
}

// AddField adds a field of the answer, beside others of the same name.
func (ex *Exchange) AddField(name, value string) {
	ex.fields = append(ex.fields, Field{name, value})
}

// ResponseField gives the value set for name (compared as written), or "".
func (ex *Exchange) ResponseField(name string) string {
	for i := range ex.fields {
		if ex.fields[i].Name == name {
			return ex.fields[i].Value
		}
	}
	return ""
}

// Piece is what was appended to Text from an index on, as a string without a
// copy.
func (ex *Exchange) Piece(from int) string { return unsafeString(ex.Text[from:]) }

// Owns reports whether s lies in storage that is kept with the Exchange and
// used again after it: who keeps such a string longer must copy it.
func (ex *Exchange) Owns(s string) bool { return within(ex.Text, s) || within(ex.pathBuf, s) }

func within(storage []byte, s string) bool {
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(storage)))
	return at >= begin && at < begin+uintptr(cap(storage))
}

// Content is the answer's content where Stream is nil.
func (ex *Exchange) Content() []byte {
	if ex.Shared != nil {
		return ex.Shared
	}
	return ex.Body
}

// Fields are the answer's fields in the order set.
func (ex *Exchange) Fields() []Field { return ex.fields }

// Fail makes the answer a plain-text error of the given status. The text is
// shown to the client: it says what was wrong with the request, never what
// is inside the edge. A Stream set before is closed, and the fields that
// described the content set before are dropped.
func (ex *Exchange) Fail(status int, text string) {
	ex.Status = status
	if c, ok := ex.Stream.(io.Closer); ok {
		_ = c.Close()
	}
	ex.Stream, ex.StreamSize, ex.Shared = nil, -1, nil
	for _, name := range [...]string{"Content-Encoding", "Content-Range", "Content-Length", "ETag", "Last-Modified", "Expires"} {
		ex.DelField(name)
	}
	ex.SetField("Content-Type", "text/plain; charset=utf-8")
	ex.SetField("Cache-Control", "no-store")
	ex.Body = append(append(ex.Body[:0], text...), '\n')
}
