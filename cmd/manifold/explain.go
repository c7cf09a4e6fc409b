package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manifold/config"
	"manifold/explain"
	"manifold/internal/dial"
	"manifold/keys"
)

// question is the body of POST /api/v1/explain.
type question struct {
	URL       string     `json:"url"`
	From      string     `json:"from,omitempty"`
	ASN       uint32     `json:"asn,omitempty"`
	Address   string     `json:"address,omitempty"`
	Device    string     `json:"device,omitempty"`
	UserAgent string     `json:"user_agent,omitempty"`
	Tier      string     `json:"tier,omitempty"`
	At        *time.Time `json:"at,omitempty"`
	Body      bool       `json:"body,omitempty"`
}

// answer is what the API says.
type answer struct {
	Trace  *explain.Trace `json:"trace"`
	Status int            `json:"status"`
	Body   string         `json:"body"`
	Error  string         `json:"error"`
}

func explainCommand() *cobra.Command {
	var (
		q               question
		file            string
		ask             asker
		at, other       string
		asJSON, andBody bool
	)
	c := &cobra.Command{
		Use:   "explain URL [--diff [KEY=VALUE,...]]",
		Short: "Ask a running edge what a viewer would get, and why",
		Long: `Ask a running edge what a viewer would get at URL, and why.

The viewer is imagined: what is not given is left to the edge. A token that
allows the path is assumed where the URL carries none. Nothing is changed.

Where the admin side is, and its token, stands in the configuration file. --diff
shows another viewer beside it: the same but for what is written behind it, or,
where nothing is, one of whom nothing is known.`,
		Example: `  manifold explain https://edge.example/news/master.m3u8 --from DE --asn 3320 --device shaka --at 20:00
  manifold explain https://edge.example/news/master.m3u8 --from DE --diff from=FR,device=roku`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && other == unknownViewer { // --diff KEY=VALUE, without "="
				other, args = args[1], args[:1]
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q.URL, q.Body = args[0], andBody
			if err := setAt(&q, at, time.Now()); err != nil {
				return coded{err, exitUsage}
			}
			if err := ask.find(file); err != nil {
				return err
			}
			first, err := ask.explain(cmd.Context(), &q)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if other != "" {
				second := q
				if err := second.change(other, time.Now()); err != nil {
					return coded{err, exitUsage}
				}
				b, err := ask.explain(cmd.Context(), &second)
				if err != nil {
					return err
				}
				return explain.Diff(out, first.Trace, b.Trace)
			}
			if asJSON {
				return json.NewEncoder(out).Encode(first.Trace)
			}
			if err := first.Trace.Text(out); err != nil {
				return err
			}
			if andBody {
				fmt.Fprintf(out, "\n%s", first.Body)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&q.From, "from", "", "country of the viewer (ISO 3166-1: DE)")
	f.Uint32Var(&q.ASN, "asn", 0, "autonomous system of the viewer's network")
	f.StringVar(&q.Address, "address", "", "address that the viewer asks from")
	f.StringVar(&q.Device, "device", "", "device profile (hlsjs, shaka, roku ...)")
	f.StringVar(&q.UserAgent, "user-agent", "", "User-Agent of the player")
	f.StringVar(&q.Tier, "tier", "", "tier of the assumed token")
	f.StringVar(&at, "at", "", "moment: 20:00 (today, local time) or 2026-11-23T20:00:00Z; default now")
	f.StringVar(&other, "diff", "", "show beside it another viewer: KEY=VALUE,... of the flags above; alone: one of whom nothing is known")
	f.Lookup("diff").NoOptDefVal = unknownViewer
	fileFlag(c, &file, defaultFile)
	f.StringVar(&ask.admin, "admin", "", "admin side of the edge; default what the configuration says, else http://127.0.0.1:9090")
	f.StringVar(&ask.token, "token", "", "reference to the admin token (env:NAME or file:PATH); default what the configuration says, else env:MANIFOLD_ADMIN_TOKEN")
	f.BoolVar(&asJSON, "json", false, "print the trace as JSON")
	f.BoolVar(&andBody, "body", false, "print the manifest too")
	return c
}

// setAt reads a moment.
func setAt(q *question, text string, now time.Time) error {
	if text == "" {
		return nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		q.At = &t
		return nil
	}
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return fmt.Errorf("--at %q is no moment: write 20:00 or 2026-11-23T20:00:00Z", text)
	}
	t := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
	q.At = &t
	return nil
}

// unknownViewer is --diff alone.
const unknownViewer = "-"

// change makes another viewer of q.
func (q *question) change(list string, now time.Time) error {
	if list == unknownViewer {
		*q = question{URL: q.URL, At: q.At, Body: q.Body}
		return nil
	}
	for pair := range strings.SplitSeq(list, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("--diff %q: write KEY=VALUE,KEY=VALUE", list)
		}
		switch key {
		case "from":
			q.From = value
		case "asn":
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return fmt.Errorf("--diff: asn %q is not a number", value)
			}
			q.ASN = uint32(n)
		case "address":
			q.Address = value
		case "device":
			q.Device = value
		case "user-agent":
			q.UserAgent = value
		case "tier":
			q.Tier = value
		case "at":
			if err := setAt(q, value, now); err != nil {
				return err
			}
		case "url":
			q.URL = value
		default:
			return fmt.Errorf("--diff: there is no %q: one of from, asn, address, device, user-agent, tier, at, url", key)
		}
	}
	return nil
}

// asker calls the admin API. Until find, token is a reference.
type asker struct{ admin, token string }

// find takes what was not said out of the configuration file, where there is
// one, and reads the token.
func (a *asker) find(file string) error {
	source := keys.Source{}
	if a.admin == "" || a.token == "" {
		cfg, err := new(config.Loader).Load(file, 0)
		switch {
		case err == nil:
			if a.admin == "" {
				a.admin = adminURL(cfg.File.Admin.Address)
			}
			if a.token == "" && cfg.File.Admin.Token != "" {
				a.token, source.Dir = string(cfg.File.Admin.Token), filepath.Dir(file)
			}
		case !config.Missing(err):
			return configError(err)
		}
	}
	if a.admin == "" {
		a.admin = "http://127.0.0.1:9090"
	}
	a.admin = strings.TrimSuffix(a.admin, "/")
	if a.token == "" {
		a.token = "env:MANIFOLD_ADMIN_TOKEN"
	}
	secret, err := source.Secret(a.token)
	if err != nil {
		return coded{fmt.Errorf("%w (explaining needs the edge's admin token: name it by admin.token in %s, or by --token)", err, file), exitUsage}
	}
	a.token = string(secret)
	return nil
}

// adminURL is where this machine reaches what listens at an address.
func adminURL(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// maxAnswer bounds what is read of an answer: a manifest and a trace.
const maxAnswer = 16 << 20

func (a *asker) explain(ctx context.Context, q *question) (*answer, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.admin+"/api/v1/explain", bytes.NewReader(text))
	if err != nil {
		return nil, coded{err, exitUsage}
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dial.Localhost}}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the edge: %w (is it running, and --admin right?)", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("cannot read the edge's answer: %w", err)
	}
	var out answer
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fmt.Errorf("cannot read the edge's answer: status %d, no JSON", res.StatusCode)
	}
	if res.StatusCode != http.StatusOK || out.Trace == nil {
		return nil, fmt.Errorf("the edge does not explain: %s", out.Error)
	}
	return &out, nil
}
