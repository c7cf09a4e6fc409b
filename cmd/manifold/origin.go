package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
	"manifold/config"
	"manifold/origin/ingest"
	"manifold/proxy/listen"
)

// originOptions are the flags of origin.
type originOptions struct {
	file, directory, token string
	listen, memory         []string
	loopback               bool
}

func originCommand() *cobra.Command {
	var o originOptions
	c := &cobra.Command{
		Use:   "origin",
		Short: "Serve a folder of HLS and DASH content, and take it in by PUT",
		Long: `Serve a folder of HLS and DASH content, and take it in by PUT. What to do stands under
origin_server in the configuration; flags go before it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadPart(o.file, config.OriginPart)
			if err != nil {
				return err
			}
			if err := o.apply(cmd, &cfg.OriginServer); err != nil {
				return err
			}
			return serveOrigin(cmd, cfg)
		},
	}
	f := c.Flags()
	fileFlag(c, &o.file, "")
	f.StringSliceVar(&o.listen, "listen", []string{"127.0.0.1:9100"}, "addresses to serve at")
	f.StringVar(&o.directory, "directory", "content", "folder that holds the content")
	f.StringSliceVar(&o.memory, "memory", nil, "path prefixes kept in memory instead (live windows)")
	f.BoolVar(&o.loopback, "loopback-writes", false, "let every program on this machine write by PUT")
	f.StringVar(&o.token, "write-token-env", "", "environment variable with the token that writers send")
	_ = c.MarkFlagDirname("directory") // it exists
	return c
}

// loadPart reads the configuration of a part: the file that --config names,
// else manifold.yml where there is one, else the defaults.
func loadPart(file string, part config.Part) (*config.Config, error) {
	ld := new(config.Loader)
	if file == "" {
		if _, err := os.Stat(defaultFile); errors.Is(err, os.ErrNotExist) {
			return ld.Parse("", nil, part)
		}
		file = defaultFile
	}
	cfg, err := ld.Load(file, part)
	if err != nil {
		return nil, coded{err, exitConfig}
	}
	return cfg, nil
}

// apply puts the flags that were given before the file.
func (o *originOptions) apply(cmd *cobra.Command, c *config.OriginServerConfig) error {
	given := cmd.Flags().Changed
	if given("listen") {
		c.Listen.Plain = o.listen
	}
	if given("directory") {
		c.Directory = o.directory
	}
	if given("memory") {
		c.Memory = o.memory
	}
	if given("loopback-writes") {
		c.LoopbackWrites = o.loopback
	}
	if given("write-token-env") {
		token := os.Getenv(o.token)
		if token == "" {
			return coded{fmt.Errorf("the environment variable %s, which --write-token-env names, is not set", o.token), exitUsage}
		}
		c.WriteTokens = []string{token}
	}
	return nil
}

func serveOrigin(cmd *cobra.Command, cfg *config.Config) error {
	c := &cfg.OriginServer
	log := wire.NewLog(cmd.ErrOrStderr(), cfg.Log.Format)
	if bad := c.Config.Validate(); len(bad) > 0 {
		return coded{bad, exitConfig}
	}
	if bad := c.Listen.Validate(); len(bad) > 0 {
		return coded{bad, exitUsage}
	}
	s, err := ingest.New(c.Config, time.Now, log)
	if err != nil {
		return err
	}
	defer s.Close()
	c.Listen.Logger = log
	if c.Listen.Inherited, err = listen.FromEnvironment(); err != nil {
		return coded{err, exitBind}
	}
	l, err := listen.New(c.Listen, s)
	if err != nil {
		return coded{err, exitBind}
	}
	if err := l.Start(); err != nil {
		return coded{err, exitBind}
	}
	if err := wire.Notify("READY=1"); err != nil {
		log.Warn("service manager", "error", err)
	}
	out := cmd.OutOrStdout()
	for _, a := range l.Addrs() {
		fmt.Fprintf(out, "manifold origin: %s serves %s\n", addressURL(a), contentOf(&c.Config))
	}
	if !c.LoopbackWrites && len(c.WriteTokens) == 0 {
		fmt.Fprintln(out, "nobody can write: set origin_server.write_tokens, or --loopback-writes on a machine of your own")
	}
	<-cmd.Context().Done()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return l.Shutdown(ctx)
}

func contentOf(c *ingest.Config) string {
	if c.Directory == "" {
		return "what is put into its memory"
	}
	return c.Directory
}
