package access

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// cache remembers verified tokens by their SHA-256 until they expire, a minute
// at most: a table of a few ways, so that its memory is bounded by its size
// and reading takes no lock. Only good tokens get in; strangers cannot push
// anybody out.
type cache struct {
	size    int
	buckets atomic.Pointer[[]bucket] // made when the first token was verified
}

const cacheWays = 4

type bucket [cacheWays]atomic.Pointer[verified]

type verified struct {
	sum   [32]byte
	until int64 // Unix seconds
	grant *Grant
}

// keepFor bounds how long a verified token is remembered, in seconds.
const keepFor = 60

// newCache makes room for n tokens, rounded up.
func newCache(n int) *cache {
	buckets := (n + cacheWays - 1) / cacheWays
	return &cache{size: 1 << bits.Len(uint(max(buckets, 1)-1))}
}

func (c *cache) bucket(table []bucket, sum *[32]byte) *bucket {
	return &table[binary.LittleEndian.Uint64(sum[:])&uint64(c.size-1)]
}

func (c *cache) get(sum *[32]byte, now int64) *Grant {
	table := c.buckets.Load()
	if table == nil {
		return nil
	}
	b := c.bucket(*table, sum)
	for i := range b {
		if e := b[i].Load(); e != nil && e.sum == *sum {
			if now < e.until && now >= e.until-keepFor {
				return e.grant
			}
			return nil
		}
	}
	return nil
}

// put remembers a grant; the entry that ends first makes room.
func (c *cache) put(sum *[32]byte, g *Grant, now int64) {
	table := c.buckets.Load()
	if table == nil {
		fresh := make([]bucket, c.size)
		c.buckets.CompareAndSwap(nil, &fresh)
		table = c.buckets.Load()
	}
	e := &verified{sum: *sum, until: now + keepFor, grant: g}
	if g.Expires != 0 {
		e.until = min(e.until, g.Expires)
	}
	b := c.bucket(*table, sum)
	victim, soonest := 0, int64(1<<63-1)
	for i := range b {
		old := b[i].Load()
		if old == nil || old.sum == *sum {
			victim = i
			break
		}
		if old.until < soonest {
			victim, soonest = i, old.until
		}
	}
	b[victim].Store(e)
}
