package result

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Opinion is what a comparison comes to.
type Opinion string

// The opinions, of a figure and of a run: B against A.
const (
	Same    Opinion = "no difference"
	Slower  Opinion = "slower"
	Faster  Opinion = "faster"
	Worse   Opinion = "worse"
	Better  Opinion = "better"
	Unknown Opinion = "cannot be told"
)

// Line compares one figure.
type Line struct {
	Figure string  `json:"figure"`
	Unit   Unit    `json:"unit"`
	A      float64 `json:"a"` // means over the rounds
	B      float64 `json:"b"`
	// Change is B against A, as a share of A; Band how large a change of either
	// sign the noise between the rounds may make.
	Change  float64 `json:"change"`
	Band    float64 `json:"band"`
	Opinion Opinion `json:"opinion"`
}

// Comparison is B against A.
type Comparison struct {
	NameA   string   `json:"a"`
	NameB   string   `json:"b"`
	RoundsA int      `json:"rounds_a"`
	RoundsB int      `json:"rounds_b"`
	Lines   []Line   `json:"figures"`
	Opinion Opinion  `json:"verdict"`
	Notes   []string `json:"notes,omitempty"`
}

// compared are the figures that decide, each with the least difference that
// anybody would care for: in its unit, and as a share.
var compared = []struct {
	figure   string
	absolute float64
	relative float64
}{
	{"manifest.p50", 20e-6, 0.03}, {"manifest.p90", 20e-6, 0.03}, {"manifest.p99", 50e-6, 0.05},
	{"steering.p50", 20e-6, 0.03}, {"steering.p99", 50e-6, 0.05}, {"segment.p50", 50e-6, 0.03},
	{"startup.p50", 1e-3, 0.03}, {"startup.p95", 1e-3, 0.05},
	{"errors", 0.001, 0}, {"stalled", 0.001, 0}, {"failed", 0.001, 0},
}

// doubt is how often two equal runs may be called different, over all figures.
const doubt = 0.005

// leastRounds are needed on each side to know the noise.
const leastRounds = 3

// Compare compares two runs by the noise between their rounds (Student's t-test,
// of times on a logarithmic scale, shared out over the figures after Bonferroni).
func Compare(a, b *Run) *Comparison {
	c := &Comparison{NameA: a.Name, NameB: b.Name, RoundsA: len(a.Rounds), RoundsB: len(b.Rounds), Opinion: Same}
	c.notes(a, b)
	if len(a.Rounds) < leastRounds || len(b.Rounds) < leastRounds {
		c.Opinion = Unknown
		c.Notes = append(c.Notes, fmt.Sprintf("at least %d rounds are needed on each side to know the noise: bench run --rounds 5", leastRounds))
	}
	worse, better := Opinion(""), Opinion("")
	figures := 0
	of := make([][2][]float64, len(compared))
	for i, x := range compared {
		if of[i] = [2][]float64{values(a, x.figure), values(b, x.figure)}; len(of[i][0]) > 1 && len(of[i][1]) > 1 {
			figures++
		}
	}
	for i, x := range compared {
		va, vb := of[i][0], of[i][1]
		if len(va) < 2 || len(vb) < 2 {
			continue
		}
		unit, _ := UnitOf(x.figure)
		l := Line{Figure: x.figure, Unit: unit, Opinion: Same}
		l.A, l.B = centre(va, unit), centre(vb, unit)
		band := student(doubt/float64(figures), float64(len(va)+len(vb)-2)) * noise(va, vb, unit)
		if unit == Seconds {
			band = l.A * math.Expm1(band)
		}
		band = max(band, x.absolute, x.relative*l.A)
		diff := l.B - l.A
		if diff < 0 && unit == Seconds { // what is a tenth up is an eleventh down
			band = max(l.A-l.A*l.A/(l.A+band), x.absolute)
		}
		if l.A > 0 {
			l.Change, l.Band = diff/l.A, band/l.A
		} else {
			l.Change, l.Band = diff, band
		}
		if c.Opinion == Unknown {
			l.Opinion = Unknown
		} else if math.Abs(diff) > band {
			up, down := Slower, Faster
			if unit == Share {
				up, down = Worse, Better
			}
			if diff > 0 {
				l.Opinion, worse = up, first(worse, up)
			} else {
				l.Opinion, better = down, first(better, down)
			}
		}
		c.Lines = append(c.Lines, l)
	}
	if len(c.Lines) == 0 {
		c.Opinion = Unknown
	}
	if c.Opinion == Same {
		c.Opinion = first(worse, first(better, Same))
	}
	return c
}

