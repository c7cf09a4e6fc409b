package wire

import (
	"context"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"manifold/config"
	"manifold/console"
	"manifold/internal/dial"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/listen"
	"manifold/steering"
	"manifold/steering/probe"
)

// Edge is a running edge.
type Edge struct {
	proxy    *proxy.Proxy
	shield   *origin.Shield
	listener *listen.Listener
	admin    *http.Server
	adminLn  net.Listener
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// StartEdge starts an edge from a file; extend may add to its admin side. All
// of it starts, or nothing. The error is a [ConfigError] or a [BindError].
func StartEdge(file string, log *slog.Logger, extend func(*console.Console)) (_ *Edge, err error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, ConfigError{err}
	}
	e := &Edge{}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if e.shield, err = origin.New(cfg.Shield, time.Now, mathrand.Float64); err != nil {
		return nil, ConfigError{err}
	}
	e.proxy = proxy.New(e.shield, log, time.Now)
	if err := e.proxy.Load(&cfg.Proxy); err != nil {
		return nil, ConfigError{err}
	}
	if err := e.listen(&cfg.Listen, log); err != nil {
		return nil, err
	}
	if e.adminLn, err = net.Listen("tcp", cfg.Admin.Address); err != nil {
		return nil, BindError{fmt.Errorf("cannot listen for the admin side: %w", err)}
	}
	c := console.New(console.Config{Token: cfg.Admin.Token}, admin{e.proxy}, log, time.Now)
	if extend != nil {
		extend(c)
	}
	e.admin = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	e.running.Go(func() { _ = e.admin.Serve(e.adminLn) })
	e.running.Go(func() { e.probe(ctx, cfg, log) })
	if err := e.listener.Start(); err != nil {
		return nil, BindError{err}
	}
	return e, nil
}

func (e *Edge) listen(cfg *config.Listen, log *slog.Logger) (err error) {
	c := listen.Config{Plain: cfg.Plain, TLS: cfg.TLS, HTTP3: cfg.HTTP3 && len(cfg.TLS) > 0, Logger: log}
	if len(cfg.TLS) > 0 {
		files := make([]listen.CertFile, len(cfg.Certificates))
		for i, f := range cfg.Certificates {
			files[i] = listen.CertFile{Cert: f.Cert, Key: f.Key}
		}
		store, err := listen.NewCertStore(files...)
		if err != nil {
			return ConfigError{err}
		}
		c.Certificate = store.Certificate
	}
	if c.Inherited, err = listen.FromEnvironment(); err != nil {
		return BindError{err}
	}
	if e.listener, err = listen.New(c, e.proxy); err != nil {
		return BindError{err}
	}
	return nil
}

// probe watches the CDNs and tells the steering.
func (e *Edge) probe(ctx context.Context, cfg *config.Config, log *slog.Logger) {
	dialer := &dial.Dialer{Allow: cfg.AllowPrivate}
	p := &probe.Prober{
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
		Changed: func(t *probe.Target, up bool, cause error) {
			health := steering.Healthy
			if !up {
				health = steering.Down
			}
			log.Warn("pathway health changed", "set", t.Set, "pathway", t.ID, "health", health.String(), "cause", cause)
			if err := e.proxy.Conditions().SetHealth(t.Set, t.ID, health); err != nil {
				log.Error("cannot set health", "error", err)
			}
		},
	}
	p.Run(ctx, cfg.Probes)
}

func (e *Edge) addr(k listen.Kind) netip.AddrPort {
	for _, a := range e.listener.Addrs() {
		if a.Kind == k {
			return a.Addr
		}
	}
	return netip.AddrPort{}
}

// PlainAddr, TLSAddr and AdminAddr are where the edge listens.
func (e *Edge) PlainAddr() netip.AddrPort { return e.addr(listen.Plain) }
func (e *Edge) TLSAddr() netip.AddrPort   { return e.addr(listen.TLS) }
func (e *Edge) AdminAddr() netip.AddrPort {
	return netip.MustParseAddrPort(e.adminLn.Addr().String())
}

// Listening is where viewers reach the edge.
func (e *Edge) Listening() []listen.Addr { return e.listener.Addrs() }

// Stop lets what is in flight finish, until ctx ends.
func (e *Edge) Stop(ctx context.Context) error {
	err := e.listener.Shutdown(ctx)
	if e.admin != nil {
		_ = e.admin.Shutdown(ctx)
	}
	e.Close()
	return err
}

// Close ends at once whatever runs.
func (e *Edge) Close() {
	e.stop()
	if e.listener != nil {
		e.listener.Close()
	}
	if e.admin != nil {
		_ = e.admin.Close()
	} else if e.adminLn != nil {
		_ = e.adminLn.Close()
	}
	e.running.Wait()
	if e.shield != nil {
		e.shield.Close()
	}
}

// admin is the edge as the console sees it.
type admin struct{ *proxy.Proxy }

func (a admin) Pathways() []proxy.PathwayStatus { return a.Conditions().Status() }
func (a admin) SetDrain(set, id string, d *proxy.Drain) error {
	return a.Conditions().SetDrain(set, id, d)
}
