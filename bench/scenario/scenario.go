package scenario

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/result"
	"manifold/bench/viewer"
	"manifold/internal/problem"
)

// Scenario is a load run. The zero value of a field means what its comment
// says.
type Scenario struct {
	// Name is what reports call it; empty: the file's name.
	Name string `yaml:"name"`
	// URL is the address of the presentation; an audience may have its own.
	// {viewer} stands for the viewer's number, ${NAME} for what the environment
	// has.
	URL string `yaml:"url"`
	// For is how long a round is; 0: as long as the arrivals.
	For time.Duration `yaml:"for"`
	// Warmup is how much of its beginning is not measured.
	Warmup time.Duration `yaml:"warmup"`
	// Rounds is how often it is repeated; 0: once. Comparisons want at least 3.
	Rounds int `yaml:"rounds"`
	// Pause is between rounds.
	Pause time.Duration `yaml:"pause"`
	// Seed is where randomness comes from; the same seed, the same viewers.
	Seed int `yaml:"seed"`
	// Arrivals follow one another.
	Arrivals []Phase `yaml:"arrivals"`
	// Audience is the mix of viewers.
	Audience []Group `yaml:"audience"`
	// Connections is how they are connected.
	Connections Connections `yaml:"connections"`
	// Media is the share of viewers that fetch their segments; the others'
	// segments are counted, and come at the speed of the viewer's network.
	Media Percent `yaml:"media"`
	// InFlight bounds the requests that are open at once; 0: 8192. What has to
	// wait for it counts as the generator's saturation.
	InFlight int `yaml:"in_flight"`
	// Thresholds are what must hold over all rounds: "manifest.p99 < 200ms".
	Thresholds []string `yaml:"thresholds"`

	Limits []result.Threshold `yaml:"-"`
}

// Percent is a share, written with %.
type Percent float64

// Rate is events a second, written "100/s" or "30/m".
type Rate float64

// Bits is a speed in bits/s, written "8M".
type Bits float64

// Phase is a stretch of arrivals.
type Phase struct {
	// Pattern is constant, ramp, poisson or flash.
	Pattern string `yaml:"pattern"`
	// For is how long it lasts.
	For time.Duration `yaml:"for"`
	// Rate is how many arrive: at the end of a ramp, at the peak of a flash
	// crowd. Viewers, instead, is how many arrive in all of the phase.
	Rate    Rate `yaml:"rate"`
	Viewers int  `yaml:"viewers"`
	// From is the rate at the beginning of a ramp, and under a flash crowd.
	From Rate `yaml:"from"`
}

// Group is a part of the audience.
type Group struct {
	// Name is what reports call it; empty: the device.
	Name string `yaml:"name"`
	// Share is its weight in the mix; 0: 1.
	Share int `yaml:"share"`
	// URL replaces the scenario's.
	URL string `yaml:"url"`
	// Device is the player: hlsjs, dashjs, shaka or conservative (which is
	// meant by nothing).
	Device string `yaml:"device"`
	// ABR is throughput, bola, lowest, highest or fixed:BITS; empty: the
	// device's own.
	ABR string `yaml:"abr"`
	// Protocol is auto, h1, h2 or h3; empty: the connections' one.
	Protocol string `yaml:"protocol"`
	// Bandwidth is the speed of each viewer's network; 0: 20M. Trace is how it
	// changes, again and again.
	Bandwidth Bits   `yaml:"bandwidth"`
	Trace     []Step `yaml:"trace"`
	// Trip is the network's round trip for media that is only counted; 0: 20ms.
	Trip time.Duration `yaml:"round_trip"`
	// Stay is how long a viewer stays, on average (exponential); 0: to the end.
	Stay time.Duration `yaml:"stay"`
	// Seek is after how much time, on average, one goes elsewhere; 0: never.
	Seek time.Duration `yaml:"seek"`
	// Headers are sent with every request.
	Headers map[string]string `yaml:"headers"`
	// Session names the viewers apart to the server by CMCD (CTA-5004, sid) in
	// the query of manifests: cmcd (which is meant by nothing) or none.
	Session string `yaml:"session"`
}

// Step is a stretch of a trace.
type Step struct {
	For       time.Duration `yaml:"for"`
	Bandwidth Bits          `yaml:"bandwidth"`
}

