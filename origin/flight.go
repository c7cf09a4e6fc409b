package origin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// flight is one fill: the one request that an origin sees for all who want a
// key at the same time. It runs in a goroutine of its own, so that no viewer's
// leaving ends it while another, or the cache, wants what it brings.
type flight struct {
	shield *Shield
	group  *Group
	key    string
	target target
	known  *entry // what is asked about anew, or nil
	shard  *shard // where it is listed; nil where it is not

	ctx    context.Context
	cancel context.CancelCauseFunc

	// ready is closed when the outcome is there: err, or entry, whose body may
	// still be arriving. The fields below are final then.
	ready     chan struct{}
	entry     *entry
	err       *Error
	alone     bool // for one viewer only
	confirmed bool // by a 304
	forwarded fwd
	claimed   atomic.Bool
	slow      atomic.Bool // a viewer with something to fall back on lost patience

	mu     sync.Mutex
	refs   int  // viewers who wait or read
	wanted bool // the cache wants it, whoever leaves
	done   bool
}

// newFlight makes a flight; sh.mu may be held.
func (s *Shield) newFlight(req *Request, key string, known *entry) *flight {
	f := &flight{
		shield: s, group: req.Group, key: key, target: newTarget(req), known: known,
		ready: make(chan struct{}), forwarded: forwardedMiss,
		// A manifest will be asked for again within seconds.
		wanted: req.Class == Manifest,
	}
	if known != nil {
		f.forwarded = forwardedStale
	}
	f.ctx, f.cancel = context.WithCancelCause(s.ctx)
	return f
}

// launch begins the fill; false means that the shield is closed.
func (s *Shield) launch(f *flight) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		f.fail(&Error{Reason: ErrClosed})
		f.cancel(ErrClosed)
		return false
	}
	s.fills.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.fills.Done()
		defer f.cancel(nil)
		defer f.rescue()
		f.run()
	}()
	return true
}

// rescue turns a panic of the fill into its error: a bug that one origin's
// answer finds must not take every other viewer with it.
func (f *flight) rescue() {
	p := recover()
	if p == nil {
		return
	}
	err := &Error{Reason: ErrProtocol, Err: fmt.Errorf("panic while filling: %v", p)}
	select {
	case <-f.ready:
		f.unlist()
		if f.entry != nil && !f.entry.version.body.complete.Load() {
			f.entry.version.body.finish(err)
		}
	default:
		f.fail(err)
	}
}

// unlist makes sure that nobody joins the flight any more.
func (f *flight) unlist() {
	if f.shard == nil {
		return
	}
	f.shard.mu.Lock()
	if f.shard.flights[f.key] == f {
		delete(f.shard.flights, f.key)
	}
	f.shard.mu.Unlock()
}

// keep says that the cache wants the fill to be finished.
func (f *flight) keep() {
	f.mu.Lock()
	f.wanted = true
	f.mu.Unlock()
}

// join counts one viewer more. f.shard.mu is held, unless f is not listed.
func (f *flight) join() {
	f.mu.Lock()
	f.refs++
	n := f.refs
	f.mu.Unlock()
	if f.shield.joined != nil {
		f.shield.joined(f, n)
	}
}

// errUnwanted is the cause when the last viewer left a fill that the cache
// does not want either.
var errUnwanted = errors.New("nobody waits for it")

// leave is a viewer's going. The last one to leave a fill that the cache does
// not want ends it; nobody can join it from then on.
func (f *flight) leave() {
	if sh := f.shard; sh != nil {
		sh.mu.Lock()
		defer sh.mu.Unlock()
	}
	f.mu.Lock()
	f.refs--
	end := f.refs <= 0 && !f.wanted && !f.done
	f.mu.Unlock()
	if !end {
		return
	}
	if f.shard != nil && f.shard.flights[f.key] == f {
		delete(f.shard.flights, f.key)
	}
	f.cancel(errUnwanted)
}

// claim is given to the one viewer of an answer that is never shared.
func (f *flight) claim() bool { return f.claimed.CompareAndSwap(false, true) }

// show publishes an entry, complete or not.
func (f *flight) show(e *entry) {
	f.entry = e
	close(f.ready)
}

// fail publishes an error.
func (f *flight) fail(err *Error) {
	f.unlist()
	f.err = err
	close(f.ready)
}
