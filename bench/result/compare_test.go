package result

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Values of tables of Student's distribution, two-sided.
func TestStudent(t *testing.T) {
	for _, c := range []struct{ p, freedom, want float64 }{{.05, 8, 2.306}, {.01, 8, 3.355}, {.001, 8, 5.041}, {.05, 1, 12.706}, {.002, 30, 3.385}, {.05, 3.5, 2.9}} {
		if got := student(c.p, c.freedom); math.Abs(got-c.want) > c.want*0.02 {
			t.Errorf("t(%v, %v) = %.3f, want %.3f", c.p, c.freedom, got, c.want)
		}
	}
}

// made makes a run whose manifests take around a time, with noise between the
// rounds and within them.
func made(rng *rand.Rand, rounds int, base time.Duration, noise float64) *Run {
	r := &Run{Name: "made"}
	for range rounds {
		c := &Class{Name: "playlist", Said: map[string]int64{}}
		off := 1 + noise*rng.NormFloat64()
		for range 1000 {
			c.Latency.Add(time.Duration(float64(base) * off * math.Exp(0.3*rng.NormFloat64())))
		}
		c.Count = 1000
		r.Rounds = append(r.Rounds, &Round{Requests: []*Class{c}, Seconds: 10, Viewers: Viewers{Arrived: 10}})
	}
	return r
}

// A tenth slower is seen through noise of 1.2 % between rounds in nine of ten
// comparisons; equal runs are not called slower or faster.
func TestCompare(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 12
	slower, wrong := 0, 0
	for range n {
		a := made(rng, 5, 5*time.Millisecond, .012)
		if Compare(a, made(rng, 5, 5500*time.Microsecond, .012)).Failed() {
			slower++
		}
		if c := Compare(a, made(rng, 5, 5*time.Millisecond, .012)); c.Opinion != Same {
			wrong++
		}
	}
	if slower < n*9/10 {
		t.Errorf("a target slowed by 10 %% is called slower in %d of %d comparisons", slower, n)
	}
	if wrong > 0 {
		t.Errorf("equal runs are told apart in %d of %d comparisons", wrong, n)
	}
	if c := Compare(made(rng, 2, time.Millisecond, .02), made(rng, 5, time.Second, .02)); c.Opinion != Unknown || len(c.Notes) == 0 {
		t.Errorf("two rounds are enough to say %q, with notes %v", c.Opinion, c.Notes)
	}
	if c := Compare(made(rng, 5, 6*time.Millisecond, .02), made(rng, 5, 5*time.Millisecond, .012)); c.Opinion != Faster || c.Failed() {
		t.Errorf("a target that is faster is called %q", c.Opinion)
	}
}
