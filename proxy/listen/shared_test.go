package listen

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
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

// Fields made in an Exchange's own storage reach the client that they were
// made for, however soon the storage is used again.
func TestFieldsOfManyRequests(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		from := len(ex.Text)
		ex.Text = append(append(ex.Text, "made for "...), ex.Path...)
		ex.SetField("Made", ex.Piece(from))
		ex.SetField("Path", ex.Path)
		if ex.Method == http.MethodHead {
			from := len(ex.Text)
			ex.Text = strconv.AppendInt(ex.Text, int64(len(ex.Path)), 10)
			ex.SetField("Content-Length", ex.Piece(from))
			return
		}
		ex.Body = append(ex.Body[:0], ex.Path...)
	}))
	for _, w := range ways(t, l) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					path := fmt.Sprintf("/%d/%d/%s", g, i, strings.Repeat("x", i))
					resp, body, err := w.do(http.MethodGet, path, nil, nil)
					if err != nil || string(body) != path || resp.Header.Get("Made") != "made for "+path || resp.Header.Get("Path") != path {
						t.Errorf("%s: %s got %v, %q, %v", w.name, path, resp, body, err)
						return
					}
					resp, _, err = w.do(http.MethodHead, path, nil, nil)
					if err != nil || resp.Header.Get("Made") != "made for "+path || resp.ContentLength != int64(len(path)) {
						t.Errorf("%s: HEAD %s got %v, %v", w.name, path, resp, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}
