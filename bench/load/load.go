package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/result"
	"manifold/bench/scenario"
	"manifold/bench/viewer"
)

// Options is how a scenario is run.
type Options struct {
	// Progress is told how it goes, each second; it may be nil.
	Progress func(Status)
	// Version and Machine are for the report.
	Version, Machine string
	// Transport carries requests instead of sockets, where it is not nil.
	Transport http.RoundTripper
	// CPU is the processor time used so far by this process; nil: not measured.
	CPU func() time.Duration
	// Each is told what became of every viewer; it may be nil.
	Each func(id int, o *viewer.Outcome)
}

// Status is how a run goes.
type Status struct {
	Round, Rounds int
	At, For       time.Duration
	Warming       bool
	result.Second
	Saturated bool
}

// Run runs a scenario that is valid. The result holds what there was until ctx
// ended; the error is about what kept it from beginning.
func Run(ctx context.Context, s *scenario.Scenario, o Options) (*result.Run, error) {
	run := &result.Run{Format: result.Format, Name: s.Name, Version: o.Version, Machine: o.Machine, Began: time.Now().UTC(), Seed: uint64(s.Seed),
		Scenario: s.Words(), Warmup: s.Warmup.Seconds(), Thresholds: []result.Verdict{}}
	for i := range s.Rounds {
		if i > 0 {
			pause := time.NewTimer(s.Pause)
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
			pause.Stop()
		}
		if ctx.Err() != nil {
			break
		}
		groups, err := connect(s, o)
		if err != nil {
			return nil, err
		}
		run.Connections = model(groups)
		e := newEngine(s, o, groups, i)
		run.Rounds = append(run.Rounds, e.run(ctx))
		for _, g := range groups {
			g.clients.Close()
		}
	}
	if ctx.Err() != nil {
		run.Broken = "interrupted"
	}
	if len(run.Rounds) == 0 {
		return nil, errors.New("interrupted before the first round")
	}
	all := run.All()
	for _, t := range s.Limits {
		run.Thresholds = append(run.Thresholds, t.Judge(all))
	}
	return run, nil
}

// group is a part of the audience with its connections.
type group struct {
	*scenario.Group
	clients *client.Clients
	abr     viewer.ABR
	profile *viewer.Profile
	link    viewer.Trace
	n       int // viewers so far
}

func connect(s *scenario.Scenario, o Options) ([]*group, error) {
	var out []*group
	for i := range s.Audience {
		g := &group{Group: &s.Audience[i], profile: viewer.ProfileNamed(s.Audience[i].Device)}
		g.link = g.Link()
		if g.ABR != "" {
			abr, err := viewer.NewABR(g.ABR)
			if err != nil {
				return nil, err
			}
			g.abr = abr
		}
		header := http.Header{}
		for k, v := range g.Headers {
			header.Set(k, v)
		}
		clients, err := client.New(client.Config{
			Protocol: client.Protocol(g.Protocol), Share: s.Connections.Share, CAFile: s.Connections.CA, Insecure: s.Connections.Insecure,
			Timeout: s.Connections.Timeout, MaxBody: 64 << 20, UserAgent: "manifold-bench (" + g.Device + ")", Header: header, Transport: o.Transport,
		})
		if err != nil {
			return nil, err
		}
		g.clients = clients
		out = append(out, g)
	}
	return out, nil
}

// model is the connection model in words.
func model(groups []*group) string {
	var out []string
	for _, g := range groups {
		if s := g.clients.String(); len(out) == 0 || out[len(out)-1] != s {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

func newEngine(s *scenario.Scenario, o Options, groups []*group, round int) *engine {
	seed := uint64(s.Seed) + uint64(round)
	rng := rand.New(rand.NewPCG(seed, 0x6d616e69666f6c64))
	e := &engine{
		s: s, o: o, groups: groups, rng: rng, seed: seed, answers: make(chan reply, 4096), library: &viewer.Library{},
		arrivals: s.Times(rng), round: round,
	}
	for i := range e.classes {
		e.classes[i] = &result.Class{Name: className(viewer.Kind(i)), Said: map[string]int64{}}
	}
	e.out.Series, e.out.Requests = []result.Second{}, []*result.Class{}
	e.out.Quality.Pathways = map[string]int{}
	e.out.Viewers.Why = map[string]int{}
	e.out.Generator.Processors = runtime.GOMAXPROCS(0)
	return e
}

// className is what a kind of request is called in figures.
func className(k viewer.Kind) string {
	return [...]string{"entry", "playlist", "update", "steering", "initialisation", "segment"}[k]
}

// said is what an answer was, in a word.
func said(a *viewer.Answer) string {
	if a.Err != nil {
		text := a.Err.Error()
		switch {
		case errors.Is(a.Err, context.DeadlineExceeded):
			return "no answer in time"
		case strings.Contains(text, "connection refused"):
			return "connection refused"
		case strings.Contains(text, "connection reset"), strings.Contains(text, "EOF"):
			return "connection lost"
		case strings.HasPrefix(text, "cannot read "), strings.HasPrefix(text, "cannot play "), strings.HasPrefix(text, "something follows"):
			return "not what was asked for"
		}
		return "other failures"
	}
	return fmt.Sprint(a.Status)
}
