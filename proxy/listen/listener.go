package listen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/valyala/fasthttp"

	"manifold/exchange"
)

// Listener listens on the addresses of a Config and has one handler answer
// what comes. Its life is New, Start, Shutdown (or Close). All methods are
// safe for concurrent use.
type Listener struct {
	cfg     Config
	handler exchange.Handler
	ends    []*endpoint

	h1     *fasthttp.Server
	h1conn *queue
	h2     *h2
	h3     *http3.Server
	udp    []*h3

	clock   clock
	conns   *conns
	hangups hangups
	stats   counters
	active  counter // HTTP/3 requests
	warned  [overAddressLimit + 1]atomic.Int64

	patience time.Duration // of streams with whole answers; see turns

	knocks, knockSecond atomic.Int64 // QUIC handshakes begun in the running second

	ctx      context.Context // parent of every Exchange's; ends when the listener is closed
	cancel   context.CancelFunc
	draining atomic.Bool

	life    sync.Mutex // guards started and stopped
	started bool
	stopped bool
	stop    chan struct{}  // ends the clock
	accept  sync.WaitGroup // accept loops
	quics   sync.WaitGroup // QUIC accept loops
	serving sync.WaitGroup // the servers and the clock
	closing sync.Once
	closed  chan struct{} // closed when all is over
}

// New opens every socket that cfg names, or none: the error then says of each
// that failed which one and why. Connections wait until [Listener.Start].
func New(cfg Config, h exchange.Handler) (*Listener, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	if h == nil {
		return nil, errors.New("cannot listen: no handler")
	}
	l := &Listener{cfg: cfg.WithDefaults(), handler: h, stop: make(chan struct{}), closed: make(chan struct{})}
	l.patience = min(patience, l.cfg.WriteTimeout/2)
	ends, err := bind(&l.cfg)
	if err != nil {
		return nil, err
	}
	l.ends = ends
	for _, e := range ends {
		if e.kind != Plain && l.cfg.Certificate == nil {
			l.closeSockets()
			return nil, fmt.Errorf("cannot listen on %s address %v: no certificate", e.kind, e.addr)
		}
	}
	l.clock.init(l.cfg.Now)
	l.conns = newConns(&l.cfg)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.h1, l.h1conn = l.newH1(), newQueue()
	if l.h2, err = l.newH2(); err != nil {
		l.closeSockets()
		return nil, fmt.Errorf("cannot set up HTTP/2: %w", err)
	}
	l.h3 = l.newH3()
	return l, nil
}

// Addrs gives the addresses that are listened on, plain ones first, each list
// in the order of the Config.
func (l *Listener) Addrs() []Addr {
	addrs := make([]Addr, len(l.ends))
	for i, e := range l.ends {
		addrs[i] = Addr{e.kind, e.addr}
	}
	return addrs
}

// Start begins to accept connections and returns. Where a socket cannot carry
// QUIC, or where it was called before, it fails and closes the listener.
func (l *Listener) Start() error {
	if err := l.start(); err != nil {
		l.Close()
		return err
	}
	return nil
}

func (l *Listener) start() error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.started || l.stopped {
		return errors.New("cannot start: the listener was started or closed before")
	}
	for _, e := range l.ends {
		if e.kind != QUIC {
			continue
		}
		h, err := l.openH3(e.udp)
		if err != nil {
			return err
		}
		l.udp = append(l.udp, h)
	}
	l.started = true
	l.serving.Go(func() { l.clock.run(l.stop, l.sweep) })
	l.serving.Go(func() { _ = l.h1.Serve(l.h1conn) })
	for _, e := range l.ends {
		if e.kind != QUIC {
			l.accept.Go(func() { l.acceptFrom(e) })
		}
	}
	for _, h := range l.udp {
		l.quics.Go(func() { _ = l.h3.ServeListener(h.listener) })
	}
	return nil
}

// sweep closes the connections that keep us waiting.
func (l *Listener) sweep() {
	now := l.clock.seconds.Load()
	for _, c := range l.conns.list() {
		l.hurry(c, now)
		if g := l.conns.guardOf(c); g != nil && g.stalled(now, l.cfg.HeaderTimeout, l.cfg.WriteTimeout) {
			l.stats.stalled.Add(1)
			c.close()
		}
	}
}

// closeSockets closes what New opened.
func (l *Listener) closeSockets() {
	for _, e := range l.ends {
		e.close()
	}
}
