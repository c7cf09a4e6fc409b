package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/bench/load"
	"manifold/bench/result"
	"manifold/bench/scenario"
)

// runFlags are what the command line of `bench run` says.
type runFlags struct {
	json, quiet    bool
	example        bool
	output, report string
	rounds, seed   int
	url            string
}

func benchRunCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCENARIO.yml",
		Short: "Let an audience come, and measure what it gets and what it costs to wait",
		Long: `Run a scenario: viewers arrive in an open loop, each a model of a player that asks
for its manifests and steering answers as that player does, over real connections.
Segments are counted and come at the speed of the viewer's network; a share of the
viewers fetches them.

Latencies count from when a request was due, and are corrected for coordinated
omission. A generator that cannot keep up says so.

The exit code is 5 when a threshold of the scenario is not held, 3 when the
scenario is wrong.`,
		Example: `  manifold bench run --example > evening.yml
  manifold bench run evening.yml --report evening.html
  manifold bench run evening.yml --rounds 5 -o before.json
  manifold bench compare before.json after.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.example {
				return exactly(0)(cmd, args)
			}
			return exactly(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.example {
				_, err := io.WriteString(cmd.OutOrStdout(), scenario.Example)
				return err
			}
			return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.BoolVar(&f.example, "example", false, "print a scenario with a comment on every key")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
	fl.StringVarP(&f.output, "output", "o", "", "write the result as JSON to this file, and the text to the terminal")
	fl.StringVar(&f.report, "report", "", "write an HTML report to this file")
	fl.IntVar(&f.rounds, "rounds", 0, "how many rounds, whatever the scenario says")
	fl.IntVar(&f.seed, "seed", 0, "the seed, whatever the scenario says")
	fl.StringVar(&f.url, "url", "", "the address, whatever the scenario says")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

// exactly wants n arguments, and calls anything else wrong usage.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return coded{err, exitUsage}
		}
		return nil
	}
}

func (f *runFlags) run(ctx context.Context, file string, out, progress io.Writer) error {
	s, err := scenario.Load(file, os.LookupEnv)
	if err != nil {
		return coded{err, exitConfig}
	}
	if f.rounds > 0 {
		s.Rounds = f.rounds
	}
	if f.seed != 0 {
		s.Seed = f.seed
	}
	if f.url != "" {
		for i := range s.Audience {
			s.Audience[i].URL = f.url
		}
		if err := s.Validate(); err != nil {
			return coded{err, exitUsage}
		}
	}
	o := load.Options{Version: version, Machine: machine(), CPU: load.CPU}
	m := newMeter(progress)
	if !f.quiet {
		o.Progress = m.show
	}
	r, err := load.Run(ctx, s, o)
	m.end()
	if err != nil {
		return err
	}
	return f.write(r, out)
}

func (f *runFlags) write(r *result.Run, out io.Writer) error {
	form := r.WriteText
	if f.json {
		form = r.WriteJSON
	}
	var failed []error
	if f.output != "" {
		failed = append(failed, toFile(f.output, r.WriteJSON))
	}
	if f.report != "" {
		failed = append(failed, writeReport(f.report, r))
	}
	if err := errors.Join(append(failed, form(out))...); err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	if r.Failed() {
		n := 0
		for _, v := range r.Thresholds {
			if !v.Held {
				n++
			}
		}
		return coded{fmt.Errorf("%s not held", plural(n, "threshold")), exitThreshold}
	}
	if r.Broken != "" {
		return errors.New(r.Broken)
	}
	return nil
}

// toFile writes a file whole or not at all.
func toFile(name string, form func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(form(file), file.Close())
}

// machine names the machine that the generator runs on.
func machine() string {
	s := fmt.Sprintf("%s, %s/%s, %d of %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.NumCPU())
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return s
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return s + " (" + strings.TrimSpace(value) + ")"
		}
	}
	return s
}

// meter shows how a run goes: on a terminal one line that is written over,
// else a line every ten seconds.
type meter struct {
	w        io.Writer
	terminal bool
	width    int
}

func newMeter(w io.Writer) *meter {
	m := &meter{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		m.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return m
}

func (m *meter) show(s load.Status) {
	done := s.At >= s.For
	if !m.terminal && s.At%(10*time.Second) != 0 && !done {
		return
	}
	line := statusLine(s)
	if !m.terminal {
		fmt.Fprintln(m.w, line)
		return
	}
	pad := max(m.width-len([]rune(line)), 0)
	m.width = len([]rune(line))
	end := ""
	if done {
		end, m.width = "\n", 0
	}
	fmt.Fprintf(m.w, "\r%s%s%s", line, strings.Repeat(" ", pad), end)
}

// end leaves the line that was written over.
func (m *meter) end() {
	if m.width > 0 {
		fmt.Fprintln(m.w)
	}
}

func statusLine(s load.Status) string {
	const width = 20
	full := min(int(float64(width)*s.At.Seconds()/max(s.For.Seconds(), 1)), width)
	line := fmt.Sprintf("%s%s %s of %s", strings.Repeat("█", full), strings.Repeat("░", width-full), s.At, s.For)
	if s.Rounds > 1 {
		line = fmt.Sprintf("round %d of %d  ", s.Round, s.Rounds) + line
	}
	if s.Warming {
		line += ", warming up"
	}
	line += fmt.Sprintf("  viewers %s  requests %s/s  p50 %s  p99 %s  errors %s  stalled %d  cpu %.0f %%  late %s",
		result.Count(int64(s.Viewers)), result.Count(s.Requests), millis(s.P50), millis(s.P99), result.Count(s.Errors), s.Stalled, 100*s.CPU, millis(s.Lag))
	if s.Saturated {
		line += "  SATURATED"
	}
	return line
}

func millis(ms float64) string { return result.Duration(time.Duration(ms * float64(time.Millisecond))) }
