package listen

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/exchange"
)

// TestEarlyData: in 0-RTT data safe methods are served and marked, others get
// 425 (RFC 8470, section 5.2), and so where a proxy in front says that it was
// early.
func TestEarlyData(t *testing.T) {
	cfg := localConfig(t)
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.Body = fmt.Appendf(ex.Body, "early %v", ex.EarlyData)
	}))
	c := &conn{address: &address{}}
	for method, want := range map[string]string{
		"GET": "200 early true", "HEAD": "200 early true", "OPTIONS": "200 early true",
		"POST": "425 " + refusedEarly.text + "\n", "PUT": "425 " + refusedEarly.text + "\n", "DELETE": "425 " + refusedEarly.text + "\n",
	} {
		r := httptest.NewRequest(method, "https://localhost/x", nil)
		r.RequestURI = "/x"
		w := httptest.NewRecorder()
		l.serve(c, w, r, arrival{protocol: exchange.HTTP3, early: true})
		got := fmt.Sprintf("%d %s", w.Code, w.Body)
		if method == "HEAD" { // nothing but the header
			want = "200 "
		}
		if got != want {
			t.Errorf("%s: %q, want %q", method, got, want)
		}
	}
	for _, w := range ways(t, l) {
		for method, want := range map[string]int{"GET": 200, "POST": 425} {
			resp, body, err := w.do(method, "/", nil, http.Header{"Early-Data": {"1"}})
			if err != nil || resp.StatusCode != want || want == 200 && string(body) != "early true" {
				t.Errorf("%s: %s: %v %q", w.name, method, err, body)
			}
		}
	}
}

// TestZeroRTT: where it is switched on, a client that comes back is answered
// in its first flight; where not, it is answered all the same, later.
func TestZeroRTT(t *testing.T) {
	for _, on := range []bool{true, false} {
		cfg := localConfig(t)
		cfg.EarlyData = on
		l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
			ex.Status = 200
			ex.Body = fmt.Appendf(ex.Body, "%v", ex.EarlyData)
		}))
		ticket := make(chan struct{}, 16)
		cache := told{tls.NewLRUClientSessionCache(4), ticket}
		early := false
		// Whether the server reads the request before the handshake is over
		// is for the scheduler to say: it is, sooner or later.
		for i := 0; i < 50 && !early; i++ {
			config := clientTLS(t)
			config.ClientSessionCache = cache
			var used bool
			tr := &http3.Transport{TLSClientConfig: config, Dial: func(ctx context.Context, addr string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
				c, err := quic.DialAddrEarly(ctx, addr, tc, qc)
				if err == nil && i > 0 {
					<-c.HandshakeComplete()
					used = c.ConnectionState().Used0RTT
				}
				return c, err
			}}
			if on { // send before the handshake is over
				tr.Dial = quic.DialAddrEarly
			}
			req, err := http.NewRequest(http3.MethodGet0RTT, "https://"+addrOf(t, l, TLS)+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			w := way{client: &http.Client{Transport: tr, Timeout: 10 * time.Second}}
			resp, err := w.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 5)
			n, _ := resp.Body.Read(b)
			_ = resp.Body.Close()
			early = string(b[:n]) == "true"
			if i == 0 {
				within(t, ticket, "a session ticket")
			}
			_ = tr.Close()
			if !on && (early || used) {
				t.Fatalf("0-RTT though it is off: early %v, used %v", early, used)
			}
			if !on && i == 3 {
				break
			}
		}
		if early != on {
			t.Errorf("0-RTT on: %v; a request was early: %v", on, early)
		}
	}
}

// told tells when the client was given a ticket.
type told struct {
	tls.ClientSessionCache
	ticket chan struct{}
}

func (c told) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s != nil {
		select {
		case c.ticket <- struct{}{}:
		default:
		}
	}
}
