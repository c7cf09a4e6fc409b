package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
)

// drainTime is how long a stopping server lets requests in flight finish.
const drainTime = 25 * time.Second

func edgeCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "edge",
		Short: "Serve viewers: the edge itself",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := wire.StartEdge(file, slog.New(slog.NewJSONHandler(os.Stderr, nil)), nil)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "manifold edge: %v, admin http://%v\n", e.Listening(), e.AdminAddr())
			<-cmd.Context().Done()
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			return e.Stop(ctx)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "manifold.yml", "configuration file")
	return c
}