// Connections is the connection model.
type Connections struct {
	// Protocol is auto, h1, h2 or h3.
	Protocol string `yaml:"protocol"`
	// Share is how many viewers share a set of connections; 0 and 1: each has
	// its own.
	Share int `yaml:"share"`
	// CA is a PEM file of certificates to trust; Insecure trusts any.
	CA       string `yaml:"ca"`
	Insecure bool   `yaml:"insecure"`
	// Timeout bounds a request; 0: 10s.
	Timeout time.Duration `yaml:"timeout"`
}

const (
	mostViewers = 1_000_000
	mostTime    = 7 * 24 * time.Hour
	usualSpeed  = 20_000_000
)

// Validate fills in what is not said, and tells what is wrong.
func (s *Scenario) Validate() error {
	var l problem.List
	s.Rounds, s.InFlight = max(s.Rounds, 1), or(s.InFlight, 8192)
	if s.Rounds > 100 {
		l.Add("rounds", "more than 100 rounds")
	}
	if len(s.Arrivals) == 0 {
		l.AddHint("arrivals", "add arrivals, as - {pattern: ramp, viewers: 1000, for: 30s}", "nobody arrives")
	}
	var sum time.Duration
	people := 0.0
	for i := range s.Arrivals {
		p := &s.Arrivals[i]
		p.check(&l, problem.At("arrivals", i))
		sum += p.For
		people += p.expected()
	}
	if people > mostViewers {
		l.Add("arrivals", "%s viewers, more than %s", result.Count(int64(people)), result.Count(mostViewers))
	}
	if s.For == 0 {
		s.For = sum
	}
	switch {
	case s.For > mostTime:
		l.Add("for", "longer than %s", mostTime)
	case s.For < 0 || s.Warmup < 0 || s.Pause < 0:
		l.Add("for", "a time must not be negative")
	case s.Warmup > 0 && s.Warmup >= s.For:
		l.Add("warmup", "nothing is left to measure: the round is %s", s.For)
	}
	if s.Media < 0 || s.Media > 1 {
		l.Add("media", "a share is between 0%% and 100%%")
	}
	if s.InFlight < 1 || s.InFlight > 200_000 {
		l.Add("in_flight", "must be between 1 and 200000")
	}
	if len(s.Audience) == 0 {
		s.Audience = []Group{{}}
	}
	protocol(&l, "connections.protocol", s.Connections.Protocol)
	if s.Connections.Share < 0 {
		l.Add("connections.share", "must not be negative")
	}
	if s.Connections.Timeout < 0 {
		l.Add("connections.timeout", "must not be negative")
	}
	for i := range s.Audience {
		s.Audience[i].check(&l, problem.At("audience", i), s)
	}
	s.Limits = nil
	for i, text := range s.Thresholds {
		t, wrong, hint := result.ParseThreshold(text)
		if wrong != "" {
			if best := nearest(hint, result.Names()); strings.HasPrefix(wrong, "there is no figure") {
				hint = "figures are startup.p95, manifest.p99, steering.p50, errors, stalled, failed …"
				if best != "" {
					hint = fmt.Sprintf("did you mean %q?", best)
				}
			}
			l.AddHint(problem.At("thresholds", i), hint, "%s", wrong)
			continue
		}
		s.Limits = append(s.Limits, t)
	}
	return l.Err()
}

func (p *Phase) check(l *problem.List, at string) {
	patterns := []string{"constant", "ramp", "poisson", "flash"}
	if !slices.Contains(patterns, p.Pattern) {
		l.AddHint(at+".pattern", meant(p.Pattern, patterns), "%q is no pattern of arrivals", p.Pattern)
	}
	if p.For <= 0 || p.For > mostTime {
		l.AddHint(at+".for", "say how long this phase lasts, as for: 30s", "a phase needs its length")
		p.For = max(p.For, 0)
	}
	switch {
	case p.Rate > 0 && p.Viewers > 0:
		l.AddHint(at+".viewers", "take one of them out", "rate and viewers say the same in two ways")
	case p.Rate <= 0 && p.Viewers <= 0:
		l.AddHint(at+".rate", "say rate: 10/s, or viewers: 500 in all", "nobody arrives in this phase")
	}
	if p.From < 0 || p.From > 0 && p.Pattern != "ramp" && p.Pattern != "flash" {
		l.Add(at+".from", "only a ramp and a flash crowd begin at a rate of their own")
	}
}

