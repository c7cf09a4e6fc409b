//go:build !race

package listen

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/exchange"
)

// TestZeroRTT: where it is switched on, a client that comes back is answered
// in its first flight; where not, it is answered all the same, later. Not under
// the race detector, which finds races of the QUIC library's own early client.
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
