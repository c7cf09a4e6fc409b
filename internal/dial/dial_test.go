package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	tests := map[string]bool{
		"8.8.8.8":                  true,
		"1.1.1.1":                  true,
		"2606:4700::1":             true,
		"2a00:1450:4001:81b::200e": true,
		"64:ff9b::808:808":         true, // NAT64 of 8.8.8.8
		"2002:808:808::1":          true, // 6to4 of 8.8.8.8
		"::ffff:8.8.8.8":           true,
		"127.0.0.1":                false,
		"127.255.255.254":          false,
		"0.0.0.0":                  false,
		"10.1.2.3":                 false,
		"172.16.0.1":               false,
		"172.32.0.1":               true,
		"192.168.1.1":              false,
		"100.64.0.1":               false,
		"100.100.100.200":          false, // metadata of one cloud
		"169.254.169.254":          false,
		"168.63.129.16":            false,
		"198.18.0.1":               false,
		"224.0.0.1":                false,
		"255.255.255.255":          false,
		"::":                       false,
		"::1":                      false,
		"::127.0.0.1":              false,
		"::ffff:127.0.0.1":         false,
		"::ffff:169.254.169.254":   false,
		"64:ff9b::7f00:1":          false,
		"64:ff9b::a9fe:a9fe":       false,
		"2002:7f00:1::":            false,
		"2002:a9fe:a9fe::1":        false,
		"2001:0:4136:e378:8000::1": false, // Teredo
		"fd00::1":                  false,
		"fd00:ec2::254":            false,
		"fe80::1":                  false,
		"fe80::1%eth0":             false,
		"2606:4700::1%eth0":        false,
		"fec0::1":                  false,
		"ff02::1":                  false,
		"2001:db8::1":              false,
	}
	for in, want := range tests {
		if got := Public(netip.MustParseAddr(in)); got != want {
			t.Errorf("Public(%s) = %v, want %v", in, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address counts as public")
	}
}

func TestIsLocalhost(t *testing.T) {
	tests := map[string]bool{
		"localhost": true, "LocalHost": true, "localhost.": true, "alpha.localhost": true,
		"a.b.LOCALHOST.": true,
		"":               false, "notlocalhost": false, ".localhost": false, "localhost.example": false,
		"localhost..": false, "127.0.0.1": false,
	}
	for in, want := range tests {
		if got := IsLocalhost(in); got != want {
			t.Errorf("IsLocalhost(%q) = %v, want %v", in, got, want)
		}
	}
}

// canary is a loopback listener that counts what reaches it.
func canary(t *testing.T) (port string, seen *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, seen
}

func TestDialerRefusesWhatIsNotPublic(t *testing.T) {
	port, seen := canary(t)
	d := &Dialer{Timeout: time.Second}
	for _, host := range []string{
		"127.0.0.1", "127.1", "0x7f.1", "2130706433", "::ffff:127.0.0.1", "localhost", "alpha.localhost",
		"0.0.0.0", "::", "::1", "169.254.169.254", "fd00::1", "fe80::1",
	} {
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: connected", host)
		}
		var p *ProhibitedError
		if net.ParseIP(host) != nil && !errors.As(err, &p) {
			t.Errorf("%s: error is %v, want a ProhibitedError", host, err)
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}

func TestDialerAllows(t *testing.T) {
	port, seen := canary(t)
	d := &Dialer{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for i, host := range []string{"127.0.0.1", "alpha.localhost", "localhost.", "::ffff:127.0.0.1"} {
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		_, _ = conn.Read(make([]byte, 1)) // the canary closes once it has counted
		_ = conn.Close()
		if n := seen.Load(); n != int64(i+1) {
			t.Errorf("%s: the canary saw %d connections, want %d", host, n, i+1)
		}
	}
}

func TestLocalhost(t *testing.T) {
	port, _ := canary(t)
	conn, err := Localhost(t.Context(), "tcp", "gamma.localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := Localhost(t.Context(), "tcp", "no-port"); err == nil {
		t.Error("an address without a port was dialled")
	}
}

// TestDialerChecksWhatResolved uses a name that its DNS server points to
// loopback: the check is on what is connected to, whenever the name changed
// its mind.
func TestDialerChecksWhatResolved(t *testing.T) {
	port, seen := canary(t)
	d := &Dialer{Timeout: 2 * time.Second, Resolver: resolverTo(t, [4]byte{127, 0, 0, 1})}
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort("rebind.example", port))
		cancel()
		var p *ProhibitedError
		if err == nil {
			_ = conn.Close()
			t.Fatal("connected")
		}
		if !errors.As(err, &p) {
			t.Fatalf("error is %v, want a ProhibitedError", err)
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}

// resolverTo asks a DNS server of its own, which answers every A
// question with addr.
func resolverTo(t *testing.T, addr [4]byte) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Authoritative = true, true
			m.Additionals = nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: addr},
				}}
			}
			out, err := m.Pack()
			if err != nil {
				continue
			}
			_, _ = pc.WriteTo(out, from)
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var nd net.Dialer
		return nd.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}
