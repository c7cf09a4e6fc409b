package origin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// Shield is the cache. Its methods may be called by many goroutines.
type Shield struct {
	cfg    Config
	now    func() time.Time
	random func() float64
	store  *store

	joined func(f *flight, viewers int) // tells tests who waits; else nil

	filling atomic.Int64 // bytes of fills under way
	ctx     context.Context
	stop    context.CancelCauseFunc
	fills   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	clients map[string]*client
	groups  map[string]weak.Pointer[Group]
}

// New makes a shield. now is the clock that freshness is judged by, and
// random gives numbers in [0, 1) for jitter. Close ends it.
func New(cfg Config, now func() time.Time, random func() float64) (*Shield, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("cannot make a shield: %w", err)
	}
	cfg = cfg.withDefaults()
	st, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	s := &Shield{
		cfg: cfg, now: now, random: random, store: st,
		clients: map[string]*client{}, groups: map[string]weak.Pointer[Group]{},
	}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s, nil
}

// Name is how the shield calls itself (see Config.Name).
func (s *Shield) Name() string { return s.cfg.Name }

// Close gives up all fills, waits for them, and closes all connections.
// Fetches fail from then on.
func (s *Shield) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop(ErrClosed)
	s.fills.Wait()
	s.store.library.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.transport.CloseIdleConnections()
	}
}

// Group gives the group of a configuration. For equal configurations it is
// the same one while somebody holds it, so that a reload keeps the health and
// folders of what did not change. What is cached is found again by name, first
// origin and declarations.
func (s *Shield) Group(cfg GroupConfig) (*Group, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("cannot use origin group %q: %w", cfg.Name, err)
	}
	print := cfg.fingerprint()
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.groups[print].Value(); have != nil {
		return have, nil
	}
	for k, p := range s.groups {
		if p.Value() == nil {
			delete(s.groups, k)
		}
	}
	g, err := newGroup(cfg, s.client(cfg.AllowPrivate, cfg.Deadlines.withDefaults().Connect))
	if err != nil {
		return nil, err
	}
	s.groups[print] = weak.Make(g)
	return g, nil
}

// client gives the connections of a dialling policy. s.mu is held.
func (s *Shield) client(allow []netip.Prefix, connect time.Duration) *client {
	var names []string
	for _, p := range allow {
		names = append(names, p.Masked().String())
	}
	slices.Sort(names)
	key := strings.Join(slices.Compact(names), " ") + " " + connect.String()
	c := s.clients[key]
	if c == nil {
		c = newClient(s.cfg, slices.Clone(allow), connect)
		s.clients[key] = c
	}
	return c
}

// Fetch gives the answer to a request: from the cache, from a fill under way,
// or from an origin. ctx ends when nobody waits for the answer any more; it
// must live until the answer is released. Every answer is released, once. An
// error is always an *Error.
//
// A manifest is complete when Fetch returns. A segment's header is there, and
// its bytes may still be arriving. An answer's status is 200 or 203, or, where
// the request's conditions and range ask for it, 206, 304 or 416; whatever
// else an origin says is an error.
func (s *Shield) Fetch(ctx context.Context, req *Request) (*Answer, error) {
	if !checkPath(req.Path) {
		return nil, errPath
	}
	a := acquireAnswer()
	a.key = appendKey(a.key[:0], req)
	a.shield, a.group, a.ctx = s, req.Group, ctx
	now := req.Now
	if now.IsZero() {
		now = s.now()
	}
	sh := s.store.shardOf(a.key)
	e := s.store.get(sh, a.key)
	if e != nil {
		if given, err, ok := s.serve(a, sh, req, e, now); ok {
			return given, err
		}
		if e.problem != nil || e.pass {
			e = nil
		}
	}
	return s.fetch(a, sh, req, e, now)
}

// serve answers with an entry if it is good enough; ok is false where an
// origin must be asked first.
func (s *Shield) serve(a *Answer, sh *shard, req *Request, e *entry, now time.Time) (given *Answer, err error, ok bool) {
	c := &req.Group.counters
	v, ttl := e.judge(now, &req.Group.cfg.Policy)
	a.ttl = ttl
	switch {
	case v == fresh && e.problem != nil:
		c.negative.Add(1)
		a.drop()
		return nil, e.problem, true
	case v == fresh && e.pass:
		given, err = s.pass(a, req)
	case v == fresh:
		c.hits.Add(1)
		given, err = a.give(e, Hit, now, req)
	case v == whileAsk:
		s.refresh(sh, req, a.key, e, now)
		c.stale.Add(1)
		given, err = a.give(e, Stale, now, req)
	case v == onError && e.quietly(now):
		c.staleOnError.Add(1)
		given, err = a.give(e, StaleError, now, req)
	default:
		return nil, nil, false
	}
	return given, err, true
}

// errPath is made once: hostile paths are frequent.
var errPath = &Error{Reason: ErrPath}

// fetch joins the fill of a key, or begins one. known is the entry to ask
// about anew, or nil.
func (s *Shield) fetch(a *Answer, sh *shard, req *Request, known *entry, now time.Time) (*Answer, error) {
	sh.mu.Lock()
	f := sh.flights[string(a.key)]
	leads := f == nil
	if leads {
		// The fill of another may have ended since we looked.
		if sl := sh.slots[string(a.key)]; sl != nil && sl.entry != known {
			if v, _ := sl.entry.judge(now, &req.Group.cfg.Policy); v == fresh {
				e := sl.entry
				sh.mu.Unlock()
				if given, err, ok := s.serve(a, sh, req, e, now); ok {
					return given, err
				}
				return s.fetch(a, sh, req, known, now)
			}
		}
		f = s.newFlight(req, string(a.key), known)
		f.shard = sh
		sh.flights[f.key] = f
	}
	f.join()
	sh.mu.Unlock()
	if leads {
		s.launch(f)
	}
	return s.await(a, f, leads, req, known)
}

