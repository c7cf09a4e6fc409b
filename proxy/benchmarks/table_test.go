package benchmarks

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"manifold/internal/testkit/measure"
)

var (
	table    = flag.Bool("table", false, "print the comparison in Markdown instead of testing, and fail where a budget is not held")
	roundFor = flag.Duration("round", 150*time.Millisecond, "how long a contender's round takes, with -table")
	rounds   = flag.Int("rounds", 31, "how many rounds each contender has, with -table; the median counts")
	match    = flag.String("match", "", "with -table, measure only the cases whose name (h1/VOD500Gzip) matches this regular expression")
)

// budgets are what we promise: the processor's time of a whole personalised
// request, over that of the bare handler.
var budgets = map[string]float64{"h1": 1.25, "h2": 1.15, "h3": 1.15}

// printTable measures everything, and tells whether all budgets are held.
func printTable() (held bool) {
	// The stage's set-up needs a testing.TB; a benchmark lends its own.
	testing.Benchmark(func(b *testing.B) {
		if b.N == 1 {
			held = printRounds(b)
		}
	})
	return held
}

func printRounds(b *testing.B) bool {
	only, err := regexp.Compile(*match)
	if err != nil {
		b.Fatal(err)
	}
	s := newStage(b)
	fmt.Printf("Measured %s. %d viewers on %d connections in a second process, one request in flight each; medians of %d rounds of about %v, in which the contenders take turns, and of the ratios within each; processor time is the serving process's, kernel and garbage collector included.\n\n",
		measure.Conditions("proxy/benchmarks"), viewers, connections, *rounds, *roundFor)
	fmt.Println("| | | | processor | wall | allocations | body | ours × this, processor |")
	fmt.Println("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
	ratios := map[string][]float64{} // to the bare handler, by protocol
	for _, p := range protocols {
		for i := range cases {
			if !only.MatchString(p + "/" + cases[i].name) {
				continue
			}
			t, err := s.prepare(p, &cases[i])
			if err != nil {
				b.Fatal(err)
			}
			all, err := s.compare(t)
			if err != nil {
				b.Fatal(err)
			}
			name, about := p, t.kase.about
			for _, c := range contenders {
				ratio := all[c].ratio
				if c == "bare" {
					ratios[p] = append(ratios[p], ratio)
				}
				fmt.Printf("| %s | %s | %s | %s | %s | %.1f | %d B | %s |\n", name, about, c,
					measure.Time(all[c].cpu), measure.Time(all[c].wall), all[c].allocs, t.size, measure.Digits(ratio))
				name, about = "", ""
			}
		}
	}
	fmt.Println()
	return printBudgets(ratios)
}

// compare lets the contenders take turns, each beginning as often as the
// others, and gives their medians: of the ratios those of each round, in which
// the machine was the same for all.
func (s *stage) compare(t *trial) (map[string]figures, error) {
	n := map[string]int{}
	for _, c := range contenders { // also warms up
		const try = 20 * connections
		f, err := s.measure(t, c, try)
		if err != nil {
			return nil, err
		}
		n[c] = max(int(float64(*roundFor)/f.wall), try)
	}
	all := map[string][]figures{}
	for round := range *rounds {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			f, err := s.measure(t, c, n[c])
			if err != nil {
				return nil, err
			}
			all[c] = append(all[c], f)
		}
	}
	medians := map[string]figures{}
	for c, list := range all {
		median := func(of func(figures) float64) float64 {
			values := make([]float64, len(list))
			for i, f := range list {
				values[i] = of(f)
			}
			return measure.Median(values)
		}
		for round := range list {
			list[round].ratio = all["manifold"][round].cpu / list[round].cpu
		}
		medians[c] = figures{
			wall:   median(func(f figures) float64 { return f.wall }),
			cpu:    median(func(f figures) float64 { return f.cpu }),
			allocs: median(func(f figures) float64 { return f.allocs }),
			ratio:  median(func(f figures) float64 { return f.ratio }),
		}
	}
	return medians, nil
}

// printBudgets holds the worst case of each protocol against its budget; the
// geometric mean of all cases, which noise moves less, stands beside it.
func printBudgets(ratios map[string][]float64) bool {
	held := true
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| budget\t| at most\t| processor, mean\t| worst case\t| held\t|")
	fmt.Fprintln(w, "| ---\t| ---\t| ---\t| ---\t| ---\t|")
	for _, p := range protocols {
		if len(ratios[p]) == 0 {
			continue // not measured
		}
		worst, logs := slices.Max(ratios[p]), 0.0
		for _, r := range ratios[p] {
			logs += math.Log(r)
		}
		mean := math.Exp(logs / float64(len(ratios[p])))
		verdict := "yes"
		if !(worst <= budgets[p]) {
			held, verdict = false, "no"
		}
		fmt.Fprintf(w, "| whole request over %s, of bare\t| %s\t| %s\t| %s\t| %s\t|\n", p, measure.Digits(budgets[p]), measure.Digits(mean), measure.Digits(worst), verdict)
	}
	_ = w.Flush()
	return held
}
