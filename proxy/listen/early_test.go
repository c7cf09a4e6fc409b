package listen

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

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
		q := l.take(c, w, r, arrival{protocol: exchange.HTTP3, early: true})
		content := q.run()
		_, err := w.Write(content)
		q.wrote(err)
		q.end()
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
