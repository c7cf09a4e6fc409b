package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"manifold/internal/testkit/browser"
)

// Every player, current and old, plays a stream to its end, smoothly, over
// plain HTTP/1.1. The old ones are the devices that never get an update.
func TestPlayersPlayToTheEnd(t *testing.T) {
	srv := httptest.NewServer(media(t, nil))
	t.Cleanup(srv.Close)
	b := browser.Start(t, browser.Options{})
	for _, c := range []struct {
		player   browser.Player
		manifest string
		version  string
	}{
		{browser.HLSJS, "master.m3u8", "1.7.4"},
		{browser.DashJS, "manifest.mpd", "5.2.1"},
		{browser.Shaka, "manifest.mpd", "5.2.12"},
		{browser.Shaka, "master.m3u8", "5.2.12"},
		{browser.HLSJSOld, "master.m3u8", "0.14.17"},
		{browser.DashJSOld, "manifest.mpd", "2.9.3"},
		{browser.ShakaOld, "manifest.mpd", "2.5.23"},
	} {
		t.Run(string(c.player)+"/"+path.Ext(c.manifest)[1:], func(t *testing.T) {
			t.Parallel() // the time is that of the picture, not the machine's
			p := b.For(t).Play(browser.Play{Player: c.player, URL: srv.URL + "/" + c.manifest, Buffer: 4 * time.Second})
			p.WaitEnded(60 * time.Second)
			r := p.Report()
			smooth(t, r)
			if !strings.Contains(r.Version, c.version) {
				t.Errorf("version %q, want %s", r.Version, c.version)
			}
			if !r.Ended || r.Played < (vodSeconds-1)*time.Second {
				t.Errorf("played %v of %d s, ended %v", r.Played, vodSeconds, r.Ended)
			}
			if len(r.Switches) == 0 || r.Switches[0].Origin != srv.URL {
				t.Errorf("switches %v, want the server %s first", r.Switches, srv.URL)
			}
			for _, m := range p.Errors() {
				t.Errorf("console: %v", m)
			}
			segments := overProtocol(t, p.Resources(), srv.URL, "http/1.1")
			if segments < vodSeconds/2 {
				t.Errorf("%d segments over http/1.1, want at least %d", segments, vodSeconds/2)
			}
		})
	}
}