func (g *Group) check(l *problem.List, at string, s *Scenario) {
	if g.Device == "" {
		g.Device = "conservative"
	}
	if viewer.ProfileNamed(g.Device) == nil {
		l.AddHint(at+".device", meant(g.Device, viewer.Names()), "there is no player %q", g.Device)
	}
	if g.ABR != "" {
		if _, err := viewer.NewABR(g.ABR); err != nil {
			l.Add(at+".abr", "%v", err)
		}
	}
	if g.Name == "" {
		g.Name = g.Device
	}
	if g.Share < 0 {
		l.Add(at+".share", "must not be negative")
	}
	g.Share = or(g.Share, 1)
	place := at + ".url"
	if g.URL == "" {
		g.URL, place = s.URL, "url"
	}
	plain := strings.NewReplacer("{viewer}", "1").Replace(g.URL)
	if u, err := url.Parse(plain); g.URL == "" {
		l.AddHint(place, "add url: http://…/master.m3u8", "there is no address to ask")
	} else if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		l.Add(place, "%q is no http or https address", redact(g.URL))
	}
	g.Protocol = orText(g.Protocol, s.Connections.Protocol)
	if g.Protocol != s.Connections.Protocol {
		protocol(l, at+".protocol", g.Protocol)
	}
	if g.Bandwidth > 0 && len(g.Trace) > 0 {
		l.AddHint(at+".bandwidth", "take one of them out", "bandwidth and trace say the same in two ways")
	}
	if g.Bandwidth == 0 {
		g.Bandwidth = usualSpeed
	}
	moving := len(g.Trace) == 0
	for i, x := range g.Trace {
		if x.For <= 0 || x.Bandwidth < 0 {
			l.Add(problem.At(at+".trace", i), "a step of a trace needs its length")
		}
		moving = moving || x.Bandwidth > 0
	}
	if !moving {
		l.Add(at+".trace", "a network that stands still for ever brings nothing")
	}
	if g.Trip == 0 {
		g.Trip = 20 * time.Millisecond
	}
	if g.Trip < 0 || g.Stay < 0 || g.Seek < 0 {
		l.Add(at, "a time must not be negative")
	}
	if g.Session == "" {
		g.Session = "cmcd"
	}
	if g.Session != "cmcd" && g.Session != "none" {
		l.AddHint(at+".session", "cmcd or none", "%q does not name viewers apart", g.Session)
	}
}

func protocol(l *problem.List, at, p string) {
	all := []string{string(client.Auto), string(client.H1), string(client.H2), string(client.H3)}
	if p != "" && !slices.Contains(all, p) {
		l.AddHint(at, "one of "+strings.Join(all, ", "), "unknown protocol %q", p)
	}
}

// Link is the network of a group's viewers.
func (g *Group) Link() viewer.Trace {
	if len(g.Trace) == 0 {
		return viewer.Trace{{For: time.Hour, Bits: float64(g.Bandwidth)}}
	}
	var t viewer.Trace
	for _, x := range g.Trace {
		t = append(t, viewer.Step{For: x.For, Bits: float64(x.Bandwidth)})
	}
	return t
}

// redact leaves the query of an address out: it may hold a token.
func redact(address string) string {
	before, _, had := strings.Cut(address, "?")
	if had {
		before += "?…"
	}
	if u, err := url.Parse(before); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return before
}

func or(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

func orText(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// Words is the scenario for a report, a line each, without tokens.
func (s *Scenario) Words() []string {
	out := []string{fmt.Sprintf("%d × %s%s, seed %d", s.Rounds, s.For, after(s.Warmup), s.Seed)}
	for _, p := range s.Arrivals {
		out = append(out, fmt.Sprintf("arrivals: %s, %s viewers in %s", p.Pattern, result.Count(int64(p.expected()+.5)), p.For))
	}
	total := 0
	for _, g := range s.Audience {
		total += g.Share
	}
	for _, g := range s.Audience {
		speed := result.Bits.Show(float64(g.Bandwidth))
		if len(g.Trace) > 0 {
			speed = fmt.Sprintf("a trace of %d steps", len(g.Trace))
		}
		w := fmt.Sprintf("%.0f %% %s: %s, %s, %s", 100*float64(g.Share)/float64(total), g.Name, g.Device, speed, redact(g.URL))
		if g.ABR != "" {
			w += ", " + g.ABR
		}
		if g.Stay > 0 {
			w += ", stays " + g.Stay.String()
		}
		if g.Seek > 0 {
			w += ", seeks every " + g.Seek.String()
		}
		out = append(out, w)
	}
	return append(out, fmt.Sprintf("media: %s of the viewers fetch it, the others' is counted", result.Share.Show(float64(s.Media))))
}

func after(warmup time.Duration) string {
	if warmup == 0 {
		return ""
	}
	return fmt.Sprintf(", measured after %s", warmup)
}
