package steering

import (
	"math"

	"github.com/cespare/xxhash/v2"
)

// MaxPathways bounds the pathways of one channel.
const MaxPathways = 16

// Pathway is one CDN as the policy knows it.
type Pathway struct {
	// ID is the PATHWAY-ID and serviceLocation.
	ID string
	// Weight is the share of sessions it gets, relative to the others;
	// 0 means none unless nothing else is left.
	Weight float64

	hash uint64
}

// Health is what is known of a pathway's state.
type Health uint8

// The states of health, best first.
const (
	Healthy Health = iota
	Degraded
	Down
)

// String names the state as logs, metrics and explanations do.
func (h Health) String() string {
	switch h {
	case Healthy:
		return "healthy"
	case Degraded:
		return "degraded"
	case Down:
		return "down"
	}
	return "unknown"
}

// Condition is what changes about a pathway while the program runs.
type Condition struct {
	Health Health
	// Drained is the operator's word that sessions are to leave.
	Drained bool
}

// State is a channel's pathways and their conditions at one moment, both in
// the order of configuration. It is immutable.
type State struct {
	Pathways   []Pathway
	Conditions []Condition
}

// NewPathways prepares pathways for [Choose].
func NewPathways(list []Pathway) []Pathway {
	out := make([]Pathway, len(list))
	for i, p := range list {
		p.hash = xxhash.Sum64String(p.ID)
		out[i] = p
	}
	return out
}

// Viewer is what the choice depends on.
type Viewer struct {
	// Session is the session id of the session address: the same viewer keeps
	// the same value for the whole session, on every edge.
	Session uint64
}

// Reason says why a pathway stands where it does. The list is closed.
type Reason uint8

// The reasons.
const (
	BySplit    Reason = iota // the weighted split of sessions
	ByNoWeight               // weight 0: only when nothing else is left
	ByDegraded               // works, but badly
	ByDrain                  // drained by the operator
	ByDown                   // not working
)

// String is the reason as shown to people.
func (r Reason) String() string {
	switch r {
	case BySplit:
		return "split"
	case ByNoWeight:
		return "no weight"
	case ByDegraded:
		return "degraded"
	case ByDrain:
		return "drained"
	case ByDown:
		return "down"
	}
	return "unknown"
}

// Order is the pathways in the order a viewer is to use them: indices into
// State.Pathways, each with its reason. It lists every pathway that is not
// forbidden, also those that are down: a player that has lost all others may
// still try them.
type Order struct {
	N      int
	Index  [MaxPathways]uint8
	Reason [MaxPathways]Reason
}

// First is the chosen pathway's index.
func (o *Order) First() int { return int(o.Index[0]) }

// Keep leaves only the pathways for which ok, given the index, is true.
func (o *Order) Keep(ok func(i int) bool) {
	n := 0
	for k := range o.N {
		if ok(int(o.Index[k])) {
			o.Index[n], o.Reason[n] = o.Index[k], o.Reason[k]
			n++
		}
	}
	o.N = n
}

// Choose orders the pathways for a viewer. Healthy ones come first, split by
// weighted rendezvous hashing (score = -w / ln u, u from session and pathway):
// draining one pathway, or changing a weight, moves only the sessions that
// must move.
func Choose(v Viewer, s *State) Order {
	var o Order
	var score [MaxPathways]float64
	for i := range s.Pathways {
		if i == MaxPathways {
			break
		}
		reason, sc := judge(v, &s.Pathways[i], s.Conditions[i])
		// Insertion sort: at most 16 entries, no allocation.
		at := o.N
		for at > 0 && before(reason, sc, o.Reason[at-1], score[at-1]) {
			o.Index[at], o.Reason[at], score[at] = o.Index[at-1], o.Reason[at-1], score[at-1]
			at--
		}
		o.Index[at], o.Reason[at], score[at] = uint8(i), reason, sc
		o.N++
	}
	return o
}

func judge(v Viewer, p *Pathway, c Condition) (Reason, float64) {
	u := (float64(mix(v.Session^p.hash)>>11) + 0.5) / (1 << 53)
	reason := BySplit
	switch {
	case c.Health == Down:
		reason = ByDown
	case c.Drained:
		reason = ByDrain
	case c.Health == Degraded:
		reason = ByDegraded
	case p.Weight <= 0:
		reason = ByNoWeight
	}
	weight := p.Weight
	if weight <= 0 {
		weight = 1
	}
	return reason, -weight / math.Log(u)
}

func before(r Reason, score float64, r2 Reason, score2 float64) bool {
	if r != r2 {
		return r < r2
	}
	return score > score2
}

// mix is the finaliser of splitmix64: every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