// The instrument's other half: a server that stops answering is seen as a
// stall, and as long as it lasted, and the player recovers after it.
func TestStallIsSeen(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(media(t, func(r *http.Request) {
		if strings.HasPrefix(path.Base(r.URL.Path), "chunk-") && strings.HasSuffix(r.URL.Path, "00004.m4s") {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	defer srv.Close()
	b := browser.Start(t, browser.Options{})
	p := b.Play(browser.Play{Player: browser.HLSJS, URL: srv.URL + "/master.m3u8", Buffer: 2 * time.Second,
		Config: map[string]any{"nudgeMaxRetry": 1000}})
	p.WaitPlaying(20 * time.Second)
	p.WaitStalled(30 * time.Second)
	// The stall goes on while the page reports twice more: half a second at least.
	for after, n := len(p.Events()), 0; n < 2; n++ {
		_, after = p.WaitEvent(after, 10*time.Second, "progress report", func(e browser.Event) bool { return e.Type == "progress" })
	}
	close(release)
	p.WaitEnded(40 * time.Second)
	r := p.Report()
	t.Log(r)
	first := slices.IndexFunc(r.Gaps, browser.Gap.Dry)
	if first < 0 {
		t.Fatal("a server that stood still was not seen as a gap")
	}
	g := r.Gaps[first]
	if g.Lost < 700*time.Millisecond { // 250 ms until it is one, 500 ms between two reports
		t.Errorf("the gap lost %v, want more than 700 ms", g.Lost)
	}
	if g.Position < 5*time.Second || g.Position > 6500*time.Millisecond {
		t.Errorf("the gap is at %v, want it where segment 4 begins (6 s) or just before", g.Position)
	}
	if r.Slipped < g.Lost {
		t.Errorf("slipped %v in all, less than the gap's %v", r.Slipped, g.Lost)
	}
}

// A viewer's own pause and seek are no stalls.
func TestPauseAndSeekAreNoGaps(t *testing.T) {
	srv := httptest.NewServer(media(t, nil))
	defer srv.Close()
	b := browser.Start(t, browser.Options{})
	p := b.Play(browser.Play{Player: browser.Shaka, URL: srv.URL + "/manifest.mpd", Lowest: true})
	p.WaitPlayed(time.Second, 30*time.Second)
	p.Pause()
	browser.Eval[bool](p.Page, "new Promise(done => setTimeout(done, 600, true))")
	p.Resume()
	p.Seek(6 * time.Second)
	p.WaitEnded(30 * time.Second)
	r := p.Report()
	smooth(t, r)
	if r.Height != 90 {
		t.Errorf("picture of %d lines, want the lowest, 90", r.Height)
	}
	if r.Played > 6*time.Second {
		t.Errorf("played %v: the part skipped by the seek was counted", r.Played)
	}
}

// Forced QUIC: every resource over h3 from the first byte, on two origins.
func TestForcedHTTP3(t *testing.T) {
	dir := vod(t)
	cert := selfSigned(t)
	alpha := serveQUIC(t, cert, headers(http.FileServer(http.Dir(dir))))
	b := browser.Start(t, browser.Options{SPKI: []string{browser.SPKI(cert.Leaf)}, ForceQUIC: []string{alpha.host}})
	for _, c := range []struct {
		player   browser.Player
		manifest string
	}{{browser.HLSJS, "master.m3u8"}, {browser.DashJS, "manifest.mpd"}, {browser.Shaka, "manifest.mpd"}} {
		t.Run(string(c.player), func(t *testing.T) {
			t.Parallel()
			p := b.For(t).Play(browser.Play{Player: c.player, URL: "https://" + alpha.host + "/" + c.manifest, Lowest: true})
			p.WaitEnded(60 * time.Second)
			smooth(t, p.Report())
			overProtocol(t, p.Resources(), "https://"+alpha.host, "h3")
		})
	}
	t.Cleanup(func() {
		if n := alpha.tcp(); n != 0 {
			t.Errorf("%d requests came over TCP, want none", n)
		}
	})
}

// The way of a real first visit: h2 first, then Alt-Svc moves the browser to h3.
func TestAltSvcUpgrade(t *testing.T) {
	cert := selfSigned(t)
	alpha := serveQUIC(t, cert, headers(http.FileServer(http.Dir(vod(t)))))
	b := browser.Start(t, browser.Options{SPKI: []string{browser.SPKI(cert.Leaf)}, UpgradeQUIC: []string{"localhost"}})
	p := b.Play(browser.Play{Player: browser.HLSJS, URL: "https://" + alpha.host + "/master.m3u8", Lowest: true, Buffer: 3 * time.Second})
	p.WaitEnded(60 * time.Second)
	smooth(t, p.Report())
	seen := map[string]int{}
	for _, r := range p.Resources() {
		if strings.HasPrefix(r.URL, "https://"+alpha.host) {
			seen[r.Protocol]++
		}
	}
	if seen["h2"] == 0 || seen["h3"] == 0 || len(seen) != 2 {
		t.Errorf("resources by protocol: %v, want some over h2 and then some over h3", seen)
	}
}

// A page's promises, events and console reach the test.
func TestPageTalksToItsTest(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Talk</title><main><h1>Talk</h1><button>Go</button><p id=out></p></main>
			<script>document.querySelector("button").onclick = async () => {
				console.error("clicked"); await fetch("/missing");
				document.querySelector("#out").textContent = "done";
				rigEmit(JSON.stringify({type: "clicked"}));
				setTimeout(() => { throw new Error("uncaught") });
			}</script>`)
	}))
	defer srv.Close()
	b := browser.Start(t, browser.Options{})
	p := b.Open(srv.URL)
	if v := p.Axe(); len(v) != 0 {
		t.Errorf("axe-core: %v", v)
	}
	browser.Eval[bool](p, `document.querySelector("button").click(), true`)
	p.WaitFor(`document.querySelector("#out").textContent === "done"`)
	p.WaitEvent(0, 5*time.Second, "click", func(e browser.Event) bool { return e.Type == "clicked" })
	browser.Eval[bool](p, `new Promise(done => setTimeout(done, 0, true))`)
	sources := map[string]bool{}
	for _, m := range p.Errors() {
		sources[m.Source] = true
	}
	for _, want := range []string{"console", "network", "exception"} {
		if !sources[want] {
			t.Errorf("no error of source %q on the console: %v", want, p.Console())
		}
	}
	if png := p.Screenshot(); len(png) < 1000 || string(png[1:4]) != "PNG" {
		t.Errorf("the picture has %d bytes and is no PNG", len(png))
	}
}

// smooth fails the test for anything a viewer would have noticed.
func smooth(t *testing.T, r browser.Report) {
	t.Helper()
	t.Log(r)
	for _, g := range r.Gaps {
		if g.Dry() || g.Lost == 0 || g.Lost > 3*time.Second { // what else is short is a busy machine's
			t.Errorf("stood still for %v at %v with %v buffered", g.Lost, g.Position, g.Ahead)
		}
	}
	for _, j := range r.Jumps {
		t.Errorf("jumped from %v to %v", j.From, j.To)
	}
	for _, f := range r.Fatal() {
		t.Errorf("fatal: %v", f)
	}
}

// overProtocol counts the media segments from an origin, all of whose
// resources must have come over one protocol.
func overProtocol(t *testing.T, list []browser.Resource, origin, protocol string) (segments int) {
	t.Helper()
	for _, r := range list {
		if !strings.HasPrefix(r.URL, origin) {
			continue
		}
		if r.Protocol != protocol {
			t.Errorf("%s over %q, want %q", r.URL, r.Protocol, protocol)
		}
		if strings.HasSuffix(r.URL, ".m4s") {
			segments++
		}
	}
	if segments == 0 {
		t.Errorf("no segment from %s among %d resources", origin, len(list))
	}
	return segments
}

// media serves the stream; before runs ahead of every answer.
func media(t *testing.T, before func(*http.Request)) http.Handler {
	files := http.FileServer(http.Dir(vod(t)))
	return headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			before(r)
		}
		files.ServeHTTP(w, r)
	}))
}

// headers are what any CDN must send for a player on another origin.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Timing-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store")
		switch path.Ext(r.URL.Path) {
		case ".mpd":
			w.Header().Set("Content-Type", "application/dash+xml")
		case ".m3u8":
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		}
		next.ServeHTTP(w, r)
	})
}

type quicServer struct {
	host string // localhost:port
	mu   sync.Mutex
	n    int
}

func (s *quicServer) tcp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// serveQUIC serves h3 on a UDP port and h2 on the TCP port of the same number,
// which advertises h3.
func serveQUIC(t *testing.T, cert tls.Certificate, h http.Handler) *quicServer {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port := tcp.Addr().(*net.TCPAddr).Port
	s := &quicServer{host: fmt.Sprintf("localhost:%d", port)}
	h3 := &http3.Server{Handler: h, Port: port, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}})}
	h2 := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.n++
			s.mu.Unlock()
			w.Header().Set("Alt-Svc", fmt.Sprintf(`h3=":%d"; ma=600`, port))
			h.ServeHTTP(w, r)
		}),
	}
	var running sync.WaitGroup
	running.Go(func() { _ = h3.Serve(udp) })
	running.Go(func() { _ = h2.ServeTLS(tcp, "", "") })
	t.Cleanup(func() {
		_ = h3.Close()
		_ = h2.Close()
		_ = udp.Close()
		running.Wait()
	})
	return s
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost", "*.localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
