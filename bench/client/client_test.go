package client

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"encoding/pem"

	"github.com/quic-go/quic-go/http3"
	"net"
)

func get(t *testing.T, cfg Config, req Request) *Result {
	t.Helper()
	clients, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clients.Close)
	return clients.Viewer(0).Do(t.Context(), req)
}

func server(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop2", http.StatusFound)
		case "/loop2":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/deeper":
			http.Redirect(w, r, "/deeper?"+r.URL.RawQuery+"x", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/plain", http.StatusMovedPermanently)
		case "/short":
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "only this")
		case "/endless":
			block := make([]byte, 64<<10)
			for {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, io.LimitReader(zeros{}, 64<<20))
			_ = z.Close()
		case "/zipped":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, strings.Repeat("text ", 1000))
			_ = z.Close()
		case "/hang":
			<-r.Context().Done()
		default:
			fmt.Fprintf(w, "%s %s", r.Proto, r.UserAgent())
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestProtocols(t *testing.T) {
	s, ca := server(t)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h3 := &http3.Server{Handler: s.Config.Handler, TLSConfig: http3.ConfigureTLSConfig(s.TLS.Clone())}
	done := make(chan struct{})
	go func() { defer close(done); _ = h3.Serve(udp) }()
	defer func() { _ = h3.Close(); _ = udp.Close(); <-done }()
	plain := httptest.NewServer(s.Config.Handler)
	defer plain.Close()
	for _, c := range []struct {
		protocol  Protocol
		url, want string
	}{
		{Auto, s.URL, "HTTP/2.0"}, {"", plain.URL, "HTTP/1.1"},
		{H1, s.URL, "HTTP/1.1"}, {H2, s.URL, "HTTP/2.0"},
		{H3, "https://example.localhost:" + fmt.Sprint(udp.LocalAddr().(*net.UDPAddr).Port), "HTTP/3.0"},
	} {
		cfg := Config{Protocol: c.protocol, CAFile: ca, UserAgent: "test"}
		if c.protocol == H3 {
			cfg.Insecure = true // the test certificate is not for *.localhost
		}
		res := get(t, cfg, Request{URL: c.url + "/plain"})
		if !res.OK() || res.Proto != c.want || string(res.Body) != c.want+" test" {
			t.Errorf("%s %s: %d %s %q, %v", c.protocol, c.url, res.Status, res.Proto, res.Body, res.Err)
		}
	}
	if res := get(t, Config{Protocol: H3}, Request{URL: plain.URL}); !errors.Is(res.Err, errPlainH3) {
		t.Errorf("h3 over http: %v", res.Err)
	}
}

func TestTrust(t *testing.T) {
	s, ca := server(t)
	if res := get(t, Config{}, Request{URL: s.URL}); res.Err == nil {
		t.Error("an unknown certificate was trusted")
	}
	for _, cfg := range []Config{{Insecure: true}, {CAFile: ca}} {
		if res := get(t, cfg, Request{URL: s.URL}); res.Err != nil {
			t.Errorf("%+v: %v", cfg, res.Err)
		}
	}
	if _, err := New(Config{CAFile: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a missing CA file was accepted")
	}
}

func TestBounds(t *testing.T) {
	s, ca := server(t)
	cfg := Config{CAFile: ca, MaxBody: 1 << 20}
	var large *TooLargeError
	for _, path := range []string{"/endless", "/bomb"} {
		if res := get(t, cfg, Request{URL: s.URL + path}); !errors.As(res.Err, &large) || len(res.Body) > 1<<20 {
			t.Errorf("%s: %v, %d bytes kept", path, res.Err, len(res.Body))
		}
	}
	var redirect *RedirectError
	for path, loop := range map[string]bool{"/loop": true, "/deeper": false} {
		if res := get(t, cfg, Request{URL: s.URL + path}); !errors.As(res.Err, &redirect) || redirect.Loop != loop {
			t.Errorf("%s: %v", path, res.Err)
		}
	}
	if res := get(t, cfg, Request{URL: s.URL + "/moved"}); !res.OK() || len(res.Redirects) != 1 || res.URL.Path != "/plain" {
		t.Errorf("a redirect: %v, %v", res.Redirects, res.Err)
	}
	if res := get(t, Config{CAFile: ca, MaxRedirects: -1}, Request{URL: s.URL + "/moved"}); res.Err != nil || res.Status != 301 {
		t.Errorf("redirects not followed: %d, %v", res.Status, res.Err)
	}
	if res := get(t, cfg, Request{URL: s.URL + "/hang", Timeout: 50 * time.Millisecond}); res.Err == nil || res.Status != 0 {
		t.Errorf("a server that hangs: %d, %v", res.Status, res.Err)
	}
	for _, u := range []string{"ftp://x/", "file:///etc/hostname", "http://[::1", "//x", ""} {
		if res := get(t, cfg, Request{URL: u}); res.Err == nil {
			t.Errorf("%q was fetched", u)
		}
	}
}

func TestBody(t *testing.T) {
	s, ca := server(t)
	res := get(t, Config{CAFile: ca}, Request{URL: s.URL + "/zipped"})
	if !bytes.Equal(res.Body, []byte(strings.Repeat("text ", 1000))) || res.Wire >= res.Size || res.Size != 5000 {
		t.Errorf("gzip: %d bytes of %d on the wire, %v", res.Size, res.Wire, res.Err)
	}
	res = get(t, Config{CAFile: ca, Protocol: H1}, Request{URL: s.URL + "/short"})
	if !errors.Is(res.Err, io.ErrUnexpectedEOF) || res.Status != 200 || string(res.Body) != "only this" {
		t.Errorf("a body that breaks off: %q, %v", res.Body, res.Err)
	}
	res = get(t, Config{CAFile: ca, UserAgent: "0123456789"}, Request{URL: s.URL + "/plain", Keep: 4})
	if len(res.Body) != 4 || res.Size != 19 {
		t.Errorf("kept %q of %d bytes", res.Body, res.Size)
	}
}

func TestConnectionModel(t *testing.T) {
	s, ca := server(t)
	for share, want := range map[int]string{1: "own", 4: "shared by 4"} {
		clients, err := New(Config{CAFile: ca, Share: share, Protocol: H2})
		if err != nil {
			t.Fatal(err)
		}
		reused := 0
		for i := range 8 {
			res := clients.Viewer(i).Do(t.Context(), Request{URL: s.URL + "/plain"})
			if res.Err != nil {
				t.Fatal(res.Err)
			}
			if res.Reused {
				reused++
			}
		}
		if want := map[int]int{1: 0, 4: 6}[share]; reused != want {
			t.Errorf("%d viewers a connection: %d requests found one open, want %d", share, reused, want)
		}
		if !strings.Contains(clients.String(), want) {
			t.Errorf("the model is called %q", clients)
		}
		clients.Leave(0)
		clients.Close()
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{Protocol: "spdy", Share: -1, Timeout: -1, MaxBody: -1}); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four problems, got %v", err)
	}
}
