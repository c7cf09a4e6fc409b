package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/watch"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Judge and load a stream from outside, with nothing of the edge's own code",
	}
	c.AddCommand(benchRunCommand(), benchReportCommand(), benchCompareCommand(), benchWatchCommand(), benchRulesCommand())
	return c
}

// watchFlags are what the command line of `bench watch` says.
type watchFlags struct {
	client   client.Config
	watch    watch.Config
	protocol string
	segments string
	headers  []string
	known    []string
	json     bool
	output   string
}

func benchWatchCommand() *cobra.Command {
	var f watchFlags
	c := &cobra.Command{
		Use:   "watch URL",
		Short: "Follow a stream and report every violation with its evidence, its clause and the cure",
		Long: `Follow an HLS or DASH presentation over many reloads: all variants, renditions,
pathways and Periods, the steering answers, and a share of the media. Report
what breaks a specification or a promise of the stream's own, with the lines
before and after; what follows from something else stands under it.

The exit code is 5 with a violation, 0 without. Warnings and notes do not fail.

Addresses are compared without their tokens. These forms are known:
` + patternList() + `Others are declared with --ignore. Reports never show a token: only the first 8
hex digits of its SHA-256.`,
		Example: `  manifold bench watch https://edge.example/live/master.m3u8 --for 60s
  manifold bench watch http://localhost:8080/live/manifest.mpd --for 5m --json > report.json
  manifold bench watch URL --for 10m --edges 2 --segments all --known hls-short-window="the encoder's, agreed"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(1)(cmd, args); err != nil {
				return coded{err, exitUsage}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.watch.URL = args[0]
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.DurationVar(&f.watch.For, "for", time.Minute, "how long to watch; 0 until interrupted")
	fl.StringVar(&f.segments, "segments", string(watch.Sample), "how much media to fetch: none, sample or all")
	fl.IntVar(&f.watch.Edges, "edges", 1, "independent edges that may answer: allows a reload to be one segment older, and nothing more")
	fl.StringArrayVar(&f.watch.Ignore, "ignore", nil, "regular expression of what does not count in an address, as 'hdnts=[^&]*' (repeatable)")
	fl.StringArrayVar(&f.watch.Personal, "personal", nil, "regular expression of what makes a manifest one viewer's own (repeatable)")
	fl.StringArrayVar(&f.known, "known", nil, "RULE=REASON: findings that are accepted (repeatable)")
	fl.DurationVar(&f.watch.Grace, "grace", 0, "how long viewers may be sent to a dead pathway (default 15s)")
	fl.Int64Var(&f.watch.MaxManifest, "max-manifest", 0, "the largest manifest in bytes (default 8 MiB)")
	fl.StringVar(&f.protocol, "protocol", string(client.Auto), "HTTP version: auto, h1, h2 or h3")
	fl.StringVar(&f.client.CAFile, "ca", "", "PEM file of certificates to trust besides the system's")
	fl.BoolVar(&f.client.Insecure, "insecure", false, "trust any certificate")
	fl.DurationVar(&f.client.Timeout, "timeout", 0, "how long a request may take (default 10s)")
	fl.StringVar(&f.client.UserAgent, "user-agent", "", "the User-Agent to send")
	fl.StringArrayVarP(&f.headers, "header", "H", nil, "NAME: VALUE to send with every request (repeatable)")
	fl.BoolVar(&f.json, "json", false, "report as JSON")
	fl.StringVarP(&f.output, "output", "o", "", "write the report to this file, and the text to the terminal")
	return c
}

func patternList() string {
	var b strings.Builder
	for _, p := range watch.Patterns {
		fmt.Fprintf(&b, "  %-22s %s\n", p.Name, p.Form)
	}
	return b.String()
}

func (f *watchFlags) run(ctx context.Context, out, progress io.Writer) error {
	f.client.Protocol = client.Protocol(f.protocol)
	f.watch.Segments = watch.Sampling(f.segments)
	f.client.Header = http.Header{}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return coded{fmt.Errorf("--header wants NAME: VALUE, not %q", h), exitUsage}
		}
		f.client.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	f.watch.Known = map[finding.ID]string{}
	for _, k := range f.known {
		id, why, ok := strings.Cut(k, "=")
		if !ok || why == "" {
			return coded{fmt.Errorf("--known wants RULE=REASON, not %q: every exception has a reason", k), exitUsage}
		}
		f.watch.Known[finding.ID(id)] = why
	}
	clients, err := client.New(f.client)
	if err != nil {
		return coded{err, exitUsage}
	}
	defer clients.Close()
	other := f.client
	other.UserAgent += " second viewer"
	second, err := client.New(other)
	if err != nil {
		return coded{err, exitUsage}
	}
	defer second.Close()
	f.watch.Fetcher, f.watch.Second, f.watch.Client = clients.Viewer(0), second.Viewer(0), clients.String()
	f.watch.Progress = func(s string) { fmt.Fprintln(progress, s) }
	if err := f.watch.Validate(); err != nil {
		return coded{err, exitUsage}
	}
	report, err := watch.Run(ctx, f.watch)
	if err != nil {
		return coded{err, exitUsage}
	}
	return f.write(report, out)
}

func (f *watchFlags) write(r *finding.Report, out io.Writer) error {
	form := r.WriteText
	if f.json {
		form = r.WriteJSON
	}
	if f.output == "" {
		if err := form(out); err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
	} else {
		file, err := os.Create(f.output)
		if err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
		if err := errors.Join(form(file), file.Close(), r.WriteText(out)); err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
	}
	if r.Failed() {
		v, _, _, _ := r.Counts()
		return coded{fmt.Errorf("%d violations", v), exitThreshold}
	}
	return nil
}

func benchRulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rules",
		Short: "List every rule of bench watch with its clause and cure",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			for _, r := range finding.Rules() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s (%s)\n  %s\n  clause  %s\n  cure    %s\n", r.ID, r.Severity, r.Title, r.Clause, r.Cure)
			}
		},
	}
}
