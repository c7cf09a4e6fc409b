package listen

import (
	"net"
	"net/netip"
	"sync"

	"manifold/exchange"
)

// conn is what is known of one TCP or QUIC connection.
type conn struct {
	remote     netip.AddrPort
	address    *address
	tls        bool
	alpn       string
	serverName string
	altSvc     []string // the Alt-Svc value of its answers, or nil

	turns turns // of HTTP/2 and HTTP/3 only

	// Of a TCP connection:
	close func()       // ends it without a word (RST)
	tcp   *net.TCPConn // its socket
	guard *guard       // of HTTP/2 only; guarded by conns.mu

	// Of HTTP/1.1 only:
	phase     phase
	deadlines bool      // the request sets deadlines of the socket, to be taken off after it
	request   *request1 // the request that is being answered
}

// address counts what one IPv4 address or IPv6 /64 has open.
type address struct {
	key  netip.Prefix
	open int // guarded by conns.mu
	gate exchange.Gate
}

// conns knows who is connected.
type conns struct {
	limit, perAddress int
	perWaiting        int64
	waiting           exchange.Gate // of all addresses together

	mu        sync.Mutex
	tcp       map[*conn]struct{}
	quic      int
	addresses map[netip.Prefix]*address
	empty     chan struct{} // closed when the last TCP connection ends; nil where nobody asked
}

func newConns(cfg *Config) *conns {
	return &conns{
		limit:      cfg.MaxConnections,
		perAddress: cfg.MaxConnectionsPerAddress,
		perWaiting: int64(cfg.MaxWaitingPerAddress),
		waiting:    exchange.Gate{Limit: int64(cfg.MaxWaiting)},
		tcp:        map[*conn]struct{}{},
		addresses:  map[netip.Prefix]*address{},
	}
}

// addressKey is what connections are counted by: an IPv6 subscriber has a
// whole /64 to choose addresses from.
func addressKey(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits)
	return p
}

type admission uint8

const (
	admitted admission = iota
	overLimit
	overAddressLimit
)

// enter takes a place for a connection from remote. Where it is admitted,
// leave must follow. c is nil for QUIC.
func (s *conns) enter(remote netip.Addr, c *conn) (*address, admission) {
	key := addressKey(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tcp)+s.quic >= s.limit {
		return nil, overLimit
	}
	a := s.addresses[key]
	if a == nil {
		a = &address{key: key, gate: exchange.Gate{Limit: s.perWaiting, Parent: &s.waiting}}
		s.addresses[key] = a
	} else if a.open >= s.perAddress {
		return nil, overAddressLimit
	}
	a.open++
	if c != nil {
		c.address = a
		s.tcp[c] = struct{}{}
	} else {
		s.quic++
	}
	return a, admitted
}

func (s *conns) leaveAddress(a *address) {
	if a.open--; a.open == 0 {
		delete(s.addresses, a.key)
	}
}

// leave gives back the place of a TCP connection. Leaving twice is once.
func (s *conns) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tcp[c]; !ok {
		return
	}
	delete(s.tcp, c)
	s.leaveAddress(c.address)
	if len(s.tcp) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

func (s *conns) leaveQUIC(a *address) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quic--
	s.leaveAddress(a)
}

// crowded reports whether an address has so many connections open that the
// next one should prove that it is there.
func (s *conns) crowded(remote netip.Addr) bool {
	key := addressKey(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.addresses[key]
	return a != nil && a.open >= s.perAddress/4
}

// setGuard says that c speaks HTTP/2 behind g.
func (s *conns) setGuard(c *conn, g *guard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.guard = g
}

// guardOf gives the guard of an HTTP/2 connection, or nil.
func (s *conns) guardOf(c *conn) *guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.guard
}

func (s *conns) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.tcp))
	for c := range s.tcp {
		all = append(all, c)
	}
	return all
}

func (s *conns) count() (tcp, quic int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tcp), s.quic
}

// gone is closed when no TCP connection is open.
func (s *conns) gone() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tcp) == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	return s.empty
}
