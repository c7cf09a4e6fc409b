package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"manifold/cmd/wire"
	"manifold/config"
	"manifold/proxy"
	"manifold/proxy/listen"
)

// maxListed bounds the channels that the banner names.
const maxListed = 12

// expiresSoon is when a certificate's end is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// banner says where an edge that has started listens and what it serves.
func banner(out io.Writer, e *wire.Edge, now time.Time) {
	cfg := e.Config()
	fmt.Fprintf(out, "manifold %s, edge by %s\n\n", version, cfg.Files[0])
	var viewers []string
	for _, a := range e.Listening() {
		viewers = append(viewers, addressURL(a)+"  "+protocols(a.Kind))
	}
	column(out, "viewers", viewers)
	how := "changes need the token"
	if cfg.Admin.Token == "" {
		how = "for reading: no admin.token is configured"
	}
	column(out, "admin", []string{fmt.Sprintf("http://%s  %s", e.AdminAddr(), how)})
	var certificates []string
	for _, c := range e.Certificates() {
		certificates = append(certificates, fmt.Sprintf("%s  until %s", strings.Join(c.Names, ", "), c.NotAfter.UTC().Format(time.DateOnly)))
	}
	column(out, "certificate", certificates)
	column(out, "channels", channels(cfg))
	column(out, "warning", warnings(e, now))
}

// column prints lines beside their title.
func column(out io.Writer, title string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(out, "  %-12s %s\n", title, line)
		title = ""
	}
}

// channels tells of each channel where it is, from where and over which CDNs.
func channels(cfg *config.Config) (lines []string) {
	sets := map[string]string{}
	for _, s := range cfg.Proxy.Sets {
		sets[s.Name] = shares(s.Pathways)
	}
	for i, c := range cfg.Proxy.Channels {
		if i == maxListed {
			return append(lines, fmt.Sprintf("and %d more", len(cfg.Proxy.Channels)-i))
		}
		lines = append(lines, fmt.Sprintf("%s  at %s/  from %s  over %s", c.Name, strings.Join(c.Hosts, ",")+c.Prefix, c.Origin.Origins[0].URL, sets[c.Set]))
	}
	return lines
}

func addressURL(a listen.Addr) string {
	switch a.Kind {
	case listen.Plain:
		return "http://" + a.Addr.String()
	case listen.QUIC:
		return "https://" + a.Addr.String() + " (udp)"
	}
	return "https://" + a.Addr.String()
}

func protocols(k listen.Kind) string {
	switch k {
	case listen.Plain:
		return "HTTP/1.1"
	case listen.QUIC:
		return "HTTP/3"
	}
	return "HTTP/1.1, HTTP/2"
}

// shares tells the CDNs of a set with their parts of the sessions.
func shares(list []proxy.PathwayConfig) string {
	total := 0.0
	for _, p := range list {
		total += p.Weight
	}
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = fmt.Sprintf("%s %.3g%%", p.ID, 100*p.Weight/total)
	}
	return strings.Join(texts, ", ")
}

// warnings are those of the configuration, and of what only the running edge
// knows.
func warnings(e *wire.Edge, now time.Time) (list []string) {
	for _, p := range e.Config().Warnings {
		text := p.Text
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		list = append(list, text)
	}
	for _, c := range e.Certificates() {
		if left := c.NotAfter.Sub(now); left < expiresSoon {
			list = append(list, fmt.Sprintf("the certificate of %s ends %s", strings.Join(c.Names, ", "), when(c.NotAfter, now)))
		}
	}
	return list
}

// when says how far a time is away, in one or two units.
func when(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	switch {
	case d < 0:
		return span(-d) + " ago"
	case d == 0:
		return "now"
	}
	return "in " + span(d)
}

func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day")
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
