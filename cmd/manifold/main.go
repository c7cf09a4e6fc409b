// Command manifold is an edge for HLS and DASH: it rewrites manifests for
// every request, steers players over several CDNs, and brings along what
// stands behind it (origin, transcoder) and beside it (a demo).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command line and gives its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	started := noteStart(root)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := exitCode(err)
	if !*started {
		code = exitUsage // cobra's own complaint: an unknown command, missing arguments
	}
	tell(errs, cmd, err, code)
	return code
}

// newRoot makes the tree of commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "manifold",
		Short: "An edge that rewrites HLS and DASH manifests for every request",
		Long: `Manifold gives every viewer a manifest of their own: which CDN to use, with that CDN's token,
and how to move when it fails. It stands between players and your origin.

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong, 3 the configuration is
wrong, 4 an address cannot be listened on, 5 a threshold was not met.`,
		Example: `  manifold demo                      see all of it on this machine
  manifold config default >manifold.yml
  manifold config check              what is wrong with manifold.yml
  manifold edge                      serve it`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.AddCommand(
		edgeCommand(), originCommand(), transcodeCommand(), demoCommand(), configCommand(), tokenCommand(),
		explainCommand(), benchCommand(), inspectCommand(), manCommand(), versionCommand(),
	)
	completeGroups(root)
	root.SetFlagErrorFunc(flagError)
	return root
}

// group makes a command that only holds others.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	c.AddCommand(sub...)
	return c
}

// completeGroups makes the commands that only hold others say so when none of
// those is named, or one that there is not.
func completeGroups(c *cobra.Command) {
	for _, sub := range c.Commands() {
		completeGroups(sub)
	}
	if !c.HasParent() || !c.HasSubCommands() || c.Runnable() {
		return
	}
	c.SuggestionsMinimumDistance = 2
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), suggestion(cmd.SuggestionsFor(args[0])))
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return coded{fmt.Errorf("%s needs one of its commands: %s", cmd.CommandPath(), subcommands(cmd)), exitUsage}
	}
}
