package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"manifold/bench/result"
)

//go:embed page.html
var page string

//go:embed style.css
var style string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"duration": result.Duration,
	"count":    func(n any) string { return result.Count(toInt(n)) },
	"share":    func(v float64) string { return result.Share.Show(v) },
	"said":     saidText,
}).Parse(page))

func toInt(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	}
	return 0
}

// view is what the page shows.
type view struct {
	*result.Run
	Style    template.CSS
	All      *result.Round
	When     string
	Verdict  string // in a sentence
	Bad      bool
	Tiles    []tile
	Plots    []plot
	Requests []row
	Outcomes []fact
	Saw      string
}

type tile struct{ Label, Value, Note string }

type fact struct{ Label, Value string }

type row struct {
	*result.Class
	Rate string
}

// P is a percentile for the page's table.
func (r row) P(share float64) string { return result.Duration(r.Latency.At(share)) }

// Largest is the longest latency.
func (r row) Largest() string { return result.Duration(r.Latency.Max()) }

// Write writes the page of a run.
func Write(w io.Writer, r *result.Run) error {
	all := r.All()
	v := view{Run: r, All: all, Style: template.CSS(style), When: r.Began.Format("2 January 2006, 15:04:05 MST")}
	v.Verdict, v.Bad = verdict(r, all)
	q := &all.Quality
	stalled, _ := all.Figure("stalled")
	errors, _ := all.Figure("errors")
	manifest, _ := all.Figure("manifest.p99")
	requests, _ := all.Figure("requests")
	v.Tiles = []tile{
		{"Viewers at once", result.Count(int64(all.Viewers.Most)), fmt.Sprintf("%s came in %s", result.Count(int64(all.Viewers.Arrived)), rounds(len(r.Rounds)))},
		{"Start-up, median", result.Duration(q.Startup.At(.5)), "95 % within " + result.Duration(q.Startup.At(.95))},
		{"Picture stood still", result.Share.Show(stalled), result.Count(int64(q.Stalls)) + " times"},
		{"Manifests, p99", result.Seconds.Show(manifest), result.Number.Show(requests) + " requests a second"},
		{"Errors", result.Share.Show(errors), "of all requests"},
		{"Mean quality", result.Bits.Show(q.Rate), result.Count(int64(q.Switches)) + " changes"},
	}
	for _, c := range all.Requests {
		v.Requests = append(v.Requests, row{c, result.Number.Show(float64(c.Count) / max(all.Seconds, 1e-9))})
	}
	v.Outcomes = outcomes(all)
	v.Plots = plots(r, all)
	if err := pageTemplate.Execute(w, &v); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("%d rounds", n)
}

// verdict is the run in a sentence.
func verdict(r *result.Run, all *result.Round) (string, bool) {
	failed := 0
	for _, t := range r.Thresholds {
		if !t.Held {
			failed++
		}
	}
	switch {
	case r.Broken != "":
		return "The run is not whole: " + r.Broken + ".", true
	case len(all.Generator.Saturated) > 0:
		return "The generator was saturated: these figures say more about it than about the target.", true
	case failed > 0:
		return fmt.Sprintf("No: %d of %d thresholds were not held.", failed, len(r.Thresholds)), true
	case len(r.Thresholds) > 0:
		return fmt.Sprintf("Yes: all %d thresholds were held.", len(r.Thresholds)), false
	}
	return "No thresholds were set: the figures are yours to judge.", false
}

func outcomes(all *result.Round) []fact {
	v, q := &all.Viewers, &all.Quality
	n := func(i int) string { return result.Count(int64(i)) }
	out := []fact{
		{"came", n(v.Arrived)}, {"saw a picture", n(v.Started)}, {"saw it to the end", n(v.Ended)}, {"left before", n(v.Left)}, {"were given up by their players", n(v.Failed)},
		{"seconds played", result.Number.Show(q.Played)}, {"seconds stood", result.Number.Show(q.Stood)}, {"changes of pathway", n(q.Moves)}, {"of them as steered", n(q.Steered)},
		{"viewers whose steering ended", n(q.Deaf)}, {"jumps to the live edge", n(q.Jumps)}, {"seeks", n(q.Seeks)}, {"segments", n(q.Segments)}, {"segments fetched", n(q.Fetched)},
	}
	for name, count := range q.Pathways {
		if len(q.Pathways) > 1 {
			out = append(out, fact{"segments from " + name, n(count)})
		}
	}
	return out
}

func saidText(said map[string]int64) string {
	var list []string
	for k, n := range said {
		list = append(list, fmt.Sprintf("%s × %s", result.Count(n), k))
	}
	// The order of a map is none.
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			if len(list[j]) > len(list[i]) || len(list[j]) == len(list[i]) && list[j] < list[i] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return strings.Join(list, ", ")
}

func seconds(d time.Duration) float64 { return d.Seconds() }
