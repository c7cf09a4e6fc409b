package scenario

import (
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// grid is into how many pieces a phase is cut to add up its rate.
const grid = 2000

// rate is the arrivals a second at a share x of the phase.
func (p *Phase) rate(x float64) float64 {
	peak := float64(p.Rate)
	from := float64(p.From)
	switch p.Pattern {
	case "ramp":
		return from + (peak-from)*x
	case "flash":
		// It takes a tenth of the time to its peak, and then dies down.
		const rise, fall = 0.1, 0.2
		if x < rise {
			return from + (peak-from)*x/rise
		}
		return from + (peak-from)*math.Exp(-(x-rise)/fall)
	}
	return peak
}

// expected is how many arrive, on average.
func (p *Phase) expected() float64 {
	if p.Viewers > 0 {
		return float64(p.Viewers)
	}
	sum := p.sums()
	return sum[grid]
}

// sums is how many have arrived at each point of the grid, by the rates.
func (p *Phase) sums() []float64 {
	q := *p
	if q.Viewers > 0 {
		q.Rate = 1
		if q.From > 0 && q.Pattern == "ramp" { // the end follows from the number
			q.Rate = Rate(max(2*float64(q.Viewers)/q.For.Seconds()-float64(q.From), 0))
		}
	}
	step := q.For.Seconds() / grid
	out := make([]float64, grid+1)
	for i := range grid {
		out[i+1] = out[i] + step*q.rate((float64(i)+.5)/grid)
	}
	if q.Viewers > 0 && out[grid] > 0 {
		scale := float64(q.Viewers) / out[grid]
		for i := range out {
			out[i] *= scale
		}
	}
	return out
}

// Times are when the viewers of all phases arrive, from the beginning of a
// round, ascending. Constant and ramp are even; Poisson and flash crowds are
// random, and so the number of their viewers is.
func (s *Scenario) Times(rng *rand.Rand) []time.Duration {
	var (
		out  []time.Duration
		base time.Duration
	)
	for i := range s.Arrivals {
		p := &s.Arrivals[i]
		sums := p.sums()
		random := p.Pattern == "poisson" || p.Pattern == "flash"
		mass := 0.0
		for {
			if random {
				mass += rng.ExpFloat64()
			} else {
				mass++
			}
			at := mass
			if !random {
				at -= .5 // the middle of its share of the time
			}
			if at > sums[grid] || len(out) >= mostViewers {
				break
			}
			k := min(sort.SearchFloat64s(sums, at), grid)
			x := float64(k)
			if k > 0 && sums[k] > sums[k-1] {
				x = float64(k-1) + (at-sums[k-1])/(sums[k]-sums[k-1])
			}
			out = append(out, base+time.Duration(x/grid*float64(p.For)))
		}
		base += p.For
	}
	return out
}

// Group chooses the group of a viewer.
func (s *Scenario) Group(rng *rand.Rand) int {
	total := 0
	for _, g := range s.Audience {
		total += g.Share
	}
	n := rng.IntN(max(total, 1))
	for i, g := range s.Audience {
		if n -= g.Share; n < 0 {
			return i
		}
	}
	return len(s.Audience) - 1
}
