package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"manifold"
	"manifold/config"
	"manifold/internal/problem"
	"manifold/origin"
	"manifold/proxy"
)

func configCommand() *cobra.Command {
	return group("config", "Check, show and explain configuration", configCheck(), configShow(), configDefault())
}

func configCheck() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Tell all that is wrong with a configuration file, at once",
		Long: `Read a configuration as the edge would, with its keys and certificates, and tell everything that
is wrong with it: file:line:col, the key, the line itself, and what would be right. Nothing is
listened on and nothing is written. It exits 0 when all is well, 3 when not.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(named(file, args))
			if err != nil {
				return configError(err)
			}
			if err := trial(cfg); err != nil {
				return coded{err, exitConfig}
			}
			out := cmd.OutOrStdout()
			for i := range cfg.Warnings {
				fmt.Fprintln(out, cfg.Warnings[i].Warning(cfg.Files[0]))
			}
			fmt.Fprintf(out, "%s is good: %s, %s, %s\n", cfg.Files[0], plural(len(cfg.Proxy.Channels), "channel"),
				plural(len(cfg.Proxy.Sets), "pathway set"), plural(len(cfg.Warnings), "warning"))
			return nil
		},
	}
	fileFlag(c, &file, defaultFile)
	return c
}

// trial takes the configuration in a proxy that nobody reaches, for what is
// only found in the making.
func trial(cfg *config.Config) error {
	shield, err := origin.New(cfg.Shield, time.Now, func() float64 { return 0 })
	if err != nil {
		return err
	}
	defer shield.Close()
	return proxy.New(shield, slog.New(slog.DiscardHandler), time.Now).Load(&cfg.Proxy)
}

func configShow() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print a configuration with everything that the file leaves out",
		Long: `Print what is in force: the file with every default, every shorthand written out, and all that is
derived. What is printed can be read back. Secrets are only ever references.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(named(file, args))
			if err != nil {
				return configError(err)
			}
			return cfg.File.Write(cmd.OutOrStdout())
		},
	}
	fileFlag(c, &file, defaultFile)
	return c
}

func configDefault() *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Print manifold.yml: every key with its default and what it means",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), manifold.Defaults)
			return err
		},
	}
}

// named is the file that a command is about: its argument, else its flag.
func named(flag string, args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return flag
}

// configError gives an error about a configuration its exit code.
func configError(err error) error {
	var list problem.List
	if errors.As(err, &list) {
		return coded{list, exitConfig}
	}
	return coded{err, exitConfig}
}
