package keys

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Entry is one live key of a configuration.
type Entry struct {
	// ID is the key's name. Empty: the kid of a JWK, else its number in the
	// list, from "1".
	ID string
	// Key is a reference (see Source). A JWK set gives all of its keys, and
	// then ID must be empty.
	Key string
}

// Ring is the live keys for one purpose. The first one is primary: it signs;
// all of them verify. To rotate, add the new key as the second everywhere,
// make it the first, and drop the old one when nothing it signed is good any
// more.
type Ring struct {
	src     Source
	entries []Entry
	mu      sync.Mutex // held while loading
	list    atomic.Pointer[[]Key]
}

// NewRing loads the entries. Their order is kept.
func NewRing(src Source, entries ...Entry) (*Ring, error) {
	r := &Ring{src: src, entries: slices.Clone(entries)}
	if _, err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads all keys again, and tells whether any has changed. On an error
// the keys stay as they were.
func (r *Ring) Reload() (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh, err := r.load()
	if err != nil {
		return false, err
	}
	if old := r.list.Load(); old != nil && slices.EqualFunc(*old, fresh, equal) {
		return false, nil
	}
	r.list.Store(&fresh)
	return true, nil
}

func (r *Ring) load() ([]Key, error) {
	if len(r.entries) == 0 {
		return nil, errors.New("cannot load keys: there is none in the list")
	}
	var list []Key
	for i, e := range r.entries {
		keys, err := r.src.Keys(e.Key)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if e.ID != "" {
			if len(keys) > 1 {
				return nil, fmt.Errorf("key %d: cannot name a set of %d keys %q: leave the id out", i+1, len(keys), e.ID)
			}
			keys[0].ID = e.ID
		}
		for _, k := range keys {
			if k.ID == "" {
				k.ID = fmt.Sprint(len(list) + 1)
			}
			if slices.ContainsFunc(list, func(have Key) bool { return have.ID == k.ID }) {
				return nil, fmt.Errorf("key %d: the id %q is taken by another key", i+1, k.ID)
			}
			list = append(list, k)
		}
	}
	return list, nil
}

func equal(a, b Key) bool {
	if a.ID != b.ID || !bytes.Equal(a.Secret, b.Secret) || (a.Private == nil) != (b.Private == nil) || (a.Public == nil) != (b.Public == nil) {
		return false
	}
	if a.Private != nil && !a.Private.Equal(b.Private) {
		return false
	}
	return a.Public == nil || a.Public.Equal(b.Public)
}

// Primary is the key that signs.
func (r *Ring) Primary() Key { return (*r.list.Load())[0] }

// Get finds a live key by its id.
func (r *Ring) Get(id string) (Key, bool) {
	for _, k := range *r.list.Load() {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}

// All are the live keys, the primary first. The list must not be changed.
func (r *Ring) All() []Key { return *r.list.Load() }

// Secrets are the live keys as secrets, the primary first; an EC key among
// them is an error.
func (r *Ring) Secrets() ([][]byte, error) {
	var out [][]byte
	for _, k := range r.All() {
		if k.Secret == nil {
			return nil, fmt.Errorf("cannot use key %q: it is an EC key where a secret is needed", k.ID)
		}
		out = append(out, k.Secret)
	}
	return out, nil
}
