package listen

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"go.uber.org/goleak"

	"manifold/exchange"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(child())
	}
	// What runs in parallel here waits for deadlines, it does not work.
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, leakOptions()...)
}

// leakOptions leave out what the libraries keep for the whole process, or
// for some seconds after.
func leakOptions() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	}
}

var identity = sync.OnceValues(func() (*Identity, error) { return NewIdentity(time.Now()) })

func testIdentity(t testing.TB) *Identity {
	t.Helper()
	id, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func localConfig(t testing.TB) Config {
	t.Helper()
	certs, err := NewStaticCerts(testIdentity(t).Leaf)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Plain:       []string{"127.0.0.1:0"},
		TLS:         []string{"127.0.0.1:0"},
		HTTP3:       true,
		Certificate: certs.Certificate,
		DrainGrace:  50 * time.Millisecond,
		Logger:      slog.New(slog.DiscardHandler),
	}
}

// run starts a listener and closes it when the test ends.
func run(t testing.TB, cfg Config, h exchange.Handler) *Listener {
	t.Helper()
	l, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func addrOf(t testing.TB, l *Listener, k Kind) string {
	t.Helper()
	for _, a := range l.Addrs() {
		if a.Kind == k {
			return a.Addr.String()
		}
	}
	t.Fatalf("no %v address", k)
	return ""
}

// way is one way to ask the same thing.
type way struct {
	name   string
	base   string // URL without path
	client *http.Client
	want   exchange.Protocol
	tls    bool
}

var errNoRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func clientTLS(t testing.TB) *tls.Config { return &tls.Config{RootCAs: testIdentity(t).Pool()} }

func h1Client(t testing.TB, secure bool) *http.Client {
	tr := &http.Transport{DisableCompression: true}
	if secure {
		tr.TLSClientConfig = clientTLS(t)
		tr.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP1(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: errNoRedirect, Timeout: 20 * time.Second}
}

func h2Client(t testing.TB) *http.Client {
	tr := &http.Transport{DisableCompression: true, TLSClientConfig: clientTLS(t), Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: errNoRedirect, Timeout: 20 * time.Second}
}

func h3Client(t testing.TB) *http.Client {
	tr := &http3.Transport{TLSClientConfig: clientTLS(t), DisableCompression: true}
	t.Cleanup(func() { _ = tr.Close() })
	return &http.Client{Transport: tr, CheckRedirect: errNoRedirect, Timeout: 20 * time.Second}
}

func ways(t testing.TB, l *Listener) []way {
	plain, secure := addrOf(t, l, Plain), addrOf(t, l, TLS)
	return []way{
		{"h1", "http://" + plain, h1Client(t, false), exchange.HTTP1, false},
		{"h1-tls", "https://" + secure, h1Client(t, true), exchange.HTTP1, true},
		{"h2", "https://" + secure, h2Client(t), exchange.HTTP2, true},
		{"h3", "https://" + secure, h3Client(t), exchange.HTTP3, true},
	}
}

// get asks for a path and gives the answer whole.
func (w way) get(t testing.TB, path string) (*http.Response, []byte) {
	t.Helper()
	resp, body, err := w.do(http.MethodGet, path, nil, nil)
	if err != nil {
		t.Fatalf("%s: GET %s: %v", w.name, path, err)
	}
	return resp, body
}

func (w way) do(method, path string, body io.Reader, header http.Header) (*http.Response, []byte, error) {
	req, err := http.NewRequest(method, w.base+path, body)
	if err != nil {
		return nil, nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func text200(s string) exchange.HandlerFunc {
	return func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.SetField("Content-Type", "text/plain")
		ex.Body = append(ex.Body[:0], s...)
	}
}

// rawTLS opens a TLS connection with one ALPN protocol.
func rawTLS(t testing.TB, addr, alpn string) *tls.Conn {
	t.Helper()
	cfg := clientTLS(t)
	cfg.NextProtos = []string{alpn}
	c, err := tls.Dial("tcp", addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func rawTCP(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// within fails the test when what does not come in time.
func within[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: not within 10 s", what)
		panic("unreachable")
	}
}

// logged collects what a listener logs.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func shutdown(t testing.TB, l *Listener, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := l.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op)
}

func jsonLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func mustAddr(t testing.TB, s string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// has reports whether l has a TCP connection from a client's local address.
func has(l *Listener, local net.Addr) bool {
	for _, c := range l.conns.list() {
		if c.remote == remoteOf(local) {
			return true
		}
	}
	return false
}

// waitFor polls what cannot be waited on.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waiting for %s: not within 10 s", what)
		}
	}
}

// isGone reports that the server ended the connection, politely or not.
func isGone(err error) bool {
	var n net.Error
	return isReset(err) && !(errors.As(err, &n) && n.Timeout())
}

type h3Transport = *http3.Transport

func itoa(n int) string { return strconv.Itoa(n) }
