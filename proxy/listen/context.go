package listen

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Why Exchange.Context ended (context.Cause).
var (
	errPeerGone = errors.New("the client has gone")
	errTooLong  = errors.New("the handler took longer than the request timeout")
	errAnswered = errors.New("the exchange is over")
)

// lazyContext is Exchange.Context. Most handlers answer at once and never ask
// for Done: then it costs nothing. The first Done starts the request's
// deadline and, on HTTP/1.1, the watch over the socket.
type lazyContext struct {
	parent  context.Context
	timeout time.Duration
	// watch, where not nil, tells when the peer hangs up; its result ends
	// the watch.
	watch func(gone func()) (stop func())

	mu    sync.Mutex
	over  bool // the handler has returned: there is no deadline any more
	state atomic.Pointer[liveContext]
}

type liveContext struct {
	context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	unwatch func()
}

func (c *lazyContext) live() *liveContext {
	if s := c.state.Load(); s != nil {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.state.Load(); s != nil {
		return s
	}
	s := &liveContext{}
	s.Context, s.cancel = context.WithCancelCause(c.parent)
	cancel := s.cancel
	if !c.over {
		s.timer = time.AfterFunc(c.timeout, func() { cancel(errTooLong) })
	}
	if c.watch != nil {
		s.unwatch = c.watch(func() { cancel(errPeerGone) })
	}
	c.state.Store(s)
	return s
}

// Deadline is not told in advance: the deadline ends with the handler, while
// a stream that it left goes on.
func (c *lazyContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

func (c *lazyContext) Done() <-chan struct{} { return c.live().Done() }

func (c *lazyContext) Err() error {
	if s := c.state.Load(); s != nil {
		return s.Err()
	}
	return c.parent.Err()
}

func (c *lazyContext) Value(key any) any {
	if s := c.state.Load(); s != nil {
		return s.Value(key)
	}
	return c.parent.Value(key)
}

// handled ends the handler's deadline; what asks for Done later, a stream, has
// none.
func (c *lazyContext) handled() {
	c.mu.Lock()
	c.over = true
	s := c.state.Load()
	c.mu.Unlock()
	if s != nil && s.timer != nil {
		s.timer.Stop()
	}
}

// finish ends the context and reports whether it may be used again: not so
// if somebody may still hold it.
func (c *lazyContext) finish() (reusable bool) {
	s := c.state.Load()
	if s == nil {
		c.mu.Lock()
		c.over = false
		c.mu.Unlock()
		return true
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.unwatch != nil {
		s.unwatch()
	}
	s.cancel(errAnswered)
	return false
}
