package listen

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestValidate(t *testing.T) {
	good := localConfig(t)
	if problems := good.Validate(); len(problems) != 0 {
		t.Errorf("good: %v", problems)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		paths  []string
	}{
		"nothing":     {func(c *Config) { *c = Config{} }, []string{""}},
		"addresses":   {func(c *Config) { c.Plain, c.TLS = []string{"8080", ":80", ":http"}, []string{"h:99999"} }, []string{"plain[0]", "plain[2]", "tls[0]"}},
		"certificate": {func(c *Config) { c.Certificate = nil }, []string{"tls"}},
		"h3 alone":    {func(c *Config) { c.TLS = nil }, []string{"http3"}},
		"limits": {func(c *Config) {
			c.MaxHeaderBytes, c.MaxHeaderFields, c.MaxStreams, c.AltSvcPort = 100, -1, -1, 70000
			c.QUICSecret = []byte("short")
		}, []string{"alt_svc_port", "quic_secret", "limits.header", "limits.header_fields", "limits.streams"}},
		"timeouts": {func(c *Config) { c.HeaderTimeout, c.IdleTimeout = -1, -time.Second }, []string{"deadlines.header", "deadlines.idle"}},
	} {
		cfg := localConfig(t)
		c.change(&cfg)
		var paths []string
		for _, p := range cfg.Validate() {
			paths = append(paths, p.Path)
		}
		if !slices.Equal(paths, c.paths) {
			t.Errorf("%s: problems at %q, want %q", name, paths, c.paths)
		}
		if _, err := New(cfg, text200("ok")); err == nil || !strings.HasPrefix(err.Error(), "cannot listen: ") {
			t.Errorf("%s: New: %v", name, err)
		}
	}
	if _, err := New(good, nil); err == nil {
		t.Error("a listener without handler")
	}
}

// TestDefaults: every zero limit and deadline gets a value, and negative ones
// mean no bound where the comment says so.
func TestDefaults(t *testing.T) {
	got := reflect.ValueOf(Config{}.WithDefaults())
	for i := range got.NumField() {
		f := got.Type().Field(i)
		if (strings.HasPrefix(f.Name, "Max") || strings.HasSuffix(f.Name, "Timeout") || f.Name == "RetryAbove" || f.Name == "DrainGrace" || f.Name == "AltSvcMaxAge" || f.Name == "Logger" || f.Name == "Now") && got.Field(i).IsZero() {
			t.Errorf("%s is zero", f.Name)
		}
	}
	c := Config{MaxRequestBody: -1, MaxConnections: -1, MaxConnectionsPerAddress: -1, MaxWaiting: -1, DrainGrace: -1}.WithDefaults()
	if c.MaxRequestBody != math.MaxInt64 || c.MaxConnections != math.MaxInt || c.MaxConnectionsPerAddress != math.MaxInt || c.MaxWaiting != 0 || c.DrainGrace != 0 {
		t.Errorf("negative: %+v", c)
	}
}

// TestBindAllOrNothing: what cannot be bound is named, all of it, and what
// could be is free again.
func TestBindAllOrNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	pair, err := net.Listen("tcp", "127.0.0.1:0") // a number that is free for TCP
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", pair.Addr().String())
	pair.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := probe.Addr().String()
	probe.Close()

	cfg := localConfig(t)
	cfg.Plain = []string{free, taken.Addr().String(), "192.0.2.1:0"}
	cfg.TLS = []string{udp.LocalAddr().String()}
	_, err = New(cfg, text200("ok"))
	if err == nil {
		t.Fatal("bound")
	}
	for _, want := range []string{
		"cannot listen on plain address " + taken.Addr().String() + ": bind: address already in use: another process listens there",
		"cannot listen on plain address 192.0.2.1:0: bind: cannot assign requested address: no network interface",
		"cannot listen on quic address " + udp.LocalAddr().String() + ": bind: address already in use",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	again, err := net.Listen("tcp", free)
	if err != nil {
		t.Errorf("%s is still bound: %v", free, err)
	} else {
		again.Close()
	}
	again, err = net.Listen("tcp", udp.LocalAddr().String())
	if err != nil {
		t.Errorf("the TCP half of the pair is still bound: %v", err)
	} else {
		again.Close()
	}
}

