package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/cmd/wire"
	"manifold/config"
	"manifold/transcoder"
)

// transcodeOptions are the flags of transcode.
type transcodeOptions struct {
	file, to, tokenEnv, ladder string
	job                        transcoder.Config
}

func transcodeCommand() *cobra.Command {
	var o transcodeOptions
	names := ladderNames()
	c := &cobra.Command{
		Use:   "transcode",
		Short: "Encode a file or the test source into an aligned CMAF ladder, HLS and DASH",
		Long: `Encode a file or the test source into an aligned CMAF ladder, and put it to an origin as HLS and
DASH. What to do stands under transcoder in the configuration; flags go before it.`,
		Example: `  manifold transcode --input film.mp4 --prefix vod/film --ladder general-1080p30
  manifold transcode --live --prefix live/test`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadPart(o.file, config.TranscoderPart)
			if err != nil {
				return err
			}
			c := &cfg.Transcoder
			if err := o.apply(cmd, c); err != nil {
				return err
			}
			if bad := c.Config.Validate(); len(bad) > 0 {
				return coded{bad, exitConfig}
			}
			sink, err := transcoder.NewPush(c.To, c.Token)
			if err != nil {
				return coded{err, exitUsage}
			}
			t, err := transcoder.New(cmd.Context(), c.Config, sink, time.Now, wire.NewLog(cmd.ErrOrStderr(), cfg.Log.Format))
			if err != nil {
				return err
			}
			return t.Run(cmd.Context())
		},
	}
	f := c.Flags()
	fileFlag(c, &o.file, "")
	f.StringVar(&o.to, "to", "http://127.0.0.1:9100/", "origin to put the content to")
	f.StringVar(&o.tokenEnv, "token-env", "", "environment variable with the origin's write token")
	f.StringVar(&o.job.Input, "input", "", "media file (default: a test source)")
	f.StringVar(&o.job.Prefix, "prefix", "", "path of the presentation at the origin (news, vod/film)")
	f.StringVar(&o.ladder, "ladder", "demo", "what is encoded: "+strings.Join(names, ", "))
	f.BoolVar(&o.job.Live, "live", false, "encode in real time into a sliding window")
	f.DurationVar(&o.job.Duration, "duration", 0, "end after this much media")
	f.DurationVar(&o.job.Segment, "segment", 0, "length of a segment (default 2s)")
	f.DurationVar(&o.job.Window, "window", 0, "how much of a live presentation is listed (default 60s)")
	f.BoolVar(&o.job.NoTimecode, "no-timecode", false, "do not burn the time into the picture")
	f.StringVar(&o.job.FFmpeg, "ffmpeg", "", "FFmpeg to use (default: the one in the PATH)")
	_ = c.RegisterFlagCompletionFunc("ladder", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)) // it exists
	return c
}

func ladderNames() []string { return slices.Sorted(maps.Keys(transcoder.Ladders)) }

// apply puts the flags that were given before the file.
func (o *transcodeOptions) apply(cmd *cobra.Command, c *config.TranscoderConfig) error {
	given := cmd.Flags().Changed
	if given("ladder") {
		l, ok := transcoder.Ladders[o.ladder]
		if !ok {
			var meant []string
			if best := config.Nearest(o.ladder, ladderNames()); best != "" {
				meant = []string{best}
			}
			return coded{fmt.Errorf("there is no ladder %q, only %s%s", o.ladder, strings.Join(ladderNames(), ", "), suggestion(meant)), exitUsage}
		}
		c.Ladder = l
	}
	if given("token-env") {
		if c.Token = os.Getenv(o.tokenEnv); c.Token == "" {
			return coded{fmt.Errorf("the environment variable %s, which --token-env names, is not set", o.tokenEnv), exitUsage}
		}
	}
	for name, set := range map[string]func(){
		"to":          func() { c.To = o.to },
		"input":       func() { c.Input = o.job.Input },
		"prefix":      func() { c.Prefix = o.job.Prefix },
		"live":        func() { c.Live = o.job.Live },
		"duration":    func() { c.Duration = o.job.Duration },
		"segment":     func() { c.Segment = o.job.Segment },
		"window":      func() { c.Window = o.job.Window },
		"no-timecode": func() { c.NoTimecode = o.job.NoTimecode },
		"ffmpeg":      func() { c.FFmpeg = o.job.FFmpeg },
	} {
		if given(name) {
			set()
		}
	}
	return nil
}
