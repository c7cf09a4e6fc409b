package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"manifold/origin/ingest"
	"manifold/proxy/listen"
)

func originCommand() *cobra.Command {
	var (
		address string
		cfg     ingest.Config
		token   string
	)
	c := &cobra.Command{
		Use:   "origin",
		Short: "Serve a folder of HLS and DASH content, and take it in by PUT",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
			if token != "" {
				cfg.WriteTokens = []string{os.Getenv(token)}
			}
			s, err := ingest.New(cfg, time.Now, log)
			if err != nil {
				return coded{err, exitConfig}
			}
			defer s.Close()
			l, err := listen.New(listen.Config{Plain: []string{address}, MaxRequestBody: -1, Logger: log}, s)
			if err != nil {
				return coded{err, exitBind}
			}
			if err := l.Start(); err != nil {
				return coded{err, exitBind}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "manifold origin: %v\n", l.Addrs())
			<-cmd.Context().Done()
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			return l.Shutdown(ctx)
		},
	}
	f := c.Flags()
	f.StringVar(&address, "listen", "127.0.0.1:9100", "address to serve at")
	f.StringVar(&cfg.Directory, "directory", "content", "folder that holds the content")
	f.StringSliceVar(&cfg.Memory, "memory", nil, "path prefixes kept in memory instead (live windows)")
	f.BoolVar(&cfg.LoopbackWrites, "loopback-writes", false, "let every program on this machine write by PUT")
	f.StringVar(&token, "write-token-env", "", "environment variable with the token that writers send")
	return c
}
