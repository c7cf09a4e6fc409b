// Command manifold is an edge for HLS and DASH: it rewrites manifests for
// every request, steers players over several CDNs, and brings along what
// stands behind it (origin, transcoder) and beside it (a demo).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
)

// The exit codes, which scripts may rely on.
const (
	exitFailed    = 1
	exitUsage     = 2
	exitConfig    = 3
	exitBind      = 4
	exitThreshold = 5
)

// coded is an error with its exit code.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use:           "manifold",
		Short:         "An edge that rewrites HLS and DASH manifests for every request",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(edgeCommand(), originCommand(), transcodeCommand(), demoCommand(), versionCommand())
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return coded{err, exitUsage} })
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "manifold:", err)
	var (
		c    coded
		bad  wire.ConfigError
		bind wire.BindError
	)
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &bad):
		return exitConfig
	case errors.As(err, &bind):
		return exitBind
	}
	return exitFailed
}
