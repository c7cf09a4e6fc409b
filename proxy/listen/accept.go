package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// acceptFrom takes connections from one TCP socket until it is closed.
func (l *Listener) acceptFrom(e *endpoint) {
	var config *tls.Config
	if e.kind == TLS {
		config = l.tlsConfig("h2", "http/1.1")
	}
	const longest = time.Second
	pause := time.Duration(0)
	for {
		c, err := e.tcp.AcceptTCP()
		switch {
		case err == nil:
			pause = 0
			l.welcome(e, c, config)
		case errors.Is(err, net.ErrClosed):
			return
		case isTimeout(err):
			return // draining, and nobody waits any more
		default:
			// No descriptors left, or the peer gave up first: neither is a
			// reason to stop.
			if pause = min(max(2*pause, 5*time.Millisecond), longest); pause == longest {
				l.cfg.Logger.Warn("cannot accept connections", "address", e.addr.String(), "error", err)
			}
			select {
			case <-time.After(pause):
			case <-l.ctx.Done():
				return
			}
		}
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// welcome counts a connection in and hands it to its server.
func (l *Listener) welcome(e *endpoint, tcp *net.TCPConn, config *tls.Config) {
	pc := &plainConn{TCPConn: *tcp}
	pc.info = newConn(&pc.TCPConn)
	if config != nil {
		l.welcomeTLS(e, pc, config)
		return
	}
	if _, verdict := l.conns.enter(pc.info.remote.Addr(), &pc.info); verdict != admitted {
		l.turnedAway(verdict)
		pc.info.close()
		return
	}
	l.stats.accepted.Add(1)
	if !l.h1conn.put(&pc.TCPConn) {
		pc.info.close()
		l.conns.leave(&pc.info)
	}
}

func newConn(tcp *net.TCPConn) conn {
	return conn{
		remote: remoteOf(tcp.RemoteAddr()),
		tcp:    tcp,
		close: func() {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		},
	}
}

func (l *Listener) welcomeTLS(e *endpoint, pc *plainConn, config *tls.Config) {
	t := &tlsConn{Conn: tls.Server(&pc.TCPConn, config), info: newConn(&pc.TCPConn)}
	t.info.tls, t.info.altSvc = true, e.altSvc
	if _, verdict := l.conns.enter(t.info.remote.Addr(), &t.info); verdict != admitted {
		l.turnedAway(verdict)
		t.info.close()
		return
	}
	l.stats.accepted.Add(1)
	go l.shakeHands(t)
}

// shakeHands does the TLS handshake and hands the connection to the server
// that it chose.
func (l *Listener) shakeHands(t *tlsConn) {
	ctx, cancel := context.WithTimeout(l.ctx, l.cfg.HandshakeTimeout)
	err := t.HandshakeContext(ctx)
	cancel()
	if err != nil {
		l.stats.handshakes.Add(1)
		answerPlain(err)
		_ = t.NetConn().Close()
		l.conns.leave(&t.info)
		return
	}
	state := t.ConnectionState()
	t.info.alpn, t.info.serverName = state.NegotiatedProtocol, state.ServerName
	if state.NegotiatedProtocol == "h2" {
		defer l.conns.leave(&t.info)
		l.serveH2(t.Conn, &t.info)
		return
	}
	if !l.h1conn.put(t) {
		t.info.close()
		l.conns.leave(&t.info)
	}
}

// turnedAway counts a connection that found no place, and says so now and
// then.
func (l *Listener) turnedAway(why admission) {
	text := "too many connections: new ones are refused; raise the limit of connections, or find out who holds them"
	if why == overAddressLimit {
		l.stats.overAddress.Add(1)
		text = "an address has too many connections: new ones from it are refused"
	} else {
		l.stats.overLimit.Add(1)
	}
	const every = 60 // seconds
	now := l.clock.seconds.Load()
	if last := l.warned[why].Load(); (last == 0 || now-last >= every) && l.warned[why].CompareAndSwap(last, now) {
		l.cfg.Logger.Warn(text)
	}
}

func remoteOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

// answerPlain tells a client that spoke HTTP to a TLS port so, in its own
// language.
func answerPlain(err error) {
	e, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || e.Conn == nil {
		return
	}
	switch string(e.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET":
		_, _ = io.WriteString(e.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthis port speaks TLS: ask with https\n")
	}
}
