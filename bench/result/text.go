package result

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes a run for people.
func (r *Run) WriteText(w io.Writer) error {
	all := r.All()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s, %s", r.Name, r.Began.Format(time.RFC3339))
	for _, line := range r.Scenario {
		p("  %s", line)
	}
	p("  connections: %s", r.Connections)
	p("  generator: %s", r.Machine)
	if r.Broken != "" {
		p("\nNOT WHOLE: %s after %d of its rounds", r.Broken, len(r.Rounds))
	}
	for _, s := range all.Generator.Saturated {
		p("\nSATURATED: %s. The figures say more about the generator than about the target.", s)
	}
	v, q := &all.Viewers, &all.Quality
	p("\nviewers     %s came, %s at most at once, %s saw a picture, %s saw the end, %s left, %s were given up by their players",
		Count(int64(v.Arrived)), Count(int64(v.Most)), Count(int64(v.Started)), Count(int64(v.Ended)), Count(int64(v.Left)), Count(int64(v.Failed)))
	for _, why := range sortedBy(v.Why) {
		p("            %s × %s", Count(int64(v.Why[why])), why)
	}
	p("start-up    median %s, 95 %% within %s, at most %s", Duration(q.Startup.At(.5)), Duration(q.Startup.At(.95)), Duration(q.Startup.Max()))
	stalled, _ := all.Figure("stalled")
	p("picture     stood still for %s of the time, %s times; %s on average; %s changes of quality", Share.Show(stalled), Count(int64(q.Stalls)), Bits.Show(q.Rate), Count(int64(q.Switches)))
	p("pathways    %s moves, %s of them as steered; steering ended for %s viewers%s", Count(int64(q.Moves)), Count(int64(q.Steered)), Count(int64(q.Deaf)), pathways(q.Pathways))
	if q.Jumps > 0 || q.Seeks > 0 {
		p("            %s jumps to the live edge, %s seeks of %s on average", Count(int64(q.Jumps)), Count(int64(q.Seeks)), Duration(mean(q.Sought, q.Seeks)))
	}
	p("media       %s segments, %s fetched, %s bytes", Count(int64(q.Segments)), Count(int64(q.Fetched)), Count(q.Bytes))
	p("")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "requests\tcount\ta second\terrors\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, c := range all.Requests {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", c.Name, Count(c.Count), digits(float64(c.Count)/max(all.Seconds, 1e-9)), Count(c.Errors),
			Duration(c.Latency.At(.5)), Duration(c.Latency.At(.9)), Duration(c.Latency.At(.99)), Duration(c.Latency.At(.999)), Duration(c.Latency.Max()))
	}
	_ = t.Flush()
	for _, c := range all.Requests {
		if c.Errors > 0 {
			var list []string
			for _, k := range sortedBy(c.Said) {
				list = append(list, fmt.Sprintf("%s × %s", Count(c.Said[k]), k))
			}
			p("  %s: %s", c.Name, strings.Join(list, ", "))
		}
	}
	p("  Latencies count from when a request was due, and are corrected for coordinated omission.")
	g := &all.Generator
	p("\ngenerator   %.0f %% of %d processors (most in a second %.0f %%), late by %s at p99, %s at most; %s of %s documents read had been read before",
		100*g.CPUMean, g.Processors, 100*g.CPUMost, Duration(g.Lag.At(.99)), Duration(g.Lag.Max()), Count(g.Shared), Count(g.Documents))
	if len(r.Thresholds) > 0 {
		p("")
	}
	for _, x := range r.Thresholds {
		word := "held  "
		if !x.Held {
			word = "FAILED"
		}
		p("%s  %s (it is %s)", word, x.Threshold, x.Shown)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func mean(sum float64, n int) time.Duration {
	if n == 0 {
		return 0
	}
	return time.Duration(sum / float64(n) * float64(time.Second))
}

func pathways(m map[string]int) string {
	if len(m) < 2 {
		return ""
	}
	total := 0
	for _, n := range m {
		total += n
	}
	var list []string
	for _, k := range sortedBy(m) {
		list = append(list, fmt.Sprintf("%s %.0f %%", k, 100*float64(m[k])/float64(total)))
	}
	return "; segments from " + strings.Join(list, ", ")
}

// sortedBy gives the keys, the largest number first.
func sortedBy[N int | int64](m map[string]N) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
}

// WriteJSON writes a run for machines, and for [Read].
func (r *Run) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Read reads what WriteJSON wrote.
func Read(from io.Reader) (*Run, error) {
	const most = 256 << 20
	limited := &io.LimitedReader{R: from, N: most + 1}
	d := json.NewDecoder(limited)
	var r Run
	if err := d.Decode(&r); err != nil {
		if limited.N == 0 {
			return nil, fmt.Errorf("cannot read the run: it has more than %d bytes", most)
		}
		return nil, fmt.Errorf("cannot read the run: %w", err)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("cannot read the run: its format is %q, not %q: write it with bench run --json", r.Format, Format)
	}
	if len(r.Rounds) == 0 || slices.Contains(r.Rounds, nil) {
		return nil, errors.New("cannot read the run: it has no round")
	}
	for _, x := range r.Rounds {
		if slices.Contains(x.Requests, nil) {
			return nil, errors.New("cannot read the run: a class of requests is empty")
		}
	}
	return &r, nil
}
