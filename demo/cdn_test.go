package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/manifest"
	"manifold/proxy/access/token"
	"manifold/proxy/listen"
)

const testKey = "a key of the test's own"

// testCDN is a CDN before an origin.
func testCDN(t *testing.T, origin string) (*CDN, *listen.Identity) {
	t.Helper()
	id, err := listen.LoadIdentity(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := startCDN(cdnConfig{
		id: "alpha", plain: loopback(0), secure: loopback(0),
		certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &id.Leaf, nil },
		token:       cdnToken("bunny"), key: []byte(testKey), origin: origin,
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
	arrived := make(chan bool, 1)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.(http.Flusher).Flush()
		arrived <- true
		<-r.Context().Done()
	}))
	defer origin.Close()
	c, id := testCDN(t, origin.URL+"/")
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

	// A request over HTTP/3 that is being answered when the sockets close.
	minter, err := token.New(cdnToken("bunny"), c.Base(true), token.Secrets{Keys: [][]byte{[]byte(testKey)}})
	if err != nil {
		t.Fatal(err)
	}
	value, err := minter.Token(&token.Scope{Expires: time.Now().Add(time.Hour).Unix()}, minter.Form(manifest.HLSMedia))
	if err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() {
		client := &http.Client{Transport: &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: id.Pool()}}}
		res, err := client.Get(c.Base(true) + string(value) + "/live/1.m4s")
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		slow <- err
	}()
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Fatal("the request did not reach the origin")
	}

	down := make(chan error, 1)
	go func() { down <- c.SetFault(Fault{Refuse: true}) }()
	select {
	case err := <-down:
		if err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the outage does not begin: a request in flight holds it up")
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
	c, _ := testCDN(t, "http://127.0.0.1:9/")
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
