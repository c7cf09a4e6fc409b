package listen

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/valyala/fasthttp"

	"manifold/exchange"
)

// The rival of each protocol is the server library alone, with a handler that
// looks up the same request fields and writes the same answer.

var benchBody = make([]byte, 1700)

var benchRequest = "GET /news/~c2Vzc2lvbg/alpha/live/v1.m3u8?_HLS_msn=3 HTTP/1.1\r\nHost: localhost:8443\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"Accept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nOrigin: https://player.example\r\nReferer: https://player.example/watch\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\n\r\n"

var benchLookups = []string{"User-Agent", "Accept-Encoding", "Origin", "If-None-Match", "Manifold-Explain", "Cmcd-Session"}

func benchHandler(ex *exchange.Exchange) {
	for _, name := range benchLookups {
		_ = ex.Header.Get(name)
	}
	ex.Status = 200
	ex.SetField("Content-Type", "application/vnd.apple.mpegurl")
	ex.SetField("Content-Encoding", "gzip")
	ex.SetField("Cache-Control", "no-store")
	ex.SetField("Vary", "Accept-Encoding")
	ex.SetField("Access-Control-Allow-Origin", "*")
	ex.Body = append(ex.Body[:0], benchBody...)
}

func bareHTTP(w http.ResponseWriter, r *http.Request) {
	for _, name := range benchLookups {
		_ = r.Header.Get(name)
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.apple.mpegurl")
	h.Set("Content-Encoding", "gzip")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Length", strconv.Itoa(len(benchBody)))
	_, _ = w.Write(benchBody)
}

func bareFast(ctx *fasthttp.RequestCtx) {
	for _, name := range benchLookups {
		_ = ctx.Request.Header.Peek(name)
	}
	ctx.SetStatusCode(200)
	h := &ctx.Response.Header
	h.Set("Content-Type", "application/vnd.apple.mpegurl")
	h.Set("Content-Encoding", "gzip")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Access-Control-Allow-Origin", "*")
	ctx.Response.SetBody(benchBody)
}

func BenchmarkH1(b *testing.B) {
	b.Run("manifold", func(b *testing.B) {
		benchH1(b, addrOf(b, run(b, localConfig(b), exchange.HandlerFunc(benchHandler)), Plain))
	})
	b.Run("fasthttp", func(b *testing.B) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := &fasthttp.Server{Handler: bareFast}
		go func() { _ = s.Serve(l) }()
		defer func() { _ = s.Shutdown() }()
		benchH1(b, l.Addr().String())
	})
}

// benchH1 keeps many requests in flight on one connection's worth of CPU: it
// measures the server's work, the client's being little and the same.
func benchH1(b *testing.B, addr string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	request := []byte(benchRequest)
	defer reportCPU(b)()
	for b.Loop() {
		if err := askOnce(c, r, request); err != nil {
			b.Fatal(err)
		}
	}
}

// askOnce sends a request and reads past its answer, without allocating.
func askOnce(c net.Conn, r *bufio.Reader, request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	left := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if n := len("Content-Length: "); len(line) > n && string(line[:n]) == "Content-Length: " {
			for _, d := range line[n : len(line)-2] {
				left = left*10 + int(d-'0')
			}
		}
	}
	_, err := r.Discard(left)
	return err
}

func BenchmarkH2(b *testing.B) {
	b.Run("manifold", func(b *testing.B) {
		l := run(b, localConfig(b), exchange.HandlerFunc(benchHandler))
		connect(b, addrOf(b, l, TLS))
		benchHTTP(b, h2Client(b), "https://"+addrOf(b, l, TLS))
	})
	b.Run("nethttp", func(b *testing.B) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(bareHTTP), TLSConfig: &tls.Config{Certificates: []tls.Certificate{testIdentity(b).Leaf}}}
		go func() { _ = s.ServeTLS(l, "", "") }()
		defer s.Close()
		connect(b, l.Addr().String())
		benchHTTP(b, h2Client(b), "https://"+l.Addr().String())
	})
}

// connect opens connections that stay idle. The runtime gives new goroutines
// (HTTP/2 makes two for each request) stacks of the size that most of those
// alive use: with one connection that is too small, and growing them costs
// more than answering.
func connect(b *testing.B, addr string) {
	for range 100 {
		h := dialRawH2(b, addr)
		id, err := h.headers(true, getRoot...)
		if err != nil {
			b.Fatal(err)
		}
		if a := h.answer(id); a.status != 200 {
			b.Fatal(a)
		}
	}
	runtime.GC()
}

func BenchmarkH3(b *testing.B) {
	b.Run("manifold", func(b *testing.B) {
		l := run(b, localConfig(b), exchange.HandlerFunc(benchHandler))
		benchHTTP(b, h3Client(b), "https://"+addrOf(b, l, TLS))
	})
	b.Run("quicgo", func(b *testing.B) {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		s := &http3.Server{Handler: http.HandlerFunc(bareHTTP), TLSConfig: &tls.Config{Certificates: []tls.Certificate{testIdentity(b).Leaf}}, QUICConfig: &quic.Config{}}
		go func() { _ = s.Serve(udp) }()
		defer func() { _ = s.Close(); _ = udp.Close() }()
		benchHTTP(b, h3Client(b), "https://"+udp.LocalAddr().String())
	})
}

func benchHTTP(b *testing.B, c *http.Client, base string) {
	req, err := http.NewRequestWithContext(context.Background(), "GET", base+"/news/~c2Vzc2lvbg/alpha/live/v1.m3u8?_HLS_msn=3", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header = http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64)"}, "Accept-Encoding": {"gzip"}, "Origin": {"https://player.example"}, "Accept": {"*/*"}}
	ask := func() {
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(len(benchBody)) {
			b.Fatal(n, err)
		}
		_ = resp.Body.Close()
	}
	ask()
	defer reportCPU(b)()
	for b.Loop() {
		ask()
	}
}

// reportCPU reports what the process used, client and server: wall time means
// little on a machine that others use too.
func reportCPU(b *testing.B) func() {
	b.ReportAllocs()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}
