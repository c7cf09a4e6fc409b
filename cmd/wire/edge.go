package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"manifold/config"
	"manifold/console"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/listen"
)

// Edge is a running edge.
type Edge struct {
	file    string
	log     *slog.Logger
	level   *slog.LevelVar
	current atomic.Pointer[config.Config]

	proxy    *proxy.Proxy
	shield   *origin.Shield
	listener *listen.Listener
	certs    certificates
	probes   *probes
	shadow   *shadow
	console  *console.Console
	admin    *http.Server
	adminLn  net.Listener

	stopping atomic.Bool
	handed   atomic.Bool // another process has the sockets, and is told of
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu     sync.Mutex
	loader config.Loader
	geo    map[string]config.Stamp
	watch  watcher
}

// Options are how an edge is started.
type Options struct {
	// File is the configuration.
	File string
	// Log takes what happens, at the level that the configuration says. nil:
	// LogTo does, in the format that the configuration says.
	Log   *slog.Logger
	LogTo io.Writer
	// Extend may add to the admin side; nil adds nothing.
	Extend func(*console.Console)
	// Tick is when the files of the configuration are looked at; nil: each
	// second.
	Tick <-chan time.Time
	// Hangup asks for a reload; nil: nobody does.
	Hangup <-chan os.Signal
}

// StartEdge starts an edge from a file; extend may add to its admin side. All
// of it starts, or nothing. The error is a [ConfigError] or a [BindError].
func StartEdge(file string, log *slog.Logger, extend func(*console.Console)) (*Edge, error) {
	return Start(Options{File: file, Log: log, Extend: extend})
}

// Start starts an edge. All of it starts, or nothing. The error is a
// [ConfigError] or a [BindError].
func Start(o Options) (_ *Edge, err error) {
	e := &Edge{file: o.File}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	cfg, err := e.loader.Load(o.File, config.Edge)
	if err != nil {
		return nil, ConfigError{err}
	}
	own := o.Log == nil
	if own {
		o.Log = NewLog(o.LogTo, cfg.Log.Format)
	}
	e.log, e.level = leveled(o.Log)
	if own {
		slog.SetDefault(e.log) // net/http tells of origins that break HTTP by package log
	}
	if e.shield, err = origin.New(cfg.Shield, time.Now, mathrand.Float64); err != nil {
		return nil, ConfigError{err}
	}
	e.proxy = proxy.New(e.shield, e.log, time.Now)
	e.shadow = &shadow{proxy: e.proxy, log: e.log}
	e.probes = newProbes(ctx, e.proxy.Conditions(), e.log)
	if err := e.take(cfg); err != nil {
		return nil, err
	}
	sockets, err := listen.FromEnvironment()
	if err != nil {
		return nil, BindError{err}
	}
	if err := e.listen(cfg, sockets); err != nil {
		return nil, err
	}
	e.serveAdmin(cfg, o.Extend)
	if err := e.listener.Start(); err != nil {
		return nil, BindError{err}
	}
	e.running.Go(func() { e.follow(ctx, o.Tick, o.Hangup) })
	e.notify("READY=1")
	if err := tellParent(); err != nil {
		e.log.Warn("hand-over", "error", err)
	}
	return e, nil
}

// listen opens the sockets of viewers and of the admin side.
func (e *Edge) listen(cfg *config.Config, sockets []listen.Socket) (err error) {
	c := cfg.Listen
	c.Logger = e.log
	if e.certs.set.Load() != nil {
		c.Certificate = e.certs.Certificate
	}
	haveTLS := len(c.TLS) > 0
	for _, s := range sockets {
		if s.Name == adminSocket && e.adminLn == nil {
			if e.adminLn, err = net.FileListener(s.File); err != nil {
				return BindError{fmt.Errorf("cannot take over the admin side's socket: %w", err)}
			}
			_ = s.File.Close() // the listener has its own descriptor
			continue
		}
		haveTLS = haveTLS || s.Name == "tls" || s.Name == "https"
		c.Inherited = append(c.Inherited, s)
	}
	c.HTTP3 = c.HTTP3 && haveTLS
	if bad := c.Validate(); len(bad) > 0 {
		return ConfigError{bad}
	}
	if e.listener, err = listen.New(c, e.proxy); err != nil {
		return BindError{err}
	}
	if e.adminLn == nil {
		if e.adminLn, err = net.Listen("tcp", cfg.Admin.Address); err != nil {
			return BindError{fmt.Errorf("cannot listen for the admin side: %w", err)}
		}
	}
	return nil
}

// adminSocket is the name of a socket that is handed over for the admin side.
const adminSocket = "admin"

// serveAdmin starts the admin side.
func (e *Edge) serveAdmin(cfg *config.Config, extend func(*console.Console)) {
	c := console.New(console.Config{Token: cfg.Admin.Token, Hosts: cfg.Admin.Hosts}, admin{e}, e.log, time.Now)
	c.AddSteering(e.proxy.Conditions())
	c.AddExplain(e.proxy)
	c.AddMetrics(e.sources())
	c.AddReload(reloader{e})
	if extend != nil {
		extend(c)
	}
	e.console = c
	e.admin = &http.Server{
		Handler: c, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelWarn),
	}
	e.running.Go(func() { _ = e.admin.Serve(e.adminLn) })
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
	if a, ok := e.adminLn.Addr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// Listening is where viewers reach the edge.
func (e *Edge) Listening() []listen.Addr { return e.listener.Addrs() }

// Config is the configuration in force. It must not be changed.
func (e *Edge) Config() *config.Config { return e.current.Load() }

// Certificates are those in force; none without TLS.
func (e *Edge) Certificates() []listen.CertInfo {
	if s := e.certs.set.Load(); s != nil {
		return s.Certificates()
	}
	return nil
}

// Stop lets what is in flight finish, until ctx ends. From its beginning the
// edge is not ready.
func (e *Edge) Stop(ctx context.Context) error {
	e.stopping.Store(true)
	if !e.handed.Load() {
		e.notify("STOPPING=1")
	}
	err := e.listener.Shutdown(ctx)
	if e.admin != nil {
		_ = e.admin.Shutdown(ctx)
	}
	e.Close()
	return err
}

// Close ends at once whatever runs.
func (e *Edge) Close() {
	e.stopping.Store(true)
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
	if e.probes != nil {
		e.probes.wait()
	}
	if e.shadow != nil {
		e.shadow.close()
	}
	if e.shield != nil {
		e.shield.Close()
	}
}

// admin is the edge as the console sees it.
type admin struct{ e *Edge }

func (a admin) Pathways() []proxy.PathwayStatus { return a.e.proxy.Conditions().Status() }
func (a admin) SetDrain(set, id string, d *proxy.Drain) error {
	return a.e.proxy.Conditions().SetDrain(set, id, d)
}

func (a admin) Ready() error {
	if a.e.stopping.Load() {
		return errors.New("the edge is stopping")
	}
	return a.e.proxy.Ready()
}
