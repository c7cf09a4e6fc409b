package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"manifold/cmd/wire"
	"manifold/config"
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

func exitCode(err error) int {
	var (
		c    coded
		bad  wire.ConfigError
		file *config.Error
		bind wire.BindError
	)
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &bad), errors.As(err, &file):
		return exitConfig
	case errors.As(err, &bind):
		return exitBind
	}
	return exitFailed
}

// noteStart makes the commands note that one of them began to run: an error
// before that is about the command line.
func noteStart(root *cobra.Command) *bool {
	started := new(bool)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if run := c.RunE; run != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return run(cmd, args)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return started
}

// tell writes an error for people. The problems of a configuration stand alone
// on their lines, as file:line:col, so that editors find them.
func tell(w io.Writer, cmd *cobra.Command, err error, code int) {
	var file *config.Error
	if errors.As(err, &file) {
		fmt.Fprintln(w, file.Error())
		fmt.Fprintf(w, "manifold: %s in %s\n", plural(len(file.Problems), "problem"), file.File)
		return
	}
	text := strings.TrimSpace(err.Error())
	if code == exitUsage {
		text = usageText(text)
	}
	fmt.Fprintln(w, "manifold:", text)
	if code == exitUsage && cmd != nil {
		fmt.Fprintf(w, "Run %q for how it is used.\n", cmd.CommandPath()+" --help")
	}
}

// usageText brings cobra's suggestions, which stand on lines of their own, onto
// one line.
func usageText(text string) string {
	head, tail, found := strings.Cut(text, "\n\nDid you mean this?\n")
	if !found {
		return text
	}
	return head + suggestion(strings.Fields(tail))
}

// suggestion is the end of a message that says what may have been meant.
func suggestion(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(words, " or ") + "?"
}

// flagError adds to a complaint about a flag which one may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if best := config.Nearest(name, names); best != "" {
			text += suggestion([]string{"--" + best})
		}
	}
	return coded{errors.New(text), exitUsage}
}

func subcommands(cmd *cobra.Command) string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
