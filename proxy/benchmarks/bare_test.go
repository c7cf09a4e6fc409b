package benchmarks

//lint:file-ignore SA1019 the rival is the HTTP/2 server that proxy/listen uses, and why it does stands there.

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"
	"github.com/valyala/fasthttp"
	"golang.org/x/net/http2"

	"manifold/proxy/listen"
)

// bare are the rivals: the server libraries alone, with handlers that look at
// nothing of the request and write one answer, the cheapest way the library
// has. What they write is set for each case.
type bare struct {
	address map[string]string // by protocol
	answer  atomic.Pointer[answer]
}

// answer is what a bare handler writes.
type answer struct {
	fields [][2]string // for fasthttp: without Content-Length and Date
	header http.Header // for the others
	body   []byte
	// copied: the body is copied into storage of the request first, as
	// anything must do that makes it rather than has it.
	copied bool
}

// newAnswer takes the fields of another server's answer, and a size.
func newAnswer(like http.Header, size int, copied bool) *answer {
	a := &answer{header: http.Header{}, body: make([]byte, size), copied: copied}
	for name, values := range like {
		switch name {
		case "Date":
			continue // each server writes its own
		case "Content-Length":
		default:
			for _, v := range values {
				a.fields = append(a.fields, [2]string{name, v})
			}
		}
		a.header[name] = values
	}
	return a
}

func (b *bare) serveFast(ctx *fasthttp.RequestCtx) {
	a := b.answer.Load()
	h := &ctx.Response.Header
	h.DisableNormalizing()
	for _, f := range a.fields {
		h.Add(f[0], f[1])
	}
	if a.copied {
		ctx.Response.SetBody(a.body)
	} else {
		ctx.Response.SetBodyRaw(a.body)
	}
}

var bodies = sync.Pool{New: func() any { return new([]byte) }}

func (b *bare) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a := b.answer.Load()
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if !a.copied {
		_, _ = w.Write(a.body)
		return
	}
	buf := bodies.Get().(*[]byte)
	*buf = append((*buf)[:0], a.body...)
	_, _ = w.Write(*buf)
	bodies.Put(buf)
}

// startBare starts the three libraries' servers.
func startBare(tb testing.TB, identity *listen.Identity) *bare {
	tb.Helper()
	b := &bare{address: map[string]string{}}
	b.answer.Store(newAnswer(nil, 0, false))
	open := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		return l
	}

	plain := open()
	h1 := &fasthttp.Server{Handler: b.serveFast, NoDefaultServerHeader: true, NoDefaultContentType: true}
	go func() { _ = h1.Serve(plain) }()
	tb.Cleanup(func() { _ = h1.Shutdown() })
	b.address["h1"] = plain.Addr().String()

	secure := open()
	config := &tls.Config{Certificates: []tls.Certificate{identity.Leaf}}
	h2 := &http.Server{Handler: b, TLSConfig: config.Clone(), ErrorLog: log.New(io.Discard, "", 0)}
	if err := http2.ConfigureServer(h2, &http2.Server{}); err != nil {
		tb.Fatal(err)
	}
	go func() { _ = h2.ServeTLS(secure, "", "") }()
	tb.Cleanup(func() { _ = h2.Close() })
	b.address["h2"] = secure.Addr().String()

	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	h3 := &http3.Server{Handler: b, TLSConfig: http3.ConfigureTLSConfig(config.Clone())}
	go func() { _ = h3.Serve(udp) }()
	tb.Cleanup(func() { _ = h3.Close(); _ = udp.Close() })
	b.address["h3"] = udp.LocalAddr().String()
	return b
}
