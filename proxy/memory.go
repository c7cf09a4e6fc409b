package proxy

import (
	"sync/atomic"
	"time"
)

// memory remembers where sessions were sent last, so that changed weights do
// not move them to and fro. It is best effort: a table of fixed size in which
// a newer session takes an older one's place. It belongs to a snapshot, whose
// pathways it numbers. No locks.
type memory struct {
	slots [memorySlots]atomic.Uint64
}

// memorySlots bounds what is remembered, at 8 bytes each.
const memorySlots = 1 << 17

// A slot holds 28 bits of the session, 4 of the pathway, 32 of the time in
// seconds; 0 is empty.
const (
	memoryTag   = 1<<28 - 1
	memoryLower = 36
)

func memoryWord(session uint64, pathway int, at time.Time) uint64 {
	return (session>>memoryLower&memoryTag)<<36 | uint64(pathway&15)<<32 | uint64(uint32(at.Unix()))
}

// remember notes that a session was sent to a pathway.
func (m *memory) remember(session uint64, pathway int, now time.Time) {
	m.slots[session%memorySlots].Store(memoryWord(session, pathway, now))
}

// recall finds where a session was sent last, and since when it is there.
func (m *memory) recall(session uint64, now time.Time) (pathway int, since time.Time, ok bool) {
	w := m.slots[session%memorySlots].Load()
	if w == 0 || w>>36 != session>>memoryLower&memoryTag {
		return 0, time.Time{}, false
	}
	since = time.Unix(int64(uint32(w)), 0)
	if since.After(now) {
		return 0, time.Time{}, false // the clock went back
	}
	return int(w >> 32 & 15), since, true
}
