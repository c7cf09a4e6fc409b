package main

import (
	"context"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"manifold/config"
	"manifold/console"
	"manifold/internal/dial"
	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/listen"
	"manifold/steering"
	"manifold/steering/probe"
)

// drainTime is how long a stopping edge lets requests in flight finish.
const drainTime = 25 * time.Second

func edgeCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "edge",
		Short: "Serve viewers: the edge itself",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
			e, err := startEdge(file, log, nil)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "manifold edge: %v, admin on http://%v\n", e.listener.Addrs(), e.AdminAddr())
			<-cmd.Context().Done()
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			return e.Stop(ctx)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "manifold.yml", "configuration file")
	return c
}

// edge is a running edge.
type edge struct {
	proxy    *proxy.Proxy
	shield   *origin.Shield
	listener *listen.Listener
	admin    *http.Server
	adminLn  net.Listener
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// startEdge starts an edge from a file; extend may add to its admin side. All
// of it starts, or nothing.
func startEdge(file string, log *slog.Logger, extend func(*console.Console)) (_ *edge, err error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, coded{err, exitConfig}
	}
	e := &edge{}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.shield, err = origin.New(cfg.Shield, time.Now, mathrand.Float64); err != nil {
		return nil, coded{err, exitConfig}
	}
	e.proxy = proxy.New(e.shield, log, time.Now)
	if err := e.proxy.Load(&cfg.Proxy); err != nil {
		return nil, coded{err, exitConfig}
	}
	if err := e.listen(&cfg.Listen, log); err != nil {
		return nil, err
	}
	if e.adminLn, err = net.Listen("tcp", cfg.Admin.Address); err != nil {
		return nil, coded{fmt.Errorf("cannot listen for the admin side: %w", err), exitBind}
	}
	c := console.New(console.Config{Token: cfg.Admin.Token}, admin{e.proxy}, log, time.Now)
	if extend != nil {
		extend(c)
	}
	e.admin = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	e.running.Go(func() { _ = e.admin.Serve(e.adminLn) })
	e.running.Go(func() { e.probe(ctx, cfg, log) })
	if err := e.listener.Start(); err != nil {
		return nil, coded{err, exitBind}
	}
	return e, nil
}

func (e *edge) listen(cfg *config.Listen, log *slog.Logger) (err error) {
	c := listen.Config{Plain: cfg.Plain, TLS: cfg.TLS, HTTP3: cfg.HTTP3 && len(cfg.TLS) > 0, Logger: log}
	if len(cfg.TLS) > 0 {
		files := make([]listen.CertFile, len(cfg.Certificates))
		for i, f := range cfg.Certificates {
			files[i] = listen.CertFile{Cert: f.Cert, Key: f.Key}
		}
		store, err := listen.NewCertStore(files...)
		if err != nil {
			return coded{err, exitConfig}
		}
		c.Certificate = store.Certificate
	}
	if c.Inherited, err = listen.FromEnvironment(); err != nil {
		return coded{err, exitBind}
	}
	if e.listener, err = listen.New(c, e.proxy); err != nil {
		return coded{err, exitBind}
	}
	return nil
}

// probe watches the CDNs and tells the steering.
func (e *edge) probe(ctx context.Context, cfg *config.Config, log *slog.Logger) {
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

func (e *edge) addr(k listen.Kind) netip.AddrPort {
	for _, a := range e.listener.Addrs() {
		if a.Kind == k {
			return a.Addr
		}
	}
	return netip.AddrPort{}
}

// PlainAddr, TLSAddr and AdminAddr are where the edge listens.
func (e *edge) PlainAddr() netip.AddrPort { return e.addr(listen.Plain) }
func (e *edge) TLSAddr() netip.AddrPort   { return e.addr(listen.TLS) }
func (e *edge) AdminAddr() netip.AddrPort {
	return netip.MustParseAddrPort(e.adminLn.Addr().String())
}

// Stop lets what is in flight finish, until ctx ends.
func (e *edge) Stop(ctx context.Context) error {
	err := e.listener.Shutdown(ctx)
	if e.admin != nil {
		_ = e.admin.Shutdown(ctx)
	}
	e.close()
	return err
}

// close ends at once whatever runs.
func (e *edge) close() {
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
