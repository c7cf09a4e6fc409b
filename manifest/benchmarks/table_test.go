package benchmarks

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"manifold/internal/testkit/measure"
)

var table = flag.Bool("table", false, "print the comparison in Markdown instead of testing, and fail where a budget is not held")

func TestMain(m *testing.M) {
	flag.Parse()
	if !*table {
		os.Exit(m.Run())
	}
	if !printTable() {
		os.Exit(1)
	}
}

// budget is what we promise: ours takes at most limit times what the rival
// does, or the best of the rivals. Both times must hold it.
type budget struct {
	scenario string
	rivals   []string
	limit    float64
}

var budgets = []budget{
	{"RenderLive6", []string{"grafov", "eyevinn"}, 1. / 100},
	{"RenderVOD500", []string{"grafov", "eyevinn"}, 1. / 40},
	{"RenderVOD500", []string{"memcpy"}, 6},
	{"RenderLiveMPD", []string{"godash", "eyevinn"}, 1. / 500},
	{"RenderMultiPeriodMPD", []string{"godash", "eyevinn"}, 1. / 500},
	{"GzipVOD500", []string{"klauspost1"}, 1. / 150},
	{"CompileVOD500", []string{"grafov", "eyevinn"}, 1. / 5},
}

// figures are the times of one operation in nanoseconds, and its allocations.
type figures struct {
	wall, cpu float64
	allocs    int64
	size      float64
}

// runs is how often each contender is measured; the best counts, since what
// else the machine does only adds.
const runs = 3

func measured(c contender) figures {
	best := figures{wall: math.Inf(1), cpu: math.Inf(1)}
	for range runs {
		r := testing.Benchmark(c.measure)
		best.wall = min(best.wall, float64(r.T.Nanoseconds())/float64(r.N))
		best.cpu = min(best.cpu, r.Extra[cpuMetric])
		best.allocs, best.size = r.AllocsPerOp(), r.Extra[sizeMetric]
	}
	return best
}

// printTable measures everything, and tells whether all budgets are held.
func printTable() bool {
	fmt.Printf("Measured %s. Best of %d runs; processor time counts all threads, so also the garbage collector's.\n\n",
		measure.Conditions("manifest/benchmarks"), runs)
	fmt.Println("| | | wall | processor | allocations | output | × ours, processor |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
	all := map[string]map[string]figures{}
	// The contenders' set-up needs a testing.TB; a benchmark lends its own.
	for _, s := range scenarios {
		var contenders []contender
		testing.Benchmark(func(b *testing.B) { contenders = s.contenders(b) })
		all[s.name] = map[string]figures{}
		about := s.about
		for _, c := range contenders {
			f := measured(c)
			all[s.name][c.name] = f
			size := ""
			if f.size > 0 {
				size = fmt.Sprintf("%.0f B", f.size)
			}
			fmt.Printf("| %s | %s | %s | %s | %d | %s | %s |\n", about, c.name, measure.Time(f.wall), measure.Time(f.cpu), f.allocs, size,
				measure.Digits(f.cpu/all[s.name][contenders[0].name].cpu))
			about = ""
		}
	}
	fmt.Println()
	return printBudgets(all)
}

func printBudgets(all map[string]map[string]figures) bool {
	held := true
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| budget\t| at most\t| wall\t| processor\t| held\t|")
	fmt.Fprintln(w, "| ---\t| ---\t| ---\t| ---\t| ---\t|")
	for _, b := range budgets {
		ours := all[b.scenario]["manifold"]
		wall, cpu := 0., 0.
		for _, r := range b.rivals {
			wall = max(wall, ours.wall/all[b.scenario][r].wall)
			cpu = max(cpu, ours.cpu/all[b.scenario][r].cpu)
		}
		verdict := "yes"
		if ours.allocs > 0 && !strings.HasPrefix(b.scenario, "Compile") {
			held, verdict = false, "no: it allocates"
		}
		if !(max(wall, cpu) <= b.limit) {
			held, verdict = false, "no"
		}
		fmt.Fprintf(w, "| %s of %s\t| %s\t| %s\t| %s\t| %s\t|\n", b.scenario, strings.Join(b.rivals, ", "), measure.Ratio(b.limit), measure.Ratio(wall), measure.Ratio(cpu), verdict)
	}
	_ = w.Flush()
	return held
}
