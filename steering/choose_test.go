package steering

import (
	"encoding/json"
	"math"
	"math/rand/v2"
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

func firsts(s *State) []int {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]int, sessions)
	for i := range out {
		o := Choose(Viewer{Session: rnd.Uint64()}, s)
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
		o := Choose(Viewer{Session: session}, s)
		if got := o.Index[:o.N]; string(got) != string([]uint8{3, 4, 2, 1, 0}) {
			t.Fatalf("session %d: order %v", session, got)
		}
		want := [MaxPathways]Reason{BySplit, ByNoWeight, ByDegraded, ByDrain, ByDown}
		if o.Reason != want {
			t.Fatalf("session %d: reasons %v", session, o.Reason[:o.N])
		}
	}
}

func TestAnswer(t *testing.T) {
	s := state(map[string]float64{"alpha": 1, "beta": 1}, "alpha", "beta")
	o := Choose(Viewer{Session: 7}, s)
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
		o := Choose(Viewer{Session: 9}, s)
		buf = a.Append(buf[:0], s, &o)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
