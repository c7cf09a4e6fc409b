package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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
POST /api/v1/reload: whole or not at all. SIGTERM lets what is in flight finish. SIGUSR2 starts
the program anew, as after an upgrade, and hands the sockets over: no connection is refused.
Sockets are also taken over from systemd (LISTEN_FDS), which is told when the edge is ready
(NOTIFY_SOCKET).`,
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
			stay(cmd, e)
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			return e.Stop(ctx)
		},
	}
	fileFlag(c, &file, defaultFile)
	return c
}

// takeOverTime bounds the start of a process that takes over.
const takeOverTime = time.Minute

// stay waits until the edge is to stop: because it is told to, or because a
// new process has taken over.
func stay(cmd *cobra.Command, e *wire.Edge) {
	upgrade := make(chan os.Signal, 1)
	signal.Notify(upgrade, syscall.SIGUSR2)
	defer signal.Stop(upgrade)
	for {
		select {
		case <-cmd.Context().Done():
			return
		case <-upgrade:
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), takeOverTime)
		next := exec.Command(os.Args[0], os.Args[1:]...) // by its name: the file may be another by now
		next.Stdout, next.Stderr = os.Stdout, os.Stderr
		err := e.HandOver(ctx, next)
		cancel()
		if err == nil {
			return
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "manifold:", err)
	}
}

// fileFlag adds --config.
func fileFlag(c *cobra.Command, file *string, value string) {
	c.Flags().StringVarP(file, "config", "c", value, "configuration file")
	_ = c.MarkFlagFilename("config", "yml", "yaml") // it exists
}
