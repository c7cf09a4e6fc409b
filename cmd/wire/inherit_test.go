package wire

import (
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manifold/config"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/listen"
)

// Sockets that are handed over are served, that of the admin side by its name.
func TestInheritedSockets(t *testing.T) {
	socket := func(name string) (listen.Socket, string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // the file is another descriptor of the socket
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		return listen.Socket{Name: name, File: f}, l.Addr().String()
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "manifold.yml")
	if err := os.WriteFile(file, []byte("listen: {plain: [], deadlines: {drain: none}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(cfg.Warnings[0].Text+cfg.Warnings[1].Text+cfg.Warnings[2].Text, "handed over") {
		t.Errorf("%v", cfg.Warnings)
	}
	e := &Edge{log: slog.New(slog.DiscardHandler), stop: func() {}}
	if e.shield, err = origin.New(cfg.Shield, time.Now, mathrand.Float64); err != nil {
		t.Fatal(err)
	}
	e.proxy = proxy.New(e.shield, e.log, time.Now)
	plain, plainAddr := socket("plain")
	admin, adminAddr := socket(adminSocket)
	if err := e.listen(cfg, []listen.Socket{admin, plain}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.serveAdmin(cfg, nil)
	if err := e.listener.Start(); err != nil {
		t.Fatal(err)
	}
	if e.PlainAddr().String() != plainAddr || e.AdminAddr().String() != adminAddr {
		t.Errorf("listens on %v and %v, want %s and %s", e.PlainAddr(), e.AdminAddr(), plainAddr, adminAddr)
	}
	for url, want := range map[string]int{"http://" + plainAddr + "/": http.StatusServiceUnavailable, "http://" + adminAddr + "/healthz": http.StatusOK} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", url, res.Status)
		}
	}
}
