package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/transcoder"
)

func transcodeCommand() *cobra.Command {
	var (
		cfg      transcoder.Config
		to       string
		tokenEnv string
		ladder   string
	)
	names := make([]string, 0, len(transcoder.Ladders))
	for name := range transcoder.Ladders {
		names = append(names, name)
	}
	slices.Sort(names)
	c := &cobra.Command{
		Use:   "transcode",
		Short: "Encode a file or the test source into an aligned CMAF ladder, HLS and DASH",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, ok := transcoder.Ladders[ladder]
			if !ok {
				return coded{fmt.Errorf("there is no ladder %q: one of %s", ladder, strings.Join(names, ", ")), exitUsage}
			}
			cfg.Ladder = l
			sink, err := transcoder.NewPush(to, os.Getenv(tokenEnv))
			if err != nil {
				return coded{err, exitUsage}
			}
			log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
			t, err := transcoder.New(cmd.Context(), cfg, sink, time.Now, log)
			if err != nil {
				return coded{err, exitConfig}
			}
			return t.Run(cmd.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&to, "to", "http://127.0.0.1:9100/", "origin to put the content to")
	f.StringVar(&tokenEnv, "token-env", "", "environment variable with the origin's write token")
	f.StringVar(&cfg.Input, "input", "", "media file (default: a test source)")
	f.StringVar(&cfg.Prefix, "prefix", "", "path of the presentation at the origin (news, vod/film)")
	f.StringVar(&ladder, "ladder", "demo", "what is encoded: "+strings.Join(names, ", "))
	f.BoolVar(&cfg.Live, "live", false, "encode in real time into a sliding window")
	f.DurationVar(&cfg.Duration, "duration", 0, "end after this much media")
	f.DurationVar(&cfg.Segment, "segment", 0, "length of a segment (default 2s)")
	f.DurationVar(&cfg.Window, "window", 0, "how much of a live presentation is listed (default 60s)")
	f.BoolVar(&cfg.NoTimecode, "no-timecode", false, "do not burn the time into the picture")
	f.StringVar(&cfg.FFmpeg, "ffmpeg", "", "FFmpeg to use (default: the one in the PATH)")
	return c
}
