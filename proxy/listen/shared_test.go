package listen

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"manifold/exchange"
)

// What the handler shares is sent on every protocol, small and large, and is
// measured for HEAD.
func TestSharedContent(t *testing.T) {
	small, large := []byte("shared by all"), []byte(strings.Repeat("shared by all ", 10_000))
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.Body = append(ex.Body[:0], "not this"...)
		if ex.Shared = small; ex.Path == "/large" {
			ex.Shared = large
		}
	}))
	for _, w := range ways(t, l) {
		for path, want := range map[string][]byte{"/small": small, "/large": large} {
			if _, body := w.get(t, path); string(body) != string(want) {
				t.Errorf("%s: %s: %d bytes %.20q, want %d", w.name, path, len(body), body, len(want))
			}
			resp, _, err := w.do(http.MethodHead, path, nil, nil)
			if err != nil || resp.Header.Get("Content-Length") != strconv.Itoa(len(want)) {
				t.Errorf("%s: HEAD %s: %v %v", w.name, path, resp, err)
			}
		}
	}
}
