package wire

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"manifold/config"
	"manifold/console"
	"manifold/proxy/listen"
)

// Report is what a reload did.
type Report struct {
	// Changed are the keys that differ, "channels.news.origin.urls" (at most
	// 100 of them); none: all stayed as it was, but keys and certificates
	// were read again.
	Changed []string `json:"changed"`
	// Restart are those of them that take effect with the next start.
	Restart []string `json:"restart,omitempty"`
	// Warnings are those of the new configuration.
	Warnings []string `json:"warnings,omitempty"`
}

// take makes cfg the configuration: what may fail first, then the proxy's
// exchange of snapshots, which may as well, then what cannot. Nothing has
// changed where it fails. The caller holds mu, or is the only one.
func (e *Edge) take(cfg *config.Config) error {
	certs, err := certificatesOf(cfg)
	if err != nil {
		return ConfigError{err}
	}
	locate, err := e.geoOf(cfg)
	if err != nil {
		return ConfigError{err}
	}
	shadow, other, err := e.shadow.make(cfg.Shadow)
	if err != nil {
		return ConfigError{err}
	}
	if err := e.proxy.Load(&cfg.Proxy); err != nil {
		shadow.Close()
		return ConfigError{err}
	}
	locate()
	if other {
		e.shadow.use(shadow, cfg.Shadow)
	}
	if certs != nil {
		e.certs.set.Store(certs)
	}
	e.level.Set(levelOf(cfg))
	if e.console != nil {
		e.console.Set(console.Config{Token: cfg.Admin.Token, Hosts: cfg.Admin.Hosts})
	}
	e.probes.set(cfg.Probes, cfg.AllowPrivate)
	e.current.Store(cfg)
	e.watch.follow(cfg.Files, cfg.Sum)
	return nil
}

// geoOf reads the geo databases where a file of them is another than before, and
// gives what puts them to use.
func (e *Edge) geoOf(cfg *config.Config) (use func(), err error) {
	stamps := map[string]config.Stamp{}
	same := len(cfg.Geo) == len(e.geo)
	for _, name := range cfg.Geo {
		stamps[name] = config.StampOf(name)
		same = same && stamps[name] == e.geo[name]
	}
	if same {
		return func() {}, nil
	}
	swap, err := e.proxy.Geo().Prepare(cfg.Geo...)
	return func() {
		swap()
		e.geo = stamps
	}, err
}

// Reload reads the configuration again and takes it whole or not at all; by
// says who asked. The error is a [ConfigError]: all goes on as it was.
func (e *Edge) Reload(by string) (*Report, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notify("RELOADING=1")
	defer e.notify("READY=1")
	old, read := e.current.Load(), e.watch.look()
	cfg, err := e.loader.Load(e.file, config.Edge)
	if err != nil {
		err = ConfigError{err}
	} else if len(cfg.Proxy.Channels) == 0 && len(old.Proxy.Channels) > 0 {
		err = ConfigError{errNoChannels} // a full disk leaves such a file, or an editor in its work
	} else {
		err = e.take(cfg)
	}
	if err != nil {
		e.refused(by, err, old, read)
		return nil, err
	}
	r := &Report{Changed: []string{}}
	for _, c := range config.Changes(old, cfg) {
		if len(r.Changed) < 100 {
			r.Changed = append(r.Changed, c.Path)
		}
		if c.Restart {
			r.Restart = append(r.Restart, c.Path)
		}
	}
	for _, w := range cfg.Warnings {
		r.Warnings = append(r.Warnings, w.Problem.String())
	}
	e.log.Info("configuration reloaded", "by", by, "changed", r.Changed)
	if len(r.Restart) > 0 {
		e.log.Warn("some changes take effect with the next start", "keys", r.Restart)
	}
	return r, nil
}

// refused tells of a configuration that was not taken, problem by problem, and
// goes on looking at the files that it named; read is what those of the old
// one held when the reading began.
func (e *Edge) refused(by string, err error, old *config.Config, read map[string][32]byte) {
	files := old.Files
	var bad *config.Error
	if errors.As(err, &bad) {
		files = append(files[:len(files):len(files)], bad.Files...)
		for _, p := range bad.Problems {
			e.log.Error("configuration is wrong", "file", bad.File, "line", p.Line, "column", p.Column, "key", p.Path, "problem", p.Text, "hint", p.Hint)
		}
		e.log.Error("configuration refused; the one before stays in force", "by", by, "problems", len(bad.Problems))
	} else {
		e.log.Error("configuration refused; the one before stays in force", "by", by, "error", err)
	}
	e.watch.goOn(files, read)
}

// follow reloads when a file has changed and when it is asked to.
func (e *Edge) follow(ctx context.Context, tick <-chan time.Time, hangup <-chan os.Signal) {
	if tick == nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			_, _ = e.Reload("signal") // told in the log
		case <-tick:
			e.mu.Lock()
			changed := e.watch.changed()
			e.mu.Unlock()
			if changed {
				_, _ = e.Reload("file")
			}
		}
	}
}

// certificates holds the store that is in force.
type certificates struct {
	set atomic.Pointer[listen.CertStore]
}

// Certificate chooses the certificate of a handshake.
func (c *certificates) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.set.Load().Certificate(hello)
}

// certificatesOf gives the certificates of a configuration: those it names,
// else the edge's own, else nil.
func certificatesOf(cfg *config.Config) (*listen.CertStore, error) {
	if cfg.Certificates != nil || cfg.SelfMade.Folder == "" {
		return cfg.Certificates, nil
	}
	id, err := listen.LoadIdentity(string(cfg.SelfMade.Folder), time.Now(), cfg.SelfMade.Names...)
	if err != nil {
		return nil, err
	}
	return listen.NewStaticCerts(id.Leaf)
}

// reloader is the edge as the console's reload sees it.
type reloader struct{ e *Edge }

func (r reloader) Reload() (any, error) {
	report, err := r.e.Reload("api")
	var bad *config.Error
	if errors.As(err, &bad) {
		return nil, refusal{bad}
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

// refusal is a wrong configuration as the API tells it.
type refusal struct{ bad *config.Error }

func (r refusal) Error() string { return r.bad.Error() }

func (r refusal) MarshalJSON() ([]byte, error) {
	type fault struct {
		Line    int    `json:"line,omitempty"`
		Column  int    `json:"column,omitempty"`
		Path    string `json:"path,omitempty"`
		Problem string `json:"problem"`
		Hint    string `json:"hint,omitempty"`
	}
	out := struct {
		Error    string  `json:"error"`
		File     string  `json:"file"`
		Problems []fault `json:"problems"`
	}{Error: "the configuration is wrong; the one before stays in force", File: r.bad.File}
	for _, p := range r.bad.Problems {
		out.Problems = append(out.Problems, fault{p.Line, p.Column, p.Path, p.Text, p.Hint})
	}
	return json.Marshal(out)
}

// levelOf gives the level of a configuration, whose words config has checked.
func levelOf(cfg *config.Config) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(cfg.Log.Level))
	return l
}
