package ingest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"manifold/exchange"
)

// headers makes an http.Header readable as exchange.Headers.
type headers struct {
	http.Header
	length int64
}

func (h headers) Get(name string) string {
	if strings.EqualFold(name, "Content-Length") && h.length >= 0 {
		return strconv.FormatInt(h.length, 10)
	}
	return h.Header.Get(name)
}

func (h headers) Each(f func(name, value string) bool) {
	for name, values := range h.Header {
		for _, v := range values {
			if !f(name, v) {
				return
			}
		}
	}
}

// listen serves h over net/http.
func listen(t *testing.T, h exchange.Handler) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ex := exchange.Acquire(r.Context(), nil)
		defer exchange.Release(ex)
		ex.Protocol, ex.Method, ex.Host = exchange.HTTP1, r.Method, r.Host
		ex.Header, ex.RequestBody = headers{r.Header, r.ContentLength}, r.Body
		ex.Remote = netip.MustParseAddrPort(r.RemoteAddr)
		if err := ex.SetTarget(r.RequestURI); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.Serve(ex)
		for _, f := range ex.Fields() {
			w.Header().Add(f.Name, f.Value)
		}
		var body io.Reader = strings.NewReader(string(ex.Body))
		size := int64(len(ex.Body))
		if ex.Stream != nil {
			body, size = io.LimitReader(ex.Stream, ex.StreamSize), ex.StreamSize
		}
		if ex.Status != http.StatusNoContent && ex.Status != http.StatusNotModified {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		}
		w.WriteHeader(ex.Status)
		if r.Method != http.MethodHead {
			_, _ = io.Copy(w, body)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
