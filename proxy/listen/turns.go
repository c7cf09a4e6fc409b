package listen

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// turns lets the whole answers of one HTTP/2 or HTTP/3 connection (manifests,
// steering) go before its streamed ones (segments), which hold back their next
// chunk meanwhile. Between answers of one kind, both servers go by the client's
// priorities (RFC 9218), and so do turns: a stream holds back for nothing that
// the client finds less urgent.
type turns struct {
	streams atomic.Int32 // streamed answers under way

	mu    sync.Mutex
	whole [8]int // whole answers being written that streams hold back for, by urgency
	// round counts how often streams were tired of holding back; what began in
	// an earlier round they do not hold back for any more.
	round uint64
	ended chan struct{} // closed when streams may go on; nil where none holds back
}

// patience is how long a stream holds back at most. A whole answer takes less,
// unless its client does not take it.
const patience = time.Second

// begin says that a whole answer is being written; end that it was, or failed.
func (t *turns) begin(urgency uint8) (round uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whole[urgency&7]++
	return t.round
}

func (t *turns) end(urgency uint8, round uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if round != t.round {
		return
	}
	if t.whole[urgency&7]--; t.whole[urgency&7] == 0 {
		t.wake()
	}
}

// hold holds a stream back while something is to go before it, until ctx ends,
// and no longer than most. It reports whether it did.
func (t *turns) hold(ctx context.Context, urgency uint8, most time.Duration) (held bool) {
	ended, round := t.before(urgency)
	if ended == nil {
		return false
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	for ended != nil {
		select {
		case <-ended:
			ended, round = t.before(urgency)
		case <-ctx.Done():
			return true
		case <-timer.C:
			t.giveUp(round)
			return true
		}
	}
	return true
}

// before gives what is closed when the stream may look again; nil says that
// nothing goes before it.
func (t *turns) before(urgency uint8) (ended <-chan struct{}, round uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.whole[:urgency&7+1] {
		if n > 0 {
			if t.ended == nil {
				t.ended = make(chan struct{})
			}
			return t.ended, t.round
		}
	}
	return nil, 0
}

// giveUp lets all streams go on, whatever is being written in this round.
func (t *turns) giveUp(round uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if round == t.round {
		t.round++
		t.whole = [8]int{}
		t.wake()
	}
}

// wake is called with mu held.
func (t *turns) wake() {
	if t.ended != nil {
		close(t.ended)
		t.ended = nil
	}
}
