package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
)

// drainTime is how long a stopping server lets requests in flight finish.
const drainTime = 25 * time.Second

// defaultFile is the configuration that is taken unless one is named.
const defaultFile = "manifold.yml"

func edgeCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "edge",
		Short: "Serve viewers: the edge itself",
		Long: `Serve viewers by a configuration file. The file is read again when it changes, on SIGHUP and on
POST /api/v1/reload: whole or not at all. SIGTERM lets what is in flight finish. Sockets are
taken over from systemd (LISTEN_FDS), which is told when the edge is ready (NOTIFY_SOCKET).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			e, err := wire.Start(wire.Options{File: file, LogTo: cmd.ErrOrStderr(), Hangup: hangup})
			if err != nil {
				return err
			}
			banner(cmd.OutOrStdout(), e, time.Now())
			<-cmd.Context().Done()
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			return e.Stop(ctx)
		},
	}
	fileFlag(c, &file, defaultFile)
	return c
}

// fileFlag adds --config.
func fileFlag(c *cobra.Command, file *string, value string) {
	c.Flags().StringVarP(file, "config", "c", value, "configuration file")
	_ = c.MarkFlagFilename("config", "yml", "yaml") // it exists
}