func first(a, b Opinion) Opinion {
	if a != "" {
		return a
	}
	return b
}

func (c *Comparison) notes(a, b *Run) {
	note := func(format string, args ...any) { c.Notes = append(c.Notes, fmt.Sprintf(format, args...)) }
	if strings.Join(a.Scenario, "\n") != strings.Join(b.Scenario, "\n") {
		note("the scenarios differ")
	}
	if a.Connections != b.Connections {
		note("the connection models differ: %s; %s", a.Connections, b.Connections)
	}
	if a.Machine != b.Machine {
		note("the generators ran on different machines: %s; %s", a.Machine, b.Machine)
	}
	for _, r := range []*Run{a, b} {
		if r.Saturated() {
			note("in %s the generator was saturated: its figures say more about itself than about the target", r.Name)
		}
		if r.Broken != "" {
			note("%s is not whole: %s", r.Name, r.Broken)
		}
	}
}

// values are a figure's, round by round.
func values(r *Run, figure string) (out []float64) {
	for _, x := range r.Rounds {
		if v, ok := x.Figure(figure); ok {
			out = append(out, v)
		}
	}
	return out
}

// scaled are the values as their noise is: of times it is a share of them.
func scaled(v []float64, unit Unit) []float64 {
	if unit != Seconds {
		return v
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Log(max(x, 1e-6))
	}
	return out
}

// centre is the mean over the rounds; of times, the geometric one.
func centre(v []float64, unit Unit) float64 {
	mean := 0.0
	for _, x := range scaled(v, unit) {
		mean += x / float64(len(v))
	}
	if unit == Seconds {
		return math.Exp(mean)
	}
	return mean
}

// noise is the standard error of the difference of two means, from what the
// rounds of each side differ by among themselves.
func noise(a, b []float64, unit Unit) float64 {
	squares := 0.0
	for _, side := range [][]float64{scaled(a, unit), scaled(b, unit)} {
		mean := 0.0
		for _, x := range side {
			mean += x / float64(len(side))
		}
		for _, x := range side {
			squares += (x - mean) * (x - mean)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	se := math.Sqrt(squares / (n + m - 2) * (1/n + 1/m))
	if unit == Seconds {
		se = math.Hypot(se, 0.001) // histograms have three digits, and clocks their grain
	}
	return se
}

// student is the t that a difference exceeds by chance with a probability of p,
// in either direction.
func student(p, freedom float64) float64 {
	low, high := 0.0, 1e6
	for range 200 {
		t := (low + high) / 2
		if beta(freedom/2, .5, freedom/(freedom+t*t)) > p {
			low = t
		} else {
			high = t
		}
	}
	return high
}

// beta is the regularised incomplete beta function, by its continued fraction
// (Abramowitz and Stegun, 26.5.8).
func beta(a, b, x float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - beta(b, a, 1-x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log(1-x)) / a
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := 0; i <= 400; i++ {
		m := float64(i / 2)
		var n float64
		switch {
		case i == 0:
			n = 1
		case i%2 == 0:
			n = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			n = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 + n*d
		if math.Abs(d) < tiny {
			d = tiny
		}
		d = 1 / d
		c = 1 + n/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		f *= c * d
		if math.Abs(1-c*d) < 1e-12 {
			break
		}
	}
	return front * (f - 1)
}

// Failed tells whether B is slower or worse.
func (c *Comparison) Failed() bool { return c.Opinion == Slower || c.Opinion == Worse }

// WriteText writes a comparison for people.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A  %s, %d rounds\nB  %s, %d rounds\n\n", c.NameA, c.RoundsA, c.NameB, c.RoundsB)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "figure\tA\tB\tchange\tnoise\t\t")
	for _, l := range c.Lines {
		change, band := fmt.Sprintf("%+.1f %%", 100*l.Change), fmt.Sprintf("±%.1f %%", 100*l.Band)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", l.Figure, l.Unit.Show(l.A), l.Unit.Show(l.B), change, band, l.Opinion)
	}
	_ = t.Flush()
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	switch c.Opinion {
	case Same:
		b.WriteString("\nB does not differ from A by more than the noise.\n")
	case Unknown:
		b.WriteString("\nIt cannot be told whether B differs from A.\n")
	default:
		fmt.Fprintf(&b, "\nB is %s than A.\n", c.Opinion)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes a comparison for machines.
func (c *Comparison) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(c)
}
