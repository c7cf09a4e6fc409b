package steering

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func state(weights map[string]float64, ids ...string) *State {
	var list []Pathway
	for _, id := range ids {
		list = append(list, Pathway{ID: id, Weight: weights[id]})
	}
	return &State{Pathways: NewPathways(list), Conditions: make([]Condition, len(list))}
}

const sessions = 200_000

var now = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

func firsts(s *State) []int {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]int, sessions)
	for i := range out {
		o := Choose(&Viewer{Session: rnd.Uint64()}, s, now)
		out[i] = o.First()
	}
	return out
}

func TestSplitFollowsWeights(t *testing.T) {
	s := state(map[string]float64{"alpha": 50, "beta": 30, "gamma": 20}, "alpha", "beta", "gamma")
	var n [3]int
	for _, f := range firsts(s) {
		n[f]++
	}
	for i, want := range []float64{.5, .3, .2} {
		if got := float64(n[i]) / sessions; math.Abs(got-want) > .01 {
			t.Errorf("%s got %.3f of the sessions, want %.2f", s.Pathways[i].ID, got, want)
		}
	}
}

func TestDrainMovesNoInnocentSession(t *testing.T) {
	w := map[string]float64{"alpha": 50, "beta": 30, "gamma": 20}
	s, drained := state(w, "alpha", "beta", "gamma"), state(w, "alpha", "beta", "gamma")
	drained.Conditions[0].Drained = true
	before, after := firsts(s), firsts(drained)
	for i := range before {
		if before[i] != 0 && before[i] != after[i] {
			t.Fatalf("session %d was on %d and moved to %d", i, before[i], after[i])
		}
		if after[i] == 0 {
			t.Fatalf("session %d is on the drained pathway", i)
		}
	}
}

func TestWeightChangeMovesFewSessions(t *testing.T) {
	before := firsts(state(map[string]float64{"alpha": 50, "beta": 30, "gamma": 20}, "alpha", "beta", "gamma"))
	after := firsts(state(map[string]float64{"alpha": 45, "beta": 30, "gamma": 25}, "alpha", "beta", "gamma"))
	moved := 0
	for i := range before {
		if before[i] != after[i] {
			moved++
		}
	}
	if share := float64(moved) / sessions; share > .067 {
		t.Errorf("%.4f of the sessions moved, at most 0.067 may", share)
	}
}

func TestOrderByCondition(t *testing.T) {
	s := state(map[string]float64{"a": 1, "b": 1, "c": 1, "d": 1, "e": 0}, "a", "b", "c", "d", "e")
	s.Conditions[0].Health = Down
	s.Conditions[1].Drained = true
	s.Conditions[2].Health = Degraded
	for session := range uint64(1000) {
		o := Choose(&Viewer{Session: session}, s, now)
		if got := o.Index[:o.N]; string(got) != string([]uint8{3, 4, 2, 1, 0}) {
			t.Fatalf("session %d: order %v", session, got)
		}
		if want := []Reason{BySplit, ByNoWeight, ByDegraded, ByDrain, ByDown}; !slices.Equal(o.Reason[:o.N], want) {
			t.Fatalf("session %d: reasons %v", session, o.Reason[:o.N])
		}
	}
}