func TestAddrs(t *testing.T) {
	cfg := localConfig(t)
	cfg.Plain = []string{"127.0.0.1:0", "[::1]:0"}
	cfg.TLS = []string{"127.0.0.1:0", ":0"}
	cfg.AltSvcPort = 443
	cfg.AltSvcMaxAge = time.Minute
	l := run(t, cfg, text200("ok"))
	addrs := l.Addrs()
	var kinds []string
	for _, a := range addrs {
		kinds = append(kinds, a.Kind.String())
		if a.Addr.Port() == 0 || !strings.HasPrefix(a.String(), a.Kind.String()+" ") {
			t.Errorf("%v", a)
		}
	}
	if strings.Join(kinds, " ") != "plain plain tls tls quic quic" {
		t.Fatalf("kinds %v", kinds)
	}
	if addrs[2].Addr != addrs[4].Addr || addrs[3].Addr.Port() != addrs[5].Addr.Port() {
		t.Errorf("TCP and UDP differ: %v", addrs)
	}
	for _, base := range []string{"http://" + addrs[0].Addr.String(), "http://" + addrs[1].Addr.String()} {
		if resp, _ := (way{base: base, client: h1Client(t, false)}).get(t, "/"); resp.StatusCode != 200 {
			t.Errorf("%s: %v", base, resp.Status)
		}
	}
	// The wildcard address serves both families, on all protocols.
	port := addrs[3].Addr.Port()
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		for _, c := range []*http.Client{h1Client(t, true), h2Client(t), h3Client(t)} {
			resp, _ := (way{base: "https://" + host + ":" + itoa(int(port)), client: c}).get(t, "/")
			if resp.StatusCode != 200 {
				t.Errorf("%s: %v", host, resp.Status)
			}
			if resp.ProtoMajor < 3 && resp.Header.Get("Alt-Svc") != `h3=":443"; ma=60` {
				t.Errorf("Alt-Svc %q", resp.Header.Get("Alt-Svc"))
			}
		}
	}
}

func TestNoHTTP3(t *testing.T) {
	cfg := localConfig(t)
	cfg.HTTP3 = false
	l := run(t, cfg, text200("ok"))
	resp, _ := (way{base: "https://" + addrOf(t, l, TLS), client: h2Client(t)}).get(t, "/")
	if resp.Header.Get("Alt-Svc") != "" || len(l.Addrs()) != 2 {
		t.Errorf("Alt-Svc %q, %v", resp.Header.Get("Alt-Svc"), l.Addrs())
	}
}

// TestSmallBuffersAreSaidOnce: what the kernel refuses is one line with the
// remedy, whatever the number of connections.
func TestSmallBuffersAreSaidOnce(t *testing.T) {
	var out logged
	cfg := localConfig(t)
	cfg.Logger = jsonLogger(&out)
	l := run(t, cfg, text200("ok"))
	for range 3 {
		(way{base: "https://" + addrOf(t, l, TLS), client: h3Client(t)}).get(t, "/")
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	receive, send, err := growBuffers(c, quicBuffer)
	if err != nil || receive <= 0 || send <= 0 {
		t.Fatalf("buffers %d, %d, %v", receive, send, err)
	}
	want := 0
	if min(receive, send) < quicBuffer {
		want = 1
	}
	if n := strings.Count(out.String(), "net.core.rmem_max"); n != want {
		t.Errorf("said %d times with buffers of %d and %d, want %d:\n%s", n, receive, send, want, out.String())
	}
}

// TestQUICSecret: a process with the secret of one that died tells the
// clients of that one that their connections are gone.
func TestQUICSecret(t *testing.T) {
	cfg := localConfig(t)
	cfg.QUICSecret = []byte(strings.Repeat("s", 32))
	first := run(t, cfg, text200("first"))
	h := dialRawH3(t, addrOf(t, first, TLS))
	if a := h.ask(getRoot...); a.status != 200 {
		t.Fatal(a)
	}
	for _, u := range first.udp { // as if the process died: nothing is said
		_ = u.transport.Close()
		_ = u.udp.Close()
	}
	cfg.TLS = []string{addrOf(t, first, TLS)}
	first.Close()
	run(t, cfg, text200("second"))
	_ = h.ask(getRoot...)
	within(t, h.c.Context().Done(), "the stateless reset")
	var reset *quic.StatelessResetError
	if err := context.Cause(h.c.Context()); !errors.As(err, &reset) {
		t.Errorf("ended by %v", err)
	}
}

func TestPlainHTTPOnTLSPort(t *testing.T) {
	l := run(t, localConfig(t), text200("ok"))
	resp, body := (way{base: "http://" + addrOf(t, l, TLS), client: h1Client(t, false)}).get(t, "/")
	if resp.StatusCode != 400 || !strings.Contains(string(body), "https") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}
