package steering

import (
	"math"
	"net/netip"
	"time"

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
	// Only, where not empty, lists whom it may serve; Never whom it may not.
	// Prefer lists who uses it before all others: an enterprise's own CDN.
	Only, Never, Prefer []Match
	// Capacity is the load above which sessions are shed from it, Commit the
	// load below which it gets more; both in the unit of Condition.Load, 0 is
	// none.
	Capacity, Commit float64

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
	// Drained is the operator's word that sessions are to leave, Until when
	// it ends by itself (the zero time: it does not).
	Drained bool
	Until   time.Time
	// Load is the traffic it carries now, in any one unit; 0 is not known.
	Load float64
}

func (c *Condition) drained(now time.Time) bool {
	return c.Drained && (c.Until.IsZero() || now.Before(c.Until))
}

// Usable tells whether the pathway works and is not drained.
func (c *Condition) Usable(now time.Time) bool { return c.Health != Down && !c.drained(now) }

// Override is an operator's word that some viewers use a pathway first,
// whatever its health.
type Override struct {
	// Pathway is the index of the pathway.
	Pathway int
	// Match selects the viewers.
	Match Match
	// Until is when it ends.
	Until time.Time
}

// State is a channel's pathways and their conditions at one moment, both in
// the order of configuration. It is immutable.
type State struct {
	Pathways   []Pathway
	Conditions []Condition
	// Overrides are in force in their order: the first that selects the
	// viewer counts.
	Overrides []Override
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
	// Country and ASN are where the viewer is and in whose network; zero is
	// unknown.
	Country Country
	ASN     uint32
	// Address is the viewer's address.
	Address netip.Addr
	// Prev is the pathway chosen before, where that is still remembered, and
	// Since when it was first chosen.
	Prev    int
	Since   time.Time
	HasPrev bool
	// Dwell is how long a session stays with a choice that is still as good:
	// weights and load do not move it again before.
	Dwell time.Duration
}

// Reason says why a pathway stands where it does. The list is closed.
type Reason uint8

// The reasons, in the order of precedence: a pathway with a smaller one stands
// before a pathway with a greater one.
const (
	ByOverride  Reason = iota // an operator put it first
	ByPrefer                  // a rule prefers it for this viewer
	ByStay                    // chosen lately, and still as good
	BySplit                   // the weighted split of sessions
	ByCommit                  // the split, helped by its commitment
	ByCapacity                // at its capacity: this session is shed
	ByNoWeight                // weight 0: only when nothing else is left
	ByDegraded                // works, but badly
	ByDrain                   // drained by the operator
	ByDown                    // not working
	ByForbidden               // a rule forbids it: not in the order
)

// String is the reason as shown to people.
func (r Reason) String() string {
	names := [...]string{"override", "preferred", "stay", "split", "commit", "capacity", "no weight", "degraded", "drained", "down", "forbidden"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// class is where reasons stand relative to each other: those of one class are
// ordered by score.
func (r Reason) class() Reason {
	if r == ByCommit {
		return BySplit
	}
	return r
}

// Order is the pathways in the order a viewer is to use them: indices into
// State.Pathways, each with its reason and its score in the split. It lists
// every pathway that is not forbidden, also those that are down: a player that
// has lost all others may still try them.
type Order struct {
	N      int
	Index  [MaxPathways]uint8
	Reason [MaxPathways]Reason
	Score  [MaxPathways]float64
}

// First is the chosen pathway's index.
func (o *Order) First() int { return int(o.Index[0]) }

// Has tells whether a pathway is in the order.
func (o *Order) Has(i int) bool {
	for k := range o.N {
		if int(o.Index[k]) == i {
			return true
		}
	}
	return false
}

// Keep leaves only the pathways for which ok, given the index, is true.
func (o *Order) Keep(ok func(i int) bool) {
	n := 0
	for k := range o.N {
		if ok(int(o.Index[k])) {
			o.Index[n], o.Reason[n], o.Score[n] = o.Index[k], o.Reason[k], o.Score[k]
			n++
		}
	}
	o.N = n
}

// Choose orders the pathways for a viewer at a moment. The precedence is
// fixed: constraints, then the operator's override, then health, then cost
// (capacity, commitment, weights). Among equals the sessions are split by
// weighted rendezvous hashing (score = -w / ln u, u from session and pathway):
// draining one pathway, or changing a weight, moves only the sessions that
// must move. It is pure and does not allocate.
func Choose(v *Viewer, s *State, now time.Time) (o Order) {
	o.Set(v, s, now)
	return o
}

// Set makes o the order that [Choose] gives.
func (o *Order) Set(v *Viewer, s *State, now time.Time) {
	*o = Order{}
	override := s.override(v, now)
	for i := range min(len(s.Pathways), MaxPathways) {
		reason, score := s.judge(v, i, override, now)
		if reason == ByForbidden {
			continue
		}
		// Insertion sort: at most 16 entries, no allocation.
		at := o.N
		for at > 0 && before(reason, score, o.Reason[at-1], o.Score[at-1]) {
			o.Index[at], o.Reason[at], o.Score[at] = o.Index[at-1], o.Reason[at-1], o.Score[at-1]
			at--
		}
		o.Index[at], o.Reason[at], o.Score[at] = uint8(i), reason, score
		o.N++
	}
}

// override finds the pathway that an operator puts first for the viewer, or
// -1.
func (s *State) override(v *Viewer, now time.Time) int {
	for i := range s.Overrides {
		if o := &s.Overrides[i]; now.Before(o.Until) && o.Match.Holds(v) {
			return o.Pathway
		}
	}
	return -1
}

// judge finds where pathway i stands for the viewer.
func (s *State) judge(v *Viewer, i, override int, now time.Time) (Reason, float64) {
	p, c := &s.Pathways[i], &s.Conditions[i]
	if len(p.Only) > 0 && !holdsAny(p.Only, v) || holdsAny(p.Never, v) {
		return ByForbidden, 0
	}
	weight, reason := p.Weight, BySplit
	if p.Commit > 0 && c.Load < p.Commit && weight > 0 {
		weight *= 1 + (p.Commit-c.Load)/p.Commit
		reason = ByCommit
	}
	if p.Weight <= 0 {
		weight, reason = 1, ByNoWeight
	}
	score := -weight / math.Log(unit(v.Session^p.hash))
	switch {
	case i == override:
		return ByOverride, score
	case c.Health == Down:
		return ByDown, score
	case c.drained(now):
		return ByDrain, score
	case c.Health == Degraded:
		return ByDegraded, score
	case holdsAny(p.Prefer, v):
		return ByPrefer, score
	case v.HasPrev && v.Prev == i && now.Sub(v.Since) < v.Dwell:
		return ByStay, score
	case p.Capacity > 0 && c.Load > p.Capacity && unit(v.Session^p.hash^shedSalt) < 1-p.Capacity/c.Load:
		return ByCapacity, score
	}
	return reason, score
}

// shedSalt makes who is shed independent of who was sent. The sessions shed at
// 5 % are among those shed at 10 %: the threshold is nested.
const shedSalt = 0x5bd1e9955bd1e995

func before(r Reason, score float64, r2 Reason, score2 float64) bool {
	if a, b := r.class(), r2.class(); a != b {
		return a < b
	}
	return score > score2
}

// unit maps a hash into (0, 1).
func unit(x uint64) float64 { return (float64(mix(x)>>11) + 0.5) / (1 << 53) }

// mix is the finaliser of splitmix64: every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
