package viewer

import (
	"math"
	"time"
)

// mean is a moving average whose samples lose half their weight after half
// seconds of further samples' weight.
type mean struct{ half, value, weight float64 }

func (m *mean) add(weight, value float64) {
	keep := math.Exp2(-weight / m.half)
	m.value = value*(1-keep) + keep*m.value
	m.weight += weight
}

func (m *mean) get() float64 {
	if seen := 1 - math.Exp2(-m.weight/m.half); seen > 0 {
		return m.value / seen
	}
	return 0
}

// estimate is what a player believes of its network: the lower of a fast and a
// slow average of throughput, and the time to the first byte.
type estimate struct {
	fast, slow, first mean
	otherwise         float64 // bits/s before anything was measured
}

func newEstimate(otherwise float64) estimate {
	return estimate{fast: mean{half: 3}, slow: mean{half: 9}, first: mean{half: 9}, otherwise: otherwise}
}

func (e *estimate) sample(bytes int64, took time.Duration) {
	if bytes <= 0 {
		return
	}
	// What came out of a cache at once would say that the network has no end.
	s := max(took.Seconds(), min(0.05, float64(bytes)/1e8))
	bits := 8 * float64(bytes) / s
	e.fast.add(s, bits)
	e.slow.add(s, bits)
}

func (e *estimate) sampleFirst(d time.Duration) {
	s := d.Seconds()
	e.first.add(math.Sqrt2*math.Exp(-s*s/2), max(s, 0.005))
}

// known tells whether there was a sample.
func (e *estimate) known() bool { return e.fast.weight >= 0.001 }

// throughput is in bits/s.
func (e *estimate) throughput() float64 {
	if !e.known() {
		return e.otherwise
	}
	return min(e.fast.get(), e.slow.get())
}

func (e *estimate) firstByte() time.Duration {
	if e.first.weight < 0.001 {
		return 100 * time.Millisecond
	}
	return time.Duration(e.first.get() * float64(time.Second))
}
