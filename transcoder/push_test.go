package transcoder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// server is a content server that fails as it is told.
type server struct {
	mu       sync.Mutex
	objects  map[string]string
	statuses []int // of the next answers
	requests int
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if len(s.statuses) > 0 {
		status := s.statuses[0]
		s.statuses = s.statuses[1:]
		if status == 302 {
			w.Header().Set("Location", "http://192.0.2.1/")
		}
		http.Error(w, "as told", status)
		return
	}
	if r.Header.Get("Authorization") != "Bearer the-token" {
		http.Error(w, "who?", http.StatusUnauthorized)
		return
	}
	switch r.Method {
	case "PUT":
		data, _ := io.ReadAll(r.Body)
		s.objects[r.URL.Path] = string(data)
		w.WriteHeader(204)
	case "DELETE":
		delete(s.objects, r.URL.Path)
	case "GET":
		text, ok := s.objects[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, text)
	}
}

func TestPush(t *testing.T) {
	s := &server{objects: map[string]string{}}
	h := httptest.NewServer(s)
	defer h.Close()
	// A name of this machine that no resolver knows.
	p, err := NewPush(strings.Replace(h.URL, "127.0.0.1", "origin.localhost", 1)+"/base", "the-token")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s.statuses = []int{503, 500}
	if err := p.Put(ctx, "live/x y/1.m4s", []byte("data")); err != nil || s.objects["/base/live/x y/1.m4s"] != "data" || s.requests != 3 {
		t.Errorf("after two failures: %v, %v, %d requests", err, s.objects, s.requests)
	}
	if data, err := p.Get(ctx, "live/x y/1.m4s"); err != nil || string(data) != "data" {
		t.Errorf("%q, %v", data, err)
	}
	if err := p.Delete(ctx, "live/x y/1.m4s"); err != nil || len(s.objects) != 0 {
		t.Errorf("%v, %v", err, s.objects)
	}
	if _, err := p.Get(ctx, "live/x y/1.m4s"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	for statuses, wantRequests := range map[int]int{401: 1, 413: 1, 507: 1, 302: 1, 503: 3} {
		s.requests, s.statuses = 0, []int{statuses, statuses, statuses}
		if err := p.Put(ctx, "x", nil); err == nil || !strings.Contains(err.Error(), "cannot push x: the server answered") || s.requests != wantRequests {
			t.Errorf("%d: %v after %d requests", statuses, err, s.requests)
		}
	}
	s.statuses = nil
	h.Close()
	if err := p.Put(ctx, "x", nil); err == nil || strings.Contains(err.Error(), "the-token") {
		t.Errorf("no server: %v", err)
	}
	for _, base := range []string{"", "127.0.0.1:80", "ftp://x/", "http://", "http://user:pass@x/", "http://x/?a=b", "http://x/#f", "http://%"} {
		if _, err := NewPush(base, ""); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
}
