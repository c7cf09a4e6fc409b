package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// Kind is what a socket carries.
type Kind uint8

// The kinds of sockets.
const (
	Plain Kind = iota + 1 // HTTP/1.1 on TCP
	TLS                   // HTTP/1.1 and HTTP/2 on TCP with TLS
	QUIC                  // HTTP/3 on UDP
)

// String gives "plain", "tls" or "quic".
func (k Kind) String() string {
	switch k {
	case Plain:
		return "plain"
	case TLS:
		return "tls"
	case QUIC:
		return "quic"
	}
	return "unknown"
}

// Addr is an address that is listened on.
type Addr struct {
	Kind Kind
	Addr netip.AddrPort
}

// String gives "tls 127.0.0.1:8443".
func (a Addr) String() string { return a.Kind.String() + " " + a.Addr.String() }

// endpoint is one open socket.
type endpoint struct {
	kind   Kind
	addr   netip.AddrPort
	tcp    *net.TCPListener
	udp    *shared
	altSvc []string // what answers on this endpoint say in Alt-Svc, or nil
}

func (e *endpoint) close() {
	if e.tcp != nil {
		_ = e.tcp.Close()
	}
	if e.udp != nil {
		_ = e.udp.Close()
		e.udp.close()
	}
}

// bind opens every socket that cfg wants, or none.
func bind(cfg *Config) ([]*endpoint, error) {
	given, err := adopt(cfg.Inherited)
	b := &binder{given: given}
	if err != nil {
		b.errs = append(b.errs, err)
	}
	for _, a := range cfg.Plain {
		b.tcp(Plain, a)
	}
	for _, a := range cfg.TLS {
		if cfg.HTTP3 {
			b.pair(a)
		} else {
			b.tcp(TLS, a)
		}
	}
	b.rest(cfg.HTTP3)
	if len(b.errs) > 0 {
		for _, i := range given {
			i.close()
		}
		for _, e := range b.open {
			e.close()
		}
		return nil, errors.Join(b.errs...)
	}
	for _, e := range b.open {
		if e.kind == TLS && cfg.HTTP3 && cfg.AltSvcMaxAge > 0 {
			port := int(e.addr.Port())
			if cfg.AltSvcPort != 0 {
				port = cfg.AltSvcPort
			}
			e.altSvc = []string{fmt.Sprintf(`h3=":%d"; ma=%d`, port, int(cfg.AltSvcMaxAge.Seconds()))}
		}
	}
	return b.open, nil
}

type binder struct {
	given []*inherited
	open  []*endpoint
	errs  []error
}

func (b *binder) fail(k Kind, address string, err error) {
	b.errs = append(b.errs, fmt.Errorf("cannot listen on %s address %s: %w%s", k, address, err, bindHint(err)))
}

func bindHint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another process listens there; stop it or choose another port"
	case errors.Is(err, syscall.EACCES):
		return ": ports below 1024 need CAP_NET_BIND_SERVICE (or systemd socket activation)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": no network interface of this host has that address"
	}
	return ""
}

func (b *binder) addTCP(k Kind, l *net.TCPListener) *endpoint {
	e := &endpoint{kind: k, tcp: l, addr: unmap(l.Addr().(*net.TCPAddr).AddrPort())}
	b.open = append(b.open, e)
	return e
}

func (b *binder) addUDP(c *net.UDPConn, before *past) {
	b.open = append(b.open, &endpoint{kind: QUIC, udp: newShared(c, before), addr: unmap(c.LocalAddr().(*net.UDPAddr).AddrPort())})
}

func (b *binder) tcp(k Kind, address string) *endpoint {
	if i := b.take(address, "tcp"); i != nil {
		return b.addTCP(k, i.tcp)
	}
	l, err := listenTCP(address)
	if err != nil {
		b.fail(k, address, err)
		return nil
	}
	return b.addTCP(k, l)
}

// pair binds TCP and UDP of one port. Where the port is free to choose, the
// one that the kernel gave to TCP may be taken on UDP: then both try again.
func (b *binder) pair(address string) {
	host, port, _ := net.SplitHostPort(address)
	if port != "0" {
		if b.tcp(TLS, address) == nil {
			return
		}
		b.udp(address)
		return
	}
	const attempts = 32
	for n := 1; ; n++ {
		l, err := listenTCP(address)
		if err != nil {
			b.fail(TLS, address, err)
			return
		}
		chosen := net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
		c, err := listenUDP(chosen)
		if err == nil {
			b.addTCP(TLS, l)
			b.addUDP(c, nil)
			return
		}
		_ = l.Close()
		if n == attempts {
			b.fail(QUIC, chosen, err)
			return
		}
	}
}

func (b *binder) udp(address string) {
	if i := b.take(address, "udp"); i != nil {
		b.addUDP(i.udp, i.past)
		return
	}
	c, err := listenUDP(address)
	if err != nil {
		b.fail(QUIC, address, err)
		return
	}
	b.addUDP(c, nil)
}

// take finds the inherited socket that has the configured address.
func (b *binder) take(address, network string) *inherited {
	var want netip.AddrPort
	if network == "tcp" {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			return nil // listenTCP will say what is wrong
		}
		want = a.AddrPort()
	} else {
		a, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			return nil
		}
		want = a.AddrPort()
	}
	for _, i := range b.given {
		var have netip.AddrPort
		switch {
		case i.used:
			continue
		case network == "tcp" && i.tcp != nil:
			have = i.tcp.Addr().(*net.TCPAddr).AddrPort()
		case network == "udp" && i.udp != nil:
			have = i.udp.LocalAddr().(*net.UDPAddr).AddrPort()
		default:
			continue
		}
		if have.Port() == want.Port() && sameHost(have.Addr(), want.Addr()) {
			i.used = true
			return i
		}
	}
	return nil
}

// sameHost compares two addresses to listen on: no address, 0.0.0.0 and ::
// are all addresses of the host.
func sameHost(a, b netip.Addr) bool {
	a, b = a.Unmap(), b.Unmap()
	any := func(x netip.Addr) bool { return !x.IsValid() || x.IsUnspecified() }
	return a == b || any(a) && any(b)
}

// rest serves the inherited sockets that no configured address names.
func (b *binder) rest(http3 bool) {
	for _, i := range b.given {
		if i.used || i.tcp == nil && i.udp == nil {
			continue
		}
		k, ok := i.kind()
		switch {
		case ok && k != QUIC && i.tcp != nil:
			b.addTCP(k, i.tcp)
		case ok && k == QUIC && i.udp != nil && http3:
			b.addUDP(i.udp, i.past)
		default:
			b.errs = append(b.errs, fmt.Errorf("cannot serve inherited socket %v: no configured address is its own and its name does not fit: call it plain, tls or quic", i))
			continue
		}
		i.used = true
	}
	slices.SortStableFunc(b.open, func(x, y *endpoint) int { return int(x.kind) - int(y.kind) })
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

func listenTCP(address string) (*net.TCPListener, error) {
	lc := net.ListenConfig{Control: controlTCP}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, bare(err)
	}
	return l.(*net.TCPListener), nil
}

func listenUDP(address string) (*net.UDPConn, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, bare(err)
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, bare(err)
	}
	return c, nil
}

// bare drops the address that net puts before its errors: ours name it.
func bare(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
