package report

import (
	"fmt"
	"math"

	"manifold/bench/result"
)

// plots are those of the page, over the rounds one after the other.
func plots(r *result.Run, all *result.Round) []plot {
	var (
		at                         []float64
		viewers, starting, stalled []float64
		requests, errors           []float64
		p50, p99, lag, cpu         []float64
		base                       float64
		breaks                     []float64
	)
	for _, x := range r.Rounds {
		if base > 0 {
			breaks = append(breaks, base)
		}
		end := base
		for _, s := range x.Series {
			at = append(at, base+s.At)
			end = base + s.At
			viewers, starting, stalled = append(viewers, float64(s.Viewers)), append(starting, float64(s.Starting)), append(stalled, float64(s.Stalled))
			requests, errors = append(requests, float64(s.Requests)), append(errors, float64(s.Errors))
			p50, p99, lag = append(p50, s.P50/1000), append(p99, s.P99/1000), append(lag, s.Lag/1000)
			cpu = append(cpu, s.CPU)
		}
		base = end
	}
	n := result.Number
	out := []plot{
		{Title: "How many were watching?", About: "Viewers each second, and those of them without a picture.", X: axis{Label: "seconds"}, Y: axis{Unit: n, Label: "viewers"}, Breaks: breaks,
			Lines: []line{{"viewers", at, viewers}, {"starting", at, starting}, {"stalled", at, stalled}}},
		{Title: "How much was asked for?", About: "Requests over connections each second, and those that failed.", X: axis{Label: "seconds"}, Y: axis{Unit: n, Label: "requests a second"}, Breaks: breaks,
			Lines: []line{{"requests", at, requests}, {"errors", at, errors}}},
		{Title: "How long did manifests take?", About: "Latency of each second's manifests, from when they were due.", X: axis{Label: "seconds"}, Y: axis{Unit: result.Seconds, Log: true, Label: "latency"}, Breaks: breaks,
			Lines: []line{{"p99", at, p99}, {"median", at, p50}}},
		distribution(all),
		startup(all),
		{Title: "Did the generator keep up?", About: "How late it did what was due (p99 of each second). Much of this, and the figures are about the generator.", X: axis{Label: "seconds"}, Y: axis{Unit: result.Seconds, Log: true, Label: "late by"}, Breaks: breaks,
			Lines: []line{{"late by, p99", at, lag}}},
		{Title: "How busy was the generator?", About: fmt.Sprintf("Share of its %d processors.", all.Generator.Processors), X: axis{Label: "seconds"}, Y: axis{Unit: result.Share, Label: "processors in use", Most: 1}, Breaks: breaks,
			Lines: []line{{"processors", at, cpu}}},
	}
	kept := out[:0]
	for _, p := range out {
		if p.draw() {
			kept = append(kept, p)
		}
	}
	return kept
}

// distribution draws latencies by percentile, as HdrHistogram's own plots do:
// each step to the right is a tenth of what is left.
func distribution(all *result.Round) plot {
	p := plot{Title: "How long did the slowest take?", About: "Latency by percentile, corrected for coordinated omission. To the right of 99 % is one request in a hundred.",
		X: axis{Label: "percentile", Ticks: []tick{{0, "0 %"}, {1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}}}, Y: axis{Unit: result.Seconds, Log: true, Label: "latency"}}
	for _, c := range all.Requests {
		if c.Latency.Count() < 10 || len(p.Lines) == maxLines {
			continue
		}
		l := line{Name: c.Name}
		most := math.Min(4, math.Log10(float64(c.Latency.Count())))
		for x := 0.0; x <= most; x += 0.05 {
			l.X = append(l.X, x)
			l.Y = append(l.Y, seconds(c.Latency.At(1-math.Pow(10, -x))))
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}

// startup draws how many viewers had a picture after how long.
func startup(all *result.Round) plot {
	l := line{Name: "viewers with a picture"}
	if h := &all.Quality.Startup; h.Count() > 0 {
		for share := 0.0; share <= 1.0001; share += 0.01 {
			l.X = append(l.X, seconds(h.At(min(share, 1))))
			l.Y = append(l.Y, min(share, 1))
		}
	}
	return plot{Title: "How long until there was a picture?", About: "Share of the viewers that had one after so many seconds; those that never had one are not in it.",
		X: axis{Label: "seconds"}, Y: axis{Unit: result.Share, Label: "viewers", Most: 1}, Lines: []line{l}}
}
