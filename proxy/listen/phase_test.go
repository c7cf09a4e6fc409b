package listen

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
)

func TestOverdue(t *testing.T) {
	cfg := Config{HeaderTimeout: 300 * time.Millisecond, WriteTimeout: 2 * time.Second, IdleTimeout: time.Minute}
	for _, c := range []struct {
		activity activity
		after    int64 // ticks
		want     bool
	}{
		{arriving, 0, false}, {arriving, 1, false}, {arriving, 2, true},
		{leaving, 2, false}, {leaving, 3, true},
		{idling, 60, false}, {idling, 61, true},
		{working, 1 << 40, false},
	} {
		var p phase
		const began = 5
		p.begin(c.activity, began)
		if a, over := p.overdue(began+c.after, &cfg); a != c.activity || over != c.want {
			t.Errorf("activity %d after %d ticks: %d, overdue %v", c.activity, c.after, a, over)
		}
	}
}

// The deadlines that content and streams set do not outlive their request.
func TestDeadlinesEndWithTheRequest(t *testing.T) {
	cfg := localConfig(t)
	cfg.BodyTimeout, cfg.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	l := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		if ex.RequestBody != nil && ex.Path != "/ignore" {
			_, _ = io.Copy(io.Discard, ex.RequestBody)
		}
		if ex.Path == "/stream" {
			ex.Stream = strings.NewReader("streamed")
		}
	}))
	c := rawTCP(t, addrOf(t, l, Plain))
	answers := bufio.NewReader(c)
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
		"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatalf("%.20q: %v", request, err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("%.20q: %v", request, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("%.20q: %v", request, err)
		}
		<-time.After(150 * time.Millisecond) // longer than any deadline
	}
}
