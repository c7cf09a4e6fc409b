package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"manifold/bench/report"
	"manifold/bench/result"
)

func benchReportCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "report RUN.json",
		Short: "Make the HTML page of a run that was written with --output",
		Args:  exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := readRun(args[0])
			if err != nil {
				return err
			}
			if output == "" {
				output = strings.TrimSuffix(args[0], ".json") + ".html"
			}
			return writeReport(output, r)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the file to write (default: beside the run, as .html)")
	return c
}

func writeReport(name string, r *result.Run) error {
	return toFile(name, func(w io.Writer) error { return report.Write(w, r) })
}

func readRun(name string) (*result.Run, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, coded{fmt.Errorf("cannot read the run: %w", err), exitUsage}
	}
	defer f.Close()
	r, err := result.Read(f)
	if err != nil {
		return nil, coded{fmt.Errorf("%s: %w", name, err), exitUsage}
	}
	return r, nil
}

func benchCompareCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Tell whether B is slower than A by more than the noise between their rounds",
		Long: `Compare two runs of a scenario. The noise is what the rounds of each run differ by
among themselves; a difference counts when chance would make one as large in one
comparison out of two hundred, and when it is large enough for anybody to care.

The exit code is 5 when B is slower or worse, 1 when it cannot be told (each run
needs at least 3 rounds), else 0.`,
		Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readRun(args[0])
			if err != nil {
				return err
			}
			b, err := readRun(args[1])
			if err != nil {
				return err
			}
			c := result.Compare(a, b)
			c.NameA, c.NameB = args[0], args[1]
			form := c.WriteText
			if asJSON {
				form = c.WriteJSON
			}
			switch err := form(cmd.OutOrStdout()); {
			case err != nil:
				return fmt.Errorf("cannot write the comparison: %w", err)
			case c.Failed():
				return coded{fmt.Errorf("%s is %s than %s", args[1], c.Opinion, args[0]), exitThreshold}
			case c.Opinion == result.Unknown:
				return errors.New("it cannot be told whether they differ")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the comparison as JSON")
	return c
}
