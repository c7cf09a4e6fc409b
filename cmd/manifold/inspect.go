package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/inspect"
)

func inspectCommand() *cobra.Command {
	var o inspectOptions
	c := &cobra.Command{
		Use:   "inspect URL|FILE",
		Short: "Show what a manifest holds, and what is wrong with it",
		Long: `Show what an HLS playlist or an MPD holds, and what is wrong with it: each fault with its place,
the clause it offends, and a cure. "-" reads standard input.

It exits 0 when all is well or there are warnings only, 5 when there are errors, 1 when the
manifest cannot be had.`,
		Example: `  manifold inspect https://edge.example/news/master.m3u8 --deep
  manifold inspect manifest.mpd --json | jq .problems`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := c.Flags()
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.BoolVar(&o.deep, "deep", false, "follow a multivariant playlist one level, and compare what it lists")
	f.StringVar(&o.ca, "ca", "", "PEM file of authorities to trust instead of the system's")
	f.StringArrayVar(&o.headers, "header", nil, `header to send, as "Name: value"; to the URL's own host only`)
	f.DurationVar(&o.timeout, "timeout", inspect.DefaultTimeout, "time for each answer")
	return c
}

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	json, deep bool
	ca         string
	headers    []string
	timeout    time.Duration
}

func (o *inspectOptions) run(ctx context.Context, what string, in io.Reader, out io.Writer) error {
	source, open, err := o.open(ctx, what, in)
	if err != nil {
		return err
	}
	r := inspect.Inspect(source, time.Now)
	if o.deep && open != nil {
		r.Deep(ctx, open, time.Now)
	}
	if o.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		err = e.Encode(r)
	} else {
		err = r.WriteText(out, wantsColor(out))
	}
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if r.Errors() > 0 {
		return coded{fmt.Errorf("the manifest has %s", r.Verdict()), exitThreshold}
	}
	return nil
}

// open reads the manifest, and says how its references are opened.
func (o *inspectOptions) open(ctx context.Context, what string, in io.Reader) (*inspect.Source, inspect.Open, error) {
	if !strings.HasPrefix(what, "http://") && !strings.HasPrefix(what, "https://") {
		if what == "-" {
			s, err := inspect.Read("standard input", in)
			return s, nil, err
		}
		s, err := inspect.ReadFile(what)
		return s, inspect.OpenFile(what), err
	}
	header := make(http.Header)
	for _, text := range o.headers {
		name, value, ok := strings.Cut(text, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, nil, coded{fmt.Errorf(`--header %q is not written as "Name: value"`, text), exitUsage}
		}
		header.Add(name, strings.TrimSpace(value))
	}
	var roots *x509.CertPool
	if o.ca != "" {
		var err error
		if roots, err = inspect.Roots(o.ca); err != nil {
			return nil, nil, coded{err, exitUsage}
		}
	}
	f, err := inspect.NewFetcher(what, roots, time.Now)
	if err != nil {
		return nil, nil, coded{err, exitUsage}
	}
	f.Header, f.Timeout = header, o.timeout
	s, err := f.Fetch(ctx, what)
	if err != nil {
		return nil, nil, err
	}
	return s, inspect.OpenURL(f, s.HTTP.URL), nil
}

// wantsColor tells a terminal, unless the environment says otherwise
// (no-color.org).
func wantsColor(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