func TestAnswer(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	o := Choose(&Viewer{Session: 7}, s, now)
	a := Answer{TTL: 400 * time.Millisecond, Reload: []byte("https://edge.example/.manifold/steer/news/~abc")}
	var got struct {
		Version  int      `json:"VERSION"`
		TTL      int      `json:"TTL"`
		Reload   string   `json:"RELOAD-URI"`
		Priority []string `json:"PATHWAY-PRIORITY"`
	}
	if err := json.Unmarshal(a.Append(nil, s, &o), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.TTL != 1 || got.Reload != string(a.Reload) || len(got.Priority) != 2 {
		t.Errorf("answer %+v", got)
	}
}

func TestJitterIsBoundedAndStable(t *testing.T) {
	for session := range uint64(10_000) {
		d := Jitter(20*time.Second, session)
		if d < 17*time.Second || d > 23*time.Second || d != Jitter(20*time.Second, session) {
			t.Fatalf("session %d: %v", session, d)
		}
	}
}

func TestChooseDoesNotAllocate(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	buf := make([]byte, 0, 512)
	a := Answer{TTL: time.Second, Reload: []byte("https://x/")}
	if n := testing.AllocsPerRun(1000, func() {
		o := Choose(&Viewer{Session: 9}, s, now)
		buf = a.Append(buf[:0], s, &o)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func match(t *testing.T, countries []string, asns []uint32, prefixes ...string) Match {
	t.Helper()
	m, err := NewMatch(countries, asns, prefixes)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestConstraints(t *testing.T) {
	s := state(map[string]float64{"world": 1, "china": 100, "own": 1, "telco": 1}, "world", "china", "own", "telco")
	s.Pathways[0].Never = []Match{match(t, []string{"cn"}, nil)}
	s.Pathways[1].Only = []Match{match(t, []string{"CN"}, nil)}
	s.Pathways[2].Only = []Match{match(t, nil, nil, "10.0.0.0/8", "2001:db8::/32")}
	s.Pathways[2].Prefer = []Match{match(t, nil, nil, "10.0.0.0/8", "2001:db8::/32")}
	s.Pathways[3].Only = []Match{match(t, []string{"DE"}, []uint32{3320, 680})}
	de, _ := CountryOf("de")
	cn, _ := CountryOf("CN")
	outside, inside := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.9.8.7")
	for _, c := range []struct {
		what string
		v    Viewer
		want []string // in any order but for the first, where "!" marks it
	}{
		{"nothing known", Viewer{Address: outside}, []string{"world"}},
		{"Germany", Viewer{Country: de, Address: outside}, []string{"world"}},
		{"Germany, the telco", Viewer{Country: de, ASN: 3320, Address: outside}, []string{"world", "telco"}},
		{"the telco's number elsewhere", Viewer{Country: cn, ASN: 3320, Address: outside}, []string{"china"}},
		{"China", Viewer{Country: cn, Address: outside}, []string{"china"}},
		{"in the house", Viewer{Country: de, Address: inside}, []string{"!own", "world"}},
		{"in the house, IPv6", Viewer{Address: netip.MustParseAddr("2001:db8::1")}, []string{"!own", "world"}},
	} {
		for session := range uint64(50) {
			c.v.Session = session
			o := Choose(&c.v, s, now)
			if o.N != len(c.want) {
				t.Fatalf("%s: %d pathways, want %v", c.what, o.N, c.want)
			}
			for _, w := range c.want {
				first := w[0] == '!'
				if first && s.Pathways[o.First()].ID != w[1:] {
					t.Fatalf("%s: %s is first", c.what, s.Pathways[o.First()].ID)
				}
				if !first && !o.Has(slices.IndexFunc(s.Pathways, func(p Pathway) bool { return p.ID == w })) {
					t.Fatalf("%s: %s is not offered", c.what, w)
				}
			}
		}
	}
}

func TestBadMatches(t *testing.T) {
	for _, c := range []struct{ countries, prefixes []string }{
		{[]string{"GER"}, nil}, {[]string{"D1"}, nil}, {nil, []string{"10.0.0.1"}}, {nil, []string{"x"}},
	} {
		if _, err := NewMatch(c.countries, nil, c.prefixes); err == nil {
			t.Errorf("%v was accepted", c)
		}
	}
}

func TestOverrideWinsOverHealthAndEnds(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	s.Conditions[1].Health = Down
	s.Overrides = []Override{{Pathway: 1, Match: match(t, []string{"FR"}, nil), Until: now.Add(time.Hour)}}
	fr, _ := CountryOf("FR")
	for session := range uint64(100) {
		v := Viewer{Session: session, Country: fr}
		if o := Choose(&v, s, now); o.First() != 1 || o.Reason[0] != ByOverride {
			t.Fatalf("in force: %v %v", o.Index[:o.N], o.Reason[:o.N])
		}
		if o := Choose(&v, s, now.Add(time.Hour)); o.First() != 0 || o.Reason[1] != ByDown {
			t.Fatalf("ended: %v", o.Index[:o.N])
		}
		v.Country = Country{}
		if o := Choose(&v, s, now); o.First() != 0 {
			t.Fatalf("somebody else: %v", o.Index[:o.N])
		}
	}
	// A constraint is stronger than an override.
	s.Pathways[1].Never = []Match{match(t, []string{"FR"}, nil)}
	if o := Choose(&Viewer{Country: fr}, s, now); o.N != 1 {
		t.Errorf("a forbidden pathway is offered: %v", o.Index[:o.N])
	}
}

// TestSheddingIsNested shows that more load adds sessions to those that are
// shed and never exchanges them, and that about the right share goes.
func TestSheddingIsNested(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	s.Pathways[0].Capacity = 100
	base := firsts(s)
	var before []int
	for _, load := range []float64{100, 105, 111, 200} {
		s.Conditions[0].Load = load
		got := firsts(s)
		on, shed := 0, 0
		for i := range got {
			if base[i] == 1 && got[i] != 1 {
				t.Fatalf("load %v moved a session onto the full pathway", load)
			}
			if base[i] == 0 {
				on++
				if got[i] == 1 {
					shed++
				}
			}
			if before != nil && before[i] == 1 && got[i] != 1 {
				t.Fatalf("load %v brought back a session that less load had shed", load)
			}
		}
		if share, want := float64(shed)/float64(on), 1-100/load; math.Abs(share-want) > .01 {
			t.Errorf("load %v shed %.3f of the sessions, want %.3f", load, share, want)
		}
		before = got
	}
}

func TestCommitGivesMore(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	s.Pathways[0].Commit = 100
	share := func() float64 {
		n := 0
		for _, f := range firsts(s) {
			if f == 0 {
				n++
			}
		}
		return float64(n) / sessions
	}
	if got := share(); math.Abs(got-2./3) > .01 {
		t.Errorf("nothing carried yet: %.3f, want 2/3", got)
	}
	s.Conditions[0].Load = 100
	if got := share(); math.Abs(got-.5) > .01 {
		t.Errorf("commitment reached: %.3f, want 1/2", got)
	}
}

func TestDrainEndsByItself(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 0}, "alpha", "beta")
	s.Conditions[0] = Condition{Drained: true, Until: now.Add(time.Hour)}
	if o := Choose(&Viewer{}, s, now); o.First() != 1 || s.Conditions[0].Usable(now) {
		t.Errorf("while drained: %v", o.Index[:o.N])
	}
	if o := Choose(&Viewer{}, s, now.Add(time.Hour)); o.First() != 0 || !s.Conditions[0].Usable(now.Add(time.Hour)) {
		t.Errorf("afterwards: %v", o.Index[:o.N])
	}
}

func TestDwell(t *testing.T) {
	s := state(map[string]float64{"alpha": 1000, "beta": 0.001}, "alpha", "beta")
	v := Viewer{Session: 5, Dwell: time.Minute, HasPrev: true, Prev: 1, Since: now.Add(-30 * time.Second)}
	if o := Choose(&v, s, now); o.First() != 1 || o.Reason[0] != ByStay {
		t.Errorf("within the dwell time: %v", o.Reason[:o.N])
	}
	if o := Choose(&v, s, now.Add(time.Minute)); o.First() != 0 {
		t.Errorf("after it: %v", o.Index[:o.N])
	}
	s.Conditions[1].Drained = true
	if o := Choose(&v, s, now); o.First() != 0 {
		t.Errorf("a drain must not wait: %v", o.Index[:o.N])
	}
}
