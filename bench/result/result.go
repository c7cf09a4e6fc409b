package result

import (
	"time"
)

// Format is what the JSON form says it is.
const Format = "manifold-bench-run/1"

// Run is one run of a scenario.
type Run struct {
	Format   string    `json:"format"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Machine  string    `json:"machine"`
	Began    time.Time `json:"began"`
	Seed     uint64    `json:"seed"`
	Scenario []string  `json:"scenario"` // in words, a line each
	// Connections is the connection model in words.
	Connections string    `json:"connections"`
	Warmup      float64   `json:"warmup_s"` // at the beginning of each round, not measured
	Rounds      []*Round  `json:"rounds"`
	Thresholds  []Verdict `json:"thresholds"`
	// Broken is why the run ended before its time, or empty.
	Broken string `json:"broken,omitempty"`
}

// Round is one of the repetitions.
type Round struct {
	Began     time.Time `json:"began"`
	Seconds   float64   `json:"seconds"` // that were measured
	Viewers   Viewers   `json:"viewers"`
	Requests  []*Class  `json:"requests"`
	Quality   Quality   `json:"quality"`
	Generator Generator `json:"generator"`
	Series    []Second  `json:"series"`
}

// Viewers counts viewers, over the whole round.
type Viewers struct {
	Arrived int `json:"arrived"`
	Most    int `json:"most_at_once"`
	Started int `json:"saw_a_picture"`
	Ended   int `json:"saw_it_to_the_end"`
	Left    int `json:"left"`
	Failed  int `json:"failed"`
	// Why are the reasons of those that failed.
	Why map[string]int `json:"why,omitempty"`
}

// Class is the requests of one kind.
type Class struct {
	Name   string `json:"name"`
	Count  int64  `json:"count"`
	Errors int64  `json:"errors"`
	// Said counts answers by status, and what there was instead of one.
	Said  map[string]int64 `json:"said"`
	Bytes int64            `json:"bytes"`
	// Latency is from when the request was due to the last byte, corrected for
	// coordinated omission; Service from when it was sent, as it was.
	Latency Histogram `json:"latency"`
	Service Histogram `json:"service"`
}

// Quality is what the viewers got.
type Quality struct {
	Startup  Histogram `json:"startup"`
	Stood    float64   `json:"stood_s"`
	Played   float64   `json:"played_s"`
	Stalls   int       `json:"stalls"`
	Seeks    int       `json:"seeks"`
	Sought   float64   `json:"sought_s"`
	Switches int       `json:"quality_switches"`
	Moves    int       `json:"pathway_moves"`
	Steered  int       `json:"pathway_moves_by_steering"`
	Deaf     int       `json:"steering_ended_for"`
	Jumps    int       `json:"jumps_to_live"`
	Segments int       `json:"segments"`
	Fetched  int       `json:"segments_fetched"`
	Bytes    int64     `json:"media_bytes"`
	Rate     float64   `json:"mean_bits_per_s"`
	// Pathways is how many segments came from each.
	Pathways map[string]int `json:"segments_by_pathway,omitempty"`
}

// Generator is how the load generator itself did.
type Generator struct {
	Processors int       `json:"processors"`
	CPUMean    float64   `json:"cpu_mean"` // share of the processors
	CPUMost    float64   `json:"cpu_most"`
	Lag        Histogram `json:"lag"` // from when something was due to when it was done
	Queued     int64     `json:"queued"`
	Documents  int64     `json:"documents_read"`
	Shared     int64     `json:"documents_shared"`
	Saturated  []string  `json:"saturated"` // why its figures are not to be trusted
}

// Second is a second of a round; latencies are of manifests, in milliseconds.
type Second struct {
	At       float64 `json:"t"`
	Viewers  int     `json:"viewers"`
	Stalled  int     `json:"stalled"`
	Starting int     `json:"starting"`
	Requests int64   `json:"requests"`
	Errors   int64   `json:"errors"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Lag      float64 `json:"lag_p99_ms"`
	CPU      float64 `json:"cpu"`
	InFlight int     `json:"in_flight"`
}

// Verdict is what came of a threshold.
type Verdict struct {
	Threshold string  `json:"threshold"`
	Value     float64 `json:"value"`
	Shown     string  `json:"shown"`
	Held      bool    `json:"held"`
	// Missing tells that there was nothing to measure.
	Missing bool `json:"missing,omitempty"`
}

// Saturated tells whether the generator was too slow in one of the rounds.
func (r *Run) Saturated() bool {
	for _, x := range r.Rounds {
		if len(x.Generator.Saturated) > 0 {
			return true
		}
	}
	return false
}

// Failed tells whether a threshold was not held.
func (r *Run) Failed() bool {
	for _, v := range r.Thresholds {
		if !v.Held {
			return true
		}
	}
	return false
}

// Class gives the requests of a kind, or nil.
func (r *Round) Class(name string) *Class {
	for _, c := range r.Requests {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// All is the rounds taken together. Series is left out.
func (r *Run) All() *Round {
	all := &Round{Viewers: Viewers{Why: map[string]int{}}, Quality: Quality{Pathways: map[string]int{}}}
	var bits, weight float64
	for _, x := range r.Rounds {
		if all.Began.IsZero() {
			all.Began = x.Began
		}
		all.Seconds += x.Seconds
		v := &all.Viewers
		v.Arrived += x.Viewers.Arrived
		v.Most = max(v.Most, x.Viewers.Most)
		v.Started += x.Viewers.Started
		v.Ended += x.Viewers.Ended
		v.Left += x.Viewers.Left
		v.Failed += x.Viewers.Failed
		addAll(v.Why, x.Viewers.Why)
		for _, c := range x.Requests {
			sum := all.Class(c.Name)
			if sum == nil {
				sum = &Class{Name: c.Name, Said: map[string]int64{}}
				all.Requests = append(all.Requests, sum)
			}
			sum.add(c)
		}
		q, p := &all.Quality, &x.Quality
		q.Startup.Merge(&p.Startup)
		q.Stood += p.Stood
		q.Played += p.Played
		q.Stalls += p.Stalls
		q.Seeks += p.Seeks
		q.Sought += p.Sought
		q.Switches += p.Switches
		q.Moves += p.Moves
		q.Steered += p.Steered
		q.Deaf += p.Deaf
		q.Jumps += p.Jumps
		q.Segments += p.Segments
		q.Fetched += p.Fetched
		q.Bytes += p.Bytes
		addAll(q.Pathways, p.Pathways)
		bits += p.Rate * float64(p.Segments)
		weight += float64(p.Segments)
		g, y := &all.Generator, &x.Generator
		g.Processors = max(g.Processors, y.Processors)
		g.CPUMean += y.CPUMean / float64(len(r.Rounds))
		g.CPUMost = max(g.CPUMost, y.CPUMost)
		g.Lag.Merge(&y.Lag)
		g.Queued += y.Queued
		g.Documents += y.Documents
		g.Shared += y.Shared
		for _, s := range y.Saturated {
			if !contains(g.Saturated, s) {
				g.Saturated = append(g.Saturated, s)
			}
		}
	}
	if weight > 0 {
		all.Quality.Rate = bits / weight
	}
	return all
}

func (c *Class) add(o *Class) {
	c.Count += o.Count
	c.Errors += o.Errors
	c.Bytes += o.Bytes
	addAll(c.Said, o.Said)
	c.Latency.Merge(&o.Latency)
	c.Service.Merge(&o.Service)
}

func addAll[N int | int64](to, from map[string]N) {
	for k, n := range from {
		to[k] += n
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
