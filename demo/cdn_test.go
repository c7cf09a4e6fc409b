package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"manifold/proxy/listen"
)

func testCDN(t *testing.T) (*CDN, *listen.Identity) {
	t.Helper()
	id, err := listen.LoadIdentity(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := startCDN(cdnConfig{
		id: "alpha", plain: loopback(0), secure: loopback(0),
		certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &id.Leaf, nil },
		token:       cdnToken("bunny"), key: []byte("a key of the test's own"), origin: "http://127.0.0.1:9/",
		log: slog.New(slog.DiscardHandler), now: time.Now, random: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, id
}

// An outage ends what is there: TCP with a reset, QUIC with CONNECTION_CLOSE,
// requests in flight among it; and nothing new gets in until it is over.
func TestOutage(t *testing.T) {
	c, id := testCDN(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	tcp, err := net.Dial("tcp", c.plain.String())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	hello := &tls.Config{RootCAs: id.Pool(), ServerName: "localhost", NextProtos: []string{"h3"}}
	conn, err := quic.DialAddr(ctx, c.secure.String(), hello, nil)
	if err != nil {
		t.Fatal(err)
	}

	// A request that is being answered when the sockets close.
	if err := c.SetFault(Fault{Latency: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tcp, "GET / HTTP/1.1\r\nHost: cdn\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: id.Pool()}, ForceAttemptHTTP2: true}}
		res, err := client.Get("https://" + c.secure.String() + "/")
		if err == nil {
			_ = res.Body.Close()
		}
		slow <- err
	}()

	down := make(chan error, 1)
	go func() { down <- c.SetFault(Fault{Refuse: true}) }()
	select {
	case err := <-down:
		if err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the outage did not begin: something in flight holds it up")
	}

	if _, err := io.ReadAll(tcp); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the TCP connection ended with %v, want a reset", err)
	}
	_, err = conn.AcceptUniStream(ctx)
	for err == nil { // the control streams that were opened before
		_, err = conn.AcceptUniStream(ctx)
	}
	app, transport := (*quic.ApplicationError)(nil), (*quic.TransportError)(nil)
	if !(errors.As(err, &app) && app.Remote) && !(errors.As(err, &transport) && transport.Remote) {
		t.Errorf("the QUIC connection ended with %v, want CONNECTION_CLOSE", err)
	}
	if err := <-slow; err == nil {
		t.Error("a request in flight was answered in an outage")
	}
	for _, addr := range []string{c.plain.String(), c.secure.String()} {
		if again, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				_ = again.Close()
			}
			t.Errorf("connecting to %s gives %v, want it refused", addr, err)
		}
	}

	if err := c.SetFault(Fault{}); err != nil {
		t.Fatal(err)
	}
	conn, err = quic.DialAddr(ctx, c.secure.String(), hello, nil)
	if err != nil {
		t.Fatalf("after the outage: %v", err)
	}
	_ = conn.CloseWithError(0, "")
	res, err := http.Get("http://" + c.plain.String() + "/")
	if err != nil {
		t.Fatalf("after the outage: %v", err)
	}
	_ = res.Body.Close()
	log := c.Log(time.Time{})
	if res.StatusCode != 200 || len(log) == 0 || log[len(log)-1].Path != "/" || log[len(log)-1].Protocol != "h1" {
		t.Errorf("after the outage: %d, log %v", res.StatusCode, log)
	}
}

// The log tells players apart by the session id of their CMCD.
func TestLogHasTheViewer(t *testing.T) {
	c, _ := testCDN(t)
	for _, r := range []struct{ query, field, want string }{
		{"", "", ""},
		{"?CMCD=bl%3D100%2Csid%3D%22one%22%2Cst%3Dv", "", "one"},
		{"?CMCD=sid%3D%22one%22", `sid="two",v=1`, "two"},
		{"?a=%zz&CMCD=sid%3D%22three%22", "", "three"},
		{"?CMCD=sid", "", ""},
	} {
		since := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.plain.String()+"/"+r.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.field != "" {
			req.Header.Set("CMCD-Session", r.field)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if log := c.Log(since); len(log) != 1 || log[0].Viewer != r.want {
			t.Errorf("%q with %q: logged %+v, want viewer %q", r.query, r.field, log, r.want)
		}
	}
}
