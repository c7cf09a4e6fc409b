package alternate

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
)

func TestTurns(t *testing.T) {
	var urls []string
	for i := range 2 {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/missing" {
				w.WriteHeader(http.StatusNotFound)
			}
			fmt.Fprintf(w, "%d %s %s", i, r.Host, r.URL.RequestURI())
		}))
		t.Cleanup(s.Close)
		urls = append(urls, s.URL)
	}
	p, err := New(urls...)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(p)
	defer front.Close()
	host := front.Listener.Addr().String()
	for i, path := range []string{"/a?x=%2f", "/a?x=%2f", "/missing"} {
		res, err := http.Get(front.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if want := fmt.Sprintf("%d %s %s", i%2, host, path); string(body) != want {
			t.Errorf("request %d: %q, want %q", i, body, want)
		}
	}
	want := []Entry{{0, "GET", "/a", 200}, {1, "GET", "/a", 200}, {0, "GET", "/missing", 404}}
	if got := p.Log(); !reflect.DeepEqual(got, want) {
		t.Errorf("log %v, want %v", got, want)
	}
}

func TestBackendIsDown(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p, err := New(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if log := p.Log(); w.Code != http.StatusBadGateway || len(log) != 1 || log[0].Status != http.StatusBadGateway {
		t.Errorf("answered %d, log %v, want 502", w.Code, log)
	}
	if _, err := New("http://[", gone.URL); err == nil {
		t.Error("a backend that is no URL was taken")
	}
}
