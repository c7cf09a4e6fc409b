package origin

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// store is L0, over L1. Every key is in at most one slot of one shard; a slot
// is in the live zone (kept until its time, never evicted) or in the recent
// zone (a queue with a second chance, bounded by bytes, overflowing into L1).
type store struct {
	seed    maphash.Seed
	shards  [shardCount]shard
	live    zone
	recent  zone
	library *library

	liveRefused, expired, moved atomic.Int64
}

const shardCount = 64

// zone is a byte budget shared by all shards.
type zone struct {
	limit int64
	used  atomic.Int64
	count atomic.Int64
}

type shard struct {
	mu      sync.RWMutex
	slots   map[string]*slot
	flights map[string]*flight
	queue   queue   // recent
	due     dueHeap // live, by time
}

// slot is where an entry lies.
type slot struct {
	entry      *entry
	cost       int64
	until      time.Time
	live       bool
	heap       int // index in shard.due, where live
	prev, next *slot
}

func newStore(cfg Config) (*store, error) {
	s := &store{seed: maphash.MakeSeed()}
	s.live.limit, s.recent.limit = cfg.LiveBytes, cfg.RecentBytes
	for i := range s.shards {
		s.shards[i].slots = map[string]*slot{}
		s.shards[i].flights = map[string]*flight{}
		s.shards[i].queue.init()
	}
	if cfg.LibraryBytes > 0 {
		l, err := newLibrary(cfg.LibraryBytes)
		if err != nil {
			return nil, err
		}
		s.library = l
	}
	return s, nil
}

func (s *store) shardOf(key []byte) *shard {
	return &s.shards[maphash.Bytes(s.seed, key)%shardCount]
}

// get finds the entry of a key on either floor. It allocates nothing.
func (s *store) get(sh *shard, key []byte) *entry {
	sh.mu.RLock()
	sl := sh.slots[string(key)]
	sh.mu.RUnlock()
	if sl == nil {
		return s.library.get(unsafe.String(unsafe.SliceData(key), len(key)))
	}
	e := sl.entry
	if !sl.live && !e.touched.Load() {
		e.touched.Store(true)
	}
	return e
}

// put stores an entry in the place of its predecessor.
func (s *store) put(e *entry, p *Policy, now time.Time) {
	sh := s.shardOf([]byte(e.key))
	sl := &slot{entry: e, until: e.keepUntil(p)}
	sh.mu.Lock()
	if old := sh.slots[e.key]; old != nil {
		old.entry.dead.Store(true)
		s.drop(sh, old)
	} else if old := s.library.get(e.key); old != nil {
		old.dead.Store(true)
	}
	s.sweep(sh, now)
	if sl.until.After(now) {
		s.place(sh, sl, s.wantsLive(e))
	}
	sh.mu.Unlock()
	s.shrink(sh, p, now)
}

// wantsLive tells whether an entry is of the live part: it was observed live,
// and is neither an error nor a mark.
func (s *store) wantsLive(e *entry) bool { return e.problem == nil && !e.pass && e.live() }

// place puts a slot into its zone. The slot is in no zone yet; sh.mu is held.
func (s *store) place(sh *shard, sl *slot, live bool) {
	sl.cost = sl.entry.cost()
	if live {
		if s.live.used.Add(sl.cost) <= s.live.limit {
			s.live.count.Add(1)
			sl.live = true
			sh.due.push(sl)
			sh.slots[sl.entry.key] = sl
			return
		}
		s.live.used.Add(-sl.cost)
		s.liveRefused.Add(1)
	}
	s.recent.used.Add(sl.cost)
	s.recent.count.Add(1)
	sl.live = false
	sh.queue.push(sl)
	sh.slots[sl.entry.key] = sl
}

// drop takes a slot out of its zone and the map. sh.mu is held.
func (s *store) drop(sh *shard, sl *slot) {
	z := &s.recent
	if sl.live {
		z = &s.live
		sh.due.remove(sl)
	} else {
		sh.queue.remove(sl)
	}
	z.used.Add(-sl.cost)
	z.count.Add(-1)
	delete(sh.slots, sl.entry.key)
}

// sweep drops the live entries whose time has come. sh.mu is held.
func (s *store) sweep(sh *shard, now time.Time) {
	for len(sh.due) > 0 && !sh.due[0].until.After(now) {
		s.drop(sh, sh.due[0])
		s.expired.Add(1)
	}
}

// reweigh takes in that an entry's version was compiled: it may have become
// live, and it weighs more.
func (s *store) reweigh(e *entry, p *Policy, now time.Time) {
	sh := s.shardOf([]byte(e.key))
	sh.mu.Lock()
	sl := sh.slots[e.key]
	if sl == nil || sl.entry.version != e.version {
		sh.mu.Unlock()
		// It has moved to the library already, which learns the new cost by
		// being given it again.
		if s.library.get(e.key) == e {
			_ = s.library.put(e, e.keepUntil(p).Sub(now))
		}
		return
	}
	s.drop(sh, sl)
	s.sweep(sh, now)
	next := &slot{entry: sl.entry, until: sl.entry.keepUntil(p)}
	s.place(sh, next, s.wantsLive(next.entry))
	sh.mu.Unlock()
	s.shrink(sh, p, now)
}

// shrink moves the oldest of the recent zone to the library until the zone is
// within its bytes, beginning at the shard that grew. What was asked for since
// it was queued gets a second round.
func (s *store) shrink(from *shard, p *Policy, now time.Time) {
	start := 0
	for i := range s.shards {
		if &s.shards[i] == from {
			start = i
		}
	}
	for i := 0; s.recent.used.Load() > s.recent.limit && i < 3*shardCount; i++ {
		s.shrinkShard(&s.shards[(start+i)%shardCount], p, now)
	}
}

func (s *store) shrinkShard(sh *shard, p *Policy, now time.Time) {
	var leaving []*slot
	sh.mu.Lock()
	chances := sh.queue.len
	for s.recent.used.Load() > s.recent.limit && sh.queue.len > 0 {
		sl := sh.queue.first()
		if chances > 0 && sl.entry.touched.CompareAndSwap(true, false) {
			chances--
			sh.queue.remove(sl)
			sh.queue.push(sl)
			continue
		}
		s.drop(sh, sl)
		leaving = append(leaving, sl)
	}
	sh.mu.Unlock()
	for _, sl := range leaving {
		e := sl.entry
		if e.problem != nil || e.pass || e.dead.Load() || !sl.until.After(now) {
			s.expired.Add(1)
			continue
		}
		s.moved.Add(1)
		_ = s.library.put(e, sl.until.Sub(now))
	}
}
