package token

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"
)

// cache keeps the tokens made last, by scope and form. One pathway has few at
// a time: one for each asset in play and bucket. It is a table of a few ways;
// reading takes no lock, and a newer token takes the place of the one that
// expires first.
type cache struct {
	last    [2]atomic.Pointer[cached] // asked for last: for text, and for XML
	seed    maphash.Seed
	buckets [cacheBuckets][cacheWays]atomic.Pointer[cached]
}

const (
	cacheBuckets = 256
	cacheWays    = 4
)

type cacheKey struct {
	scope Scope
	form  Form
}

type cached struct {
	key  cacheKey
	text []byte
}

func (c *cache) init() { c.seed = maphash.MakeSeed() }

// Token gives the token of the scope, made once and then looked up, without
// an allocation. The bytes are shared: they must not be changed.
func (m *Minter) Token(s *Scope, form Form) ([]byte, error) {
	last := &m.cache.last[0]
	if form.XML {
		last = &m.cache.last[1]
	}
	if e := last.Load(); e != nil && e.key.form == form && e.key.scope == *s {
		return e.text, nil
	}
	return m.lookUp(s, form, last)
}

// lookUp finds a token that was not the last one asked for, or makes it.
func (m *Minter) lookUp(s *Scope, form Form, last *atomic.Pointer[cached]) ([]byte, error) {
	key := cacheKey{*s, form}
	bucket := &m.cache.buckets[m.cache.index(&key)]
	victim := 0
	soonest := int64(1<<63 - 1)
	for i := range bucket {
		e := bucket[i].Load()
		if e == nil {
			victim, soonest = i, -1
			continue
		}
		if e.key == key {
			if !s.Client.IsValid() { // what is one viewer's alone is not asked for next
				last.Store(e)
			}
			return e.text, nil
		}
		if e.key.scope.Expires < soonest {
			victim, soonest = i, e.key.scope.Expires
		}
	}
	e := &cached{key: key} // not key itself: the caller's scope need not escape
	e.key.scope.Dir = strings.Clone(s.Dir)
	e.key.scope.File = strings.Clone(s.File)
	e.key.scope.Session = strings.Clone(s.Session)
	var err error
	if e.text, err = m.Append(nil, &e.key.scope, form); err != nil {
		return nil, err
	}
	bucket[victim].Store(e)
	return e.text, nil
}

// index hashes what differs most between scopes.
func (c *cache) index(k *cacheKey) uint64 {
	h := maphash.String(c.seed, k.scope.Dir) ^ uint64(k.scope.Expires) ^ uint64(k.form.Place)<<8
	if k.scope.File != "" {
		h ^= maphash.String(c.seed, k.scope.File)
	}
	if k.scope.Session != "" {
		h ^= bits.RotateLeft64(maphash.String(c.seed, k.scope.Session), 7)
	}
	if k.scope.Client.IsValid() {
		raw := k.scope.Client.Addr().As16()
		h ^= bits.RotateLeft64(maphash.Bytes(c.seed, raw[:]), 13)
	}
	return h % cacheBuckets
}
