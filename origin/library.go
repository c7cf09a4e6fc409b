package origin

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

// library is L1: what is worth keeping of VOD and DVR, by byte cost.
//
// It is ristretto (TinyLFU admission, sampled LFU eviction), which is right
// for a long tail and wrong for anything that must be there: its Set is
// asynchronous, drops in bursts, and refuses newcomers while the cache is
// warm, which is just what a live segment is. So nothing is put here that
// has not passed through L0 first, nothing relies on being found here, and
// what it refused or threw out is counted. Against the plain LRU that L0's
// recent part is, it keeps a hot catalogue through a scan; against an exact
// LFU it needs no lock on a hit.
//
// ristretto's clock is the machine's and only reclaims memory: whether an
// entry may be used is judged by the entry.
type library struct {
	cache *ristretto.Cache[string, *entry]
	seeds [2]maphash.Seed

	closing sync.RWMutex // Set on a closed cache panics
	closed  bool

	sets, dropped, rejected, evicted atomic.Int64
}

// averageItem sizes ristretto's frequency counters: ten for each item it may
// come to hold.
const averageItem = 64 << 10

func newLibrary(bytes int64) (*library, error) {
	l := &library{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	c, err := ristretto.NewCache(&ristretto.Config[string, *entry]{
		NumCounters: max(10*bytes/averageItem, 10_000),
		MaxCost:     bytes,
		BufferItems: 64,
		// Costs are bytes with our own overhead in them.
		IgnoreInternalCost: true,
		KeyToHash: func(key string) (uint64, uint64) {
			return maphash.String(l.seeds[0], key), maphash.String(l.seeds[1], key)
		},
		OnReject: func(*ristretto.Item[*entry]) { l.rejected.Add(1) },
		OnEvict:  func(*ristretto.Item[*entry]) { l.evicted.Add(1) },
	})
	if err != nil {
		return nil, fmt.Errorf("cannot make the library cache: %w", err)
	}
	l.cache = c
	return l, nil
}

// get finds an entry that was not replaced since. The key is not kept.
func (l *library) get(key string) *entry {
	if l == nil {
		return nil
	}
	e, ok := l.cache.Get(key)
	if !ok || e == nil || e.key != key || e.dead.Load() {
		return nil
	}
	return e
}

// errRefused says that the library did not take an entry.
var errRefused = errors.New("refused")

// put offers an entry for at most ttl.
func (l *library) put(e *entry, ttl time.Duration) error {
	if l == nil || ttl <= 0 {
		return errRefused
	}
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return errRefused
	}
	l.sets.Add(1)
	if !l.cache.SetWithTTL(e.key, e, e.cost(), ttl) {
		l.dropped.Add(1)
		return errRefused
	}
	return nil
}

// settle waits until everything put so far is decided.
func (l *library) settle() {
	if l != nil {
		l.cache.Wait()
	}
}

func (l *library) close() {
	if l == nil {
		return
	}
	l.closing.Lock()
	defer l.closing.Unlock()
	if !l.closed {
		l.closed = true
		l.cache.Close()
	}
}
