package proxy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestMemory(t *testing.T) {
	var m memory
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	rnd := rand.New(rand.NewPCG(3, 4))
	if _, _, ok := m.recall(rnd.Uint64(), now); ok {
		t.Error("an empty memory remembers")
	}
	sessions := make([]uint64, 1000)
	for i := range sessions {
		sessions[i] = rnd.Uint64()
		m.remember(sessions[i], i%16, now)
	}
	kept := 0
	for i, s := range sessions {
		p, since, ok := m.recall(s, now.Add(time.Minute))
		if !ok {
			continue // another session took the place
		}
		kept++
		if p != i%16 || !since.Equal(now) {
			t.Fatalf("session %x was sent to %d, remembered are %d and %v", s, i%16, p, since)
		}
	}
	if kept < 980 {
		t.Errorf("%d of 1000 sessions are remembered", kept)
	}
	if _, _, ok := m.recall(sessions[999], now.Add(-time.Hour)); ok {
		t.Error("a memory from the future counts")
	}
}
