package listen

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/exchange"
)

// quicBuffer is the UDP buffer that QUIC wants, in bytes: what arrives while
// the process is not scheduled.
const quicBuffer = 7 << 20

// h3 is the HTTP/3 side of one UDP socket.
type h3 struct {
	udp       *shared
	transport *quic.Transport
	listener  *quic.EarlyListener
}

// quicConn is what is known of one QUIC connection.
type quicConn struct {
	conn
	quic *quic.Conn

	mu     sync.Mutex
	resets bucket // requests that the client gave up
}

type quicConnKey struct{}

var errNoPlace = errors.New("too many connections")

func (l *Listener) newH3() *http3.Server {
	return &http3.Server{
		Handler:        h3Handler{l},
		MaxHeaderBytes: l.cfg.MaxHeaderBytes,
		IdleTimeout:    l.cfg.IdleTimeout,
		ConnContext: func(ctx context.Context, c *quic.Conn) context.Context {
			q := ctx.Value(quicConnKey{}).(*quicConn)
			state := c.ConnectionState().TLS
			q.quic, q.alpn, q.serverName = c, state.NegotiatedProtocol, state.ServerName
			// Once more on top of the chain, where every request finds it
			// first.
			return context.WithValue(ctx, quicConnKey{}, q)
		},
	}
}

// openH3 begins to listen for QUIC on an open socket.
func (l *Listener) openH3(udp *shared) (*h3, error) {
	receive, send, err := growBuffers(udp.UDPConn, quicBuffer)
	if err != nil || min(receive, send) < quicBuffer {
		l.cfg.Logger.Warn("the kernel gives HTTP/3 small UDP buffers; packets will be lost under load: set sysctl net.core.rmem_max and net.core.wmem_max to 7500000",
			"receive_bytes", receive, "send_bytes", send, "wanted_bytes", quicBuffer)
	}
	// quic-go would say the same once more, past our logger.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	h := &h3{udp: udp}
	h.transport = &quic.Transport{
		Conn:                  udp,
		ConnectionIDGenerator: udp.mine,
		VerifySourceAddress:   l.doubtful,
		ConnContext:           l.welcomeQUIC,
	}
	if err := l.setKeys(h.transport); err != nil {
		return nil, err
	}
	if before := udp.before.Load(); before != nil {
		before.take()
	}
	h.listener, err = h.transport.ListenEarly(l.tlsConfig(http3.NextProtoH3), &quic.Config{
		HandshakeIdleTimeout:           3 * time.Second,
		MaxIdleTimeout:                 l.cfg.IdleTimeout,
		MaxIncomingStreams:             int64(l.cfg.MaxStreams),
		MaxIncomingUniStreams:          8, // control, QPACK and some grease
		InitialStreamReceiveWindow:     32 << 10,
		MaxStreamReceiveWindow:         256 << 10,
		InitialConnectionReceiveWindow: 64 << 10,
		MaxConnectionReceiveWindow:     512 << 10,
		Allow0RTT:                      l.cfg.EarlyData,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot listen on quic address %v: %w", udp.LocalAddr(), err)
	}
	return h, nil
}

// setKeys gives a transport the keys that follow from QUICSecret.
func (l *Listener) setKeys(t *quic.Transport) error {
	if len(l.cfg.QUICSecret) == 0 {
		return nil
	}
	reset, token := new(quic.StatelessResetKey), new(quic.TokenGeneratorKey)
	for label, key := range map[string][]byte{"quic stateless reset": reset[:], "quic address token": token[:]} {
		k, err := hkdf.Key(sha256.New, l.cfg.QUICSecret, nil, label, len(key))
		if err != nil {
			return fmt.Errorf("cannot derive the %s key: %w", label, err)
		}
		copy(key, k)
	}
	t.StatelessResetKey, t.TokenGeneratorKey = reset, token
	return nil
}

// doubtful decides whether a client must prove that it receives at the
// address it sends from (Retry; RFC 9000, section 8.1.2): when many knock at
// once, or when its address has many connections open, which may be another's
// doing.
func (l *Listener) doubtful(a net.Addr) bool {
	now := l.clock.seconds.Load()
	if l.knockSecond.Swap(now) != now {
		l.knocks.Store(0)
	}
	if l.knocks.Add(1) > int64(l.cfg.RetryAbove) {
		return true
	}
	return l.conns.crowded(remoteOf(a).Addr())
}

// welcomeQUIC counts a connection in, and out when its context ends.
func (l *Listener) welcomeQUIC(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	q := &quicConn{conn: conn{remote: remoteOf(info.RemoteAddr), tls: true, alpn: http3.NextProtoH3}}
	a, verdict := l.conns.enter(q.remote.Addr(), nil)
	if verdict != admitted {
		l.turnedAway(verdict)
		return nil, errNoPlace
	}
	q.address = a
	q.resets = newBucket(resetBurst, resetPerSecond, l.clock.seconds.Load())
	l.stats.accepted.Add(1)
	context.AfterFunc(ctx, func() { l.conns.leaveQUIC(a) })
	return context.WithValue(ctx, quicConnKey{}, q), nil
}

// h3Handler is what the HTTP/3 server calls; not a HandlerFunc, which would be
// a frame more (see request).
type h3Handler struct{ l *Listener }

func (h h3Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := h.l.beginH3(w, r)
	defer q.end()
	if content := q.run(); len(content) > 0 {
		_, err := w.Write(content)
		q.wrote(err)
	}
}

func (l *Listener) beginH3(w http.ResponseWriter, r *http.Request) *request {
	l.active.add()
	qc := r.Context().Value(quicConnKey{}).(*quicConn)
	q := l.take(&qc.conn, w, r, arrival{
		protocol: exchange.HTTP3,
		early:    !r.TLS.HandshakeComplete, // until then only 0-RTT data can be read
	})
	q.quic = qc
	return q
}

// endH3 counts a request out. One that its client gave up before the end costs
// the connection something; enough of them end it.
func (l *Listener) endH3(qc *quicConn, awaited bool) {
	qc.mu.Lock()
	ok := true
	if awaited {
		qc.resets.earn(resetPerAnswer)
	} else {
		ok = qc.resets.spend(l.clock.seconds.Load())
	}
	qc.mu.Unlock()
	if !ok {
		l.stats.floods.Add(1)
		_ = qc.quic.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad), "too many requests given up")
	}
	l.active.done()
}

// counter counts the requests that run, and tells when none does.
type counter struct {
	n    atomic.Int64
	mu   sync.Mutex
	zero chan struct{}
}

func (c *counter) add() { c.n.Add(1) }

func (c *counter) done() {
	if c.n.Add(-1) == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.zero != nil && c.n.Load() == 0 {
			close(c.zero)
			c.zero = nil
		}
	}
}

// none is closed at a moment when no request runs.
func (c *counter) none() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.zero == nil {
		c.zero = make(chan struct{})
	}
	zero := c.zero
	if c.n.Load() == 0 {
		close(c.zero)
		c.zero = nil
	}
	return zero
}

func (l *Listener) tlsConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     protocols,
		GetCertificate: l.cfg.Certificate,
	}
}
