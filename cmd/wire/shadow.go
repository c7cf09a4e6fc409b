package wire

import (
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"manifold/inspect"
	"manifold/proxy"
)

// shadow is the verifier that is in force, and what those before it counted.
type shadow struct {
	proxy *proxy.Proxy
	log   *slog.Logger

	mu      sync.Mutex
	cfg     inspect.ShadowConfig
	current *inspect.Shadow
	past    inspect.ShadowCounts
}

// make starts a verifier of a configuration, unless it is the one in force.
// Nothing comes of it before use.
func (s *shadow) make(cfg inspect.ShadowConfig) (next *inspect.Shadow, other bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cfg == s.cfg {
		return nil, false, nil
	}
	next, err = inspect.NewShadow(cfg, s.log, time.Now, mathrand.Uint64)
	return next, err == nil, err
}

// use puts a verifier in force; the one before reads what it was given, and
// ends.
func (s *shadow) use(next *inspect.Shadow, cfg inspect.ShadowConfig) {
	if next == nil {
		s.proxy.SetShadow(nil) // not an interface that holds nil
	} else {
		s.proxy.SetShadow(next)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Close()
	s.past = sum(s.past, s.current.Counts())
	s.current, s.cfg = next, cfg
}

func (s *shadow) close() { s.use(nil, inspect.ShadowConfig{}) }

// counts are the results by their names, also those that did not come.
func (s *shadow) counts() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := sum(s.past, s.current.Counts())
	return map[string]uint64{"agrees": n.Agrees, "differs": n.Differs, "disputed": n.Disputed, "unreadable": n.Unreadable, "dropped": n.Dropped}
}

func sum(a, b inspect.ShadowCounts) inspect.ShadowCounts {
	return inspect.ShadowCounts{
		Agrees: a.Agrees + b.Agrees, Differs: a.Differs + b.Differs, Disputed: a.Disputed + b.Disputed,
		Unreadable: a.Unreadable + b.Unreadable, Dropped: a.Dropped + b.Dropped,
	}
}
