package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// DefaultTimeout bounds a connection attempt where Dialer.Timeout is 0.
const DefaultTimeout = 3 * time.Second

// ProhibitedError says that a name or literal led to an address that is
// neither public nor listed.
type ProhibitedError struct{ Addr netip.Addr }

func (e *ProhibitedError) Error() string {
	return fmt.Sprintf("address %s is not public and not listed as allowed", e.Addr)
}

// Dialer connects to public addresses, and to the listed others. The zero
// Dialer allows public addresses only.
type Dialer struct {
	// Timeout bounds name resolution and connecting together; 0 means
	// [DefaultTimeout].
	Timeout time.Duration
	// Allow lists blocks that may be connected to although they are not
	// public.
	Allow []netip.Prefix
	// Resolver looks names up; nil is the system's.
	Resolver *net.Resolver
}

// DialContext connects to address ("host:port"). Every address that the name
// resolves to is checked at the moment it is connected to; a refusal is a
// [*ProhibitedError]. The names of RFC 6761, section 6.3 ("localhost" and
// below) are loopback without asking a resolver, and still must be allowed.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: d.Timeout, Resolver: d.Resolver, ControlContext: d.control}
	if nd.Timeout <= 0 {
		nd.Timeout = DefaultTimeout
	}
	return dialNamed(ctx, &nd, network, address)
}

// control runs between socket and connect, on the resolved address.
func (d *Dialer) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return fmt.Errorf("cannot connect over %s: only TCP is dialled", network)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("cannot read the resolved address: %w", err)
	}
	addr := ap.Addr()
	if Public(addr) {
		return nil
	}
	for _, p := range d.Allow {
		if p.Contains(addr.WithZone("")) || p.Contains(inner(addr)) {
			return nil
		}
	}
	return &ProhibitedError{addr}
}

// Localhost connects anywhere, and resolves the names of RFC 6761, section
// 6.3 to loopback, which Go's resolver does for "localhost" alone. It is for
// clients whose addresses come from the one who runs them (tools, tests, the
// demo), never for an address that somebody else chose.
func Localhost(ctx context.Context, network, address string) (net.Conn, error) {
	return dialNamed(ctx, &net.Dialer{Timeout: DefaultTimeout}, network, address)
}

func dialNamed(ctx context.Context, nd *net.Dialer, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot dial %q: %w", address, err)
	}
	if !IsLocalhost(host) {
		return nd.DialContext(ctx, network, address)
	}
	conn, err4 := nd.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err4 == nil || ctx.Err() != nil {
		return conn, err4
	}
	conn, err6 := nd.DialContext(ctx, network, net.JoinHostPort("::1", port))
	if err6 == nil {
		return conn, nil
	}
	return nil, errors.Join(err4, err6)
}

// IsLocalhost tells whether a host name is one of RFC 6761, section 6.3:
// "localhost" or a name below it, with or without the final dot.
func IsLocalhost(host string) bool {
	host = strings.TrimSuffix(host, ".")
	const name = "localhost"
	n := len(host) - len(name)
	if n < 0 || !strings.EqualFold(host[n:], name) {
		return false
	}
	return n == 0 || n > 1 && host[n-1] == '.'
}
