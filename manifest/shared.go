package manifest

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// lastRender is what a form rendered last for values that came twice in a row.
// Viewers at one CDN with the same right have the same token, so that most
// media playlists of a version are the same bytes: these are made once and
// sent from where they are.
type lastRender struct {
	kept atomic.Pointer[rendered]
	seen atomic.Uint64 // hash of the values that came last
}

// rendered is immutable.
type rendered struct {
	values [][]byte
	out    []byte
}

var sharedSeed = maphash.MakeSeed()

// Shared gives what Append(nil, values), or with gzip AppendGzip, gives, as
// memory that must not be changed; nil where there is none to share: the
// values name a session, or did not come twice in a row. Making it costs one
// allocation; a call with values that differ from the ones before costs
// little more than hashing them.
func (f *Form) Shared(values [][]byte, gzip bool) []byte {
	if !f.Shareable() {
		return nil
	}
	last := &f.plain
	if gzip {
		last = &f.compressed
	}
	if r := last.kept.Load(); r != nil && f.same(r.values, values) {
		return r.out
	}
	if h := f.hash(values); last.seen.Swap(h) != h {
		return nil
	}
	r := &rendered{values: make([][]byte, len(values))}
	for s, n := range f.uses {
		if n > 0 && s < len(values) {
			r.values[s] = slices.Clone(values[s])
		}
	}
	if gzip {
		r.out = f.AppendGzip(nil, values)
	} else {
		r.out = f.Append(nil, values)
	}
	last.kept.Store(r)
	return r.out
}

// Shareable tells whether several viewers can have the same render.
func (f *Form) Shareable() bool { return len(f.uses) == 0 || f.uses[SlotSession] == 0 }

// same tells whether two lists of values fill the form alike.
func (f *Form) same(a, b [][]byte) bool {
	for s, n := range f.uses {
		if n > 0 && !bytes.Equal(valueOf(a, s), valueOf(b, s)) {
			return false
		}
	}
	return true
}

func (f *Form) hash(values [][]byte) uint64 {
	h := uint64(1)
	for s, n := range f.uses {
		if n > 0 {
			h = h*0x9e3779b97f4a7c15 ^ maphash.Bytes(sharedSeed, valueOf(values, s))
		}
	}
	return h
}

func valueOf(values [][]byte, s int) []byte {
	if s < len(values) {
		return values[s]
	}
	return nil
}
