package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func manCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "man",
		Short: "Write the manual pages",
		Long: `Write a manual page (man(7)) for each command into a folder, or that of manifold itself to
standard output.`,
		Example: "  manifold man --dir /usr/local/share/man/man1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return manPage(cmd.OutOrStdout(), cmd.Root())
			}
			return manPages(dir, cmd.Root())
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder to write into")
	_ = c.MarkFlagDirname("dir") // it exists
	return c
}

// manPages writes the page of a command and those of its subcommands.
func manPages(dir string, c *cobra.Command) error {
	name := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("cannot write manual page: %w", err)
	}
	err = manPage(f, c)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("cannot write manual page: %w", err)
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := manPages(dir, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// manPage writes one page.
func manPage(w io.Writer, c *cobra.Command) error {
	c.InitDefaultHelpFlag()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	title := strings.ReplaceAll(c.CommandPath(), " ", "-")
	p(`.TH "%s" "1" "" "manifold %s" "Manifold manual"`, strings.ToUpper(title), roff(version))
	p(".nh\n.SH NAME\n%s \\- %s", roff(title), roff(c.Short))
	p(".SH SYNOPSIS\n.B %s", roff(c.UseLine()))
	if c.Long != "" {
		p(".SH DESCRIPTION\n%s", roff(strings.ReplaceAll(c.Long, "\n\n", "\n.PP\n")))
	}
	flags(p, ".SH OPTIONS", c.NonInheritedFlags())
	flags(p, ".SH OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	if c.Example != "" {
		p(".SH EXAMPLES\n.nf\n%s\n.fi", roff(c.Example))
	}
	var also []string
	if c.HasParent() {
		also = append(also, roff(strings.ReplaceAll(c.Parent().CommandPath(), " ", "-"))+"(1)")
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			also = append(also, roff(strings.ReplaceAll(sub.CommandPath(), " ", "-"))+"(1)")
		}
	}
	if len(also) > 0 {
		p(".SH SEE ALSO\n%s", strings.Join(also, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func flags(p func(string, ...any), title string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	p("%s", title)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := `\-\-` + roff(f.Name)
		if f.Shorthand != "" {
			name = `\-` + roff(f.Shorthand) + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + roff(kind)
		}
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			usage += " (default: " + f.DefValue + ")"
		}
		p(".TP\n.B %s\n%s", name, roff(usage))
	})
}

// roff writes text so that it is taken as text. Lines that are requests (.PP)
// stay.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l != ".PP" && (strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'")) {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
