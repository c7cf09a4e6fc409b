package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
	"manifold/demo"
)

func demoCommand() *cobra.Command {
	var (
		state    string
		duration time.Duration
	)
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run origin, three CDNs, the edge and a page to watch them, on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd, state, duration)
		},
	}
	c.Flags().StringVar(&state, "state", "", "folder for keys, certificates and the encoded programme (default: manifold-demo in the user's cache)")
	c.Flags().DurationVar(&duration, "duration", 0, "take the tour by itself for this long, then exit 0 or 1")
	return c
}

// readyTime bounds the start: FFmpeg has to encode the VOD programme once.
const readyTime = 3 * time.Minute

func runDemo(cmd *cobra.Command, state string, duration time.Duration) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	if duration != 0 && duration < demo.MinTour {
		return coded{fmt.Errorf("--duration must be at least %s, or left out to run until stopped", demo.MinTour), exitUsage}
	}
	if state == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("cannot choose a folder for the demo: %w (name one with --state)", err)
		}
		state = filepath.Join(cache, "manifold-demo")
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("cannot make the demo's folder: %w", err)
	}
	logFile, err := os.Create(filepath.Join(state, "demo.log"))
	if err != nil {
		return fmt.Errorf("cannot write the demo's log: %w", err)
	}
	defer logFile.Close()
	log := slog.New(slog.NewJSONHandler(logFile, nil))
	slog.SetDefault(log) // net/http tells of peers that break HTTP by package log

	d, err := demo.Start(ctx, demo.Config{State: state, Ports: demo.DefaultPorts, Log: log, Now: time.Now})
	if err != nil {
		return err
	}
	defer d.Close()
	e, err := wire.StartEdge(d.ConfigFile(), log, d.AddTo)
	if err != nil {
		return err
	}
	defer e.Close()
	d.SetEdge(e)
	fmt.Fprintln(out, "FFmpeg encodes a live and a VOD programme; the first time this takes a moment ...")
	ready, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if err := d.WaitReady(ready); err != nil {
		return err
	}
	d.Banner(out)
	if duration > 0 {
		return d.Tour(ctx, duration, out)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.Failed():
		return err
	}
}