// pass fetches for one viewer alone.
func (s *Shield) pass(a *Answer, req *Request) (*Answer, error) {
	req.Group.counters.passed.Add(1)
	f := s.newFlight(req, string(a.key), nil)
	f.alone = true
	f.join()
	s.launch(f)
	return s.await(a, f, true, req, nil)
}

// refresh begins a fill that nobody waits for, unless one is under way or
// origins failed just now.
func (s *Shield) refresh(sh *shard, req *Request, key []byte, known *entry, now time.Time) {
	if known.quietly(now) {
		return
	}
	sh.mu.RLock()
	busy := sh.flights[string(key)] != nil
	sh.mu.RUnlock()
	if busy {
		return
	}
	sh.mu.Lock()
	if sh.flights[string(key)] != nil {
		sh.mu.Unlock()
		return
	}
	f := s.newFlight(req, string(key), known)
	f.shard, f.wanted = sh, true
	sh.flights[f.key] = f
	sh.mu.Unlock()
	s.launch(f)
}

// await waits until a fill has something to show.
func (s *Shield) await(a *Answer, f *flight, leads bool, req *Request, known *entry) (*Answer, error) {
	g := req.Group
	var patience <-chan time.Time
	if s.mayFallBack(known, g) {
		if f.slow.Load() {
			// One has waited for all who come after.
			select {
			case <-f.ready:
			default:
				f.leave()
				return s.fallBack(a, known, req, true)
			}
		}
		t := time.NewTimer(g.cfg.Deadlines.Patience)
		defer t.Stop()
		patience = t.C
	}
	select {
	case <-f.ready:
	case <-a.ctx.Done():
		err := &Error{Reason: ErrCancelled, Err: a.ctx.Err()}
		f.leave()
		a.drop()
		return nil, err
	case <-patience:
		// The origin is slow, and the viewer has the old one meanwhile.
		f.slow.Store(true)
		f.keep()
		f.leave()
		return s.fallBack(a, known, req, true)
	}
	a.forwarded, a.collapsed, a.confirmed = f.forwarded, !leads, f.confirmed
	if f.alone && !f.claim() {
		// Never shared: all but one ask for themselves, at the same time.
		f.leave()
		return s.pass(a, req)
	}
	if err := f.err; err != nil {
		f.leave()
		if err.stalls() && s.mayFallBack(known, g) {
			return s.fallBack(a, known, req, false)
		}
		a.drop()
		g.counters.failed.Add(1)
		if !leads {
			shared := *err
			shared.collapsed = true
			return nil, &shared
		}
		return nil, err
	}
	state := Miss
	switch {
	case f.alone:
		state = Passed
	case !leads:
		state = Coalesced
		g.counters.coalesced.Add(1)
	case f.confirmed:
		state = Revalidated
		g.counters.revalidated.Add(1)
	default:
		g.counters.misses.Add(1)
	}
	now := s.now()
	_, a.ttl = f.entry.judge(now, &g.cfg.Policy)
	if f.entry.version.body.complete.Load() {
		f.leave()
	} else {
		a.flight = f
	}
	return a.give(f.entry, state, now, req)
}

// mayFallBack tells whether a stale entry may stand in for origins that fail.
func (s *Shield) mayFallBack(e *entry, g *Group) bool {
	if e == nil {
		return false
	}
	v, _ := e.judge(s.now(), &g.cfg.Policy)
	return v == onError || v == whileAsk || v == fresh
}

// fallBack gives a stale entry because the origins fail, or are slow.
func (s *Shield) fallBack(a *Answer, e *entry, req *Request, slow bool) (*Answer, error) {
	now := s.now()
	_, a.ttl = e.judge(now, &req.Group.cfg.Policy)
	req.Group.counters.staleOnError.Add(1)
	a.forwarded, a.slow = forwardedStale, slow
	return a.give(e, StaleError, now, req)
}

// Counters is what the shield counted since it was made, and what it holds.
type Counters struct {
	LiveEntries, LiveBytes     int64
	RecentEntries, RecentBytes int64
	FillingBytes               int64
	// LiveRefused counts live entries that did not fit into the live zone.
	LiveRefused int64
	// Expired counts entries that left because their time had come, Moved
	// those handed from the recent zone to the library.
	Expired, Moved int64
	// LibrarySets counts what was offered to the library, LibraryDropped what
	// its buffer refused, LibraryRejected what its admission policy refused,
	// LibraryEvicted what had to leave it.
	LibrarySets, LibraryDropped, LibraryRejected, LibraryEvicted int64
}

// Counters reads the shield's counters; those of requests are in
// [Group.Counters].
func (s *Shield) Counters() Counters {
	st := s.store
	c := Counters{
		LiveEntries: st.live.count.Load(), LiveBytes: st.live.used.Load(),
		RecentEntries: st.recent.count.Load(), RecentBytes: st.recent.used.Load(),
		FillingBytes: s.filling.Load(),
		LiveRefused:  st.liveRefused.Load(), Expired: st.expired.Load(), Moved: st.moved.Load(),
	}
	if l := st.library; l != nil {
		c.LibrarySets, c.LibraryDropped = l.sets.Load(), l.dropped.Load()
		c.LibraryRejected, c.LibraryEvicted = l.rejected.Load(), l.evicted.Load()
	}
	return c
}
