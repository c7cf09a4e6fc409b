package exchange

import "sync/atomic"

// Gate bounds how many exchanges wait at one time. The zero Gate with Limit 0
// lets nobody wait.
type Gate struct {
	Limit int64
	// Parent, where not nil, bounds the exchanges of several gates together:
	// a place here is also a place there.
	Parent  *Gate
	waiting atomic.Int64
}

// Enter takes a place; false means the gate is full and the request must be
// answered now. Every true is followed by one Leave.
func (g *Gate) Enter() bool {
	if g == nil {
		return true
	}
	if g.waiting.Add(1) > g.Limit || !g.Parent.Enter() {
		g.waiting.Add(-1)
		return false
	}
	return true
}

// Leave gives the place back.
func (g *Gate) Leave() {
	if g != nil {
		g.Parent.Leave()
		g.waiting.Add(-1)
	}
}

// Waiting is the number of places taken.
func (g *Gate) Waiting() int64 { return g.waiting.Load() }
