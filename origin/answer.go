package origin

import (
	"context"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"manifold/exchange"
)

// State says how the cache took part in an answer.
type State uint8

// The states.
const (
	// Hit is fresh from the cache.
	Hit State = iota + 1
	// Stale is from the cache while a newer version is asked for.
	Stale
	// StaleError is from the cache because the origins fail, or are slow.
	StaleError
	// Negative is a remembered error.
	Negative
	// Miss led a fill.
	Miss
	// Coalesced joined a fill that was under way.
	Coalesced
	// Revalidated led a fill that the origin answered with 304.
	Revalidated
	// Passed was fetched for this request alone.
	Passed
)

// String names the state as logs and metrics do.
func (s State) String() string {
	if names := [...]string{"", "hit", "stale", "stale-if-error", "negative", "miss", "coalesced", "revalidated", "pass"}; int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Waited tells whether the request waited for an origin.
func (s State) Waited() bool {
	return s == Miss || s == Coalesced || s == Revalidated || s == Passed
}

// fwd is why a request went forward (RFC 9211, section 2.2).
type fwd uint8

const (
	forwardedNot fwd = iota
	forwardedMiss
	forwardedStale
)

func (f fwd) append(dst []byte) []byte {
	switch f {
	case forwardedMiss:
		return append(dst, "; fwd=uri-miss"...)
	case forwardedStale:
		return append(dst, "; fwd=stale"...)
	}
	return dst
}

// Answer is a cached or arriving response, as one request sees it. It is
// pooled: it must not be used after Release, nor after its Reader is closed.
type Answer struct {
	shield *Shield
	group  *Group
	ctx    context.Context
	flight *flight // held while its body may be arriving
	entry  *entry
	key    []byte

	state     State
	forwarded fwd
	collapsed bool
	confirmed bool // by a 304
	slow      bool
	fault     error // of the origin's last version, where this is not it
	// faultFirst says that nobody else was told.
	faultFirst bool
	now        time.Time
	ttl        time.Duration

	// status, first and last are what the request's conditions and range made
	// of the entry: bytes [first, last), last < 0 for the end.
	status      int
	first, last int64

	off      int64 // of the reader
	read     bool  // Reader was taken
	released atomic.Bool
}

var answers = sync.Pool{New: func() any { return &Answer{key: make([]byte, 0, 256)} }}

func acquireAnswer() *Answer {
	a := answers.Get().(*Answer)
	a.released.Store(false)
	return a
}

// drop gives an answer back that never reached anybody.
func (a *Answer) drop() {
	key := a.key[:0]
	a.shield, a.group, a.ctx, a.flight, a.entry = nil, nil, nil, nil, nil
	a.key, a.state, a.forwarded = key, 0, forwardedNot
	a.collapsed, a.confirmed, a.slow = false, false, false
	a.fault, a.faultFirst = nil, false
	a.now, a.ttl, a.status, a.first, a.last, a.off, a.read = time.Time{}, 0, 0, 0, 0, 0, false
	answers.Put(a)
}

// give makes the answer for a request out of an entry.
func (a *Answer) give(e *entry, state State, now time.Time, req *Request) (*Answer, error) {
	a.entry, a.state, a.now = e, state, now
	a.status, a.first, a.last = e.status, 0, -1
	if req.Range != "" || req.IfNoneMatch != "" || req.IfModifiedSince != "" {
		if err := a.condition(req); err != nil {
			a.Release()
			return nil, err
		}
	}
	a.off = a.first
	return a, nil
}

// Release ends the use of an answer.
func (a *Answer) Release() {
	if !a.released.CompareAndSwap(false, true) {
		return
	}
	if a.flight != nil {
		a.flight.leave()
		a.flight = nil
	}
	// A reader may be closed twice by those who pass it on; an answer that had
	// one is left to the garbage collector.
	if !a.read {
		a.drop()
	}
}

// Status is 200 or 203, or 206, 304 or 416 where the request asked for it.
func (a *Answer) Status() int { return a.status }

// State says how the cache took part.
func (a *Answer) State() State { return a.state }

// Age is how old the content is (RFC 9111, section 4.2.3), for the Age field.
func (a *Answer) Age() time.Duration { return a.entry.currentAge(a.now) }

// Path is the canonical path below the origin's root to which redirects led,
// without a slash in front; empty where there were none.
func (a *Answer) Path() string { return a.entry.at }

// TTL is for how long the content is fresh still; negative where it is stale.
func (a *Answer) TTL() time.Duration { return a.ttl }

// ContentType is the origin's, or "".
func (a *Answer) ContentType() string { return a.entry.contentType }

// ETag is the entity tag as viewers see it, or "".
func (a *Answer) ETag() string { return a.entry.etag }

// LastModified is the origin's, or "".
func (a *Answer) LastModified() string { return a.entry.lastModified }

// CacheControl is the origin's, or "".
func (a *Answer) CacheControl() string { return a.entry.cacheControl }

// Fields are the origin's end-to-end fields that a viewer may see, by name:
// Content-Type, ETag, Last-Modified, Cache-Control, Expires and the like, and
// those of GroupConfig.Keep. Age, Date and the body's length are not among
// them. They must not be changed.
func (a *Answer) Fields() []exchange.Field { return a.entry.fields }

// Size is the length of this answer's body in bytes, or -1 where it is not
// known yet.
func (a *Answer) Size() int64 {
	switch {
	case a.status == 304 || a.status == 416:
		return 0
	case a.last >= 0:
		return a.last - a.first
	}
	n := a.entry.version.body.length()
	if n < 0 {
		return -1
	}
	return n - a.first
}

// Bytes is the answer's body, which must not be changed. A manifest's is
// there; a segment's is waited for.
func (a *Answer) Bytes() ([]byte, error) {
	if a.status == 304 || a.status == 416 {
		return nil, nil
	}
	b := a.entry.version.body
	if !b.complete.Load() {
		if err := b.wait(a.ctx, 1<<62); err != nil {
			return nil, err
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	data := b.whole()
	if a.last >= 0 {
		return data[a.first:min(a.last, int64(len(data)))], nil
	}
	return data[a.first:], nil
}

// Reader gives the answer's body as it arrives: a Read returns what is there,
// and waits only while nothing is. Closing it releases the answer; do not
// release it as well. An error says that the body broke off: what was read is
// not the whole, and the viewer's connection must not end as if it were.
func (a *Answer) Reader() io.ReadCloser {
	a.read = true
	return (*reader)(a)
}

type reader Answer

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.status == 304 || r.status == 416 {
		return 0, io.EOF
	}
	if r.last >= 0 {
		if r.off >= r.last {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), r.last-r.off)]
	}
	n, err := r.entry.version.body.read(r.ctx, p, r.off)
	r.off += int64(n)
	return n, err
}

// Close implements io.Closer.
func (r *reader) Close() error {
	(*Answer)(r).Release()
	return nil
}

// Compiled is the value that make makes of the body, kept beside it: made once
// for a version of the body, however many ask, and not made again when the
// origin confirms that version. An error is kept as well; while the version
// before is good enough, the answer becomes one of that (see Fault), and there
// is no error. Facts of the value
// govern freshness, and how long segments of the same folder are kept, from
// then on.
func (a *Answer) Compiled(make Compile) (any, error) {
	v := a.entry.version
	o := v.compiled.Load()
	if o == nil {
		var err error
		if o, err = a.compile(make); err != nil {
			return nil, err
		}
	}
	if v.previous.Load() != nil {
		o = a.resort(o)
	}
	return o.value, o.err
}

func (a *Answer) compile(make Compile) (*outcome, error) {
	v := a.entry.version
	if !v.body.complete.Load() {
		if err := v.body.wait(a.ctx, 1<<62); err != nil {
			return nil, err
		}
	}
	if v.body.err != nil {
		return nil, v.body.err
	}
	g := a.group
	return v.compile(make, a.entry.contentType, a.now, func(facts *Facts, err error) {
		g.counters.compiles.Add(1)
		v.blame(&g.cfg.Policy, a.now)
		if err != nil {
			g.counters.compileErrors.Add(1)
			return
		}
		now := a.shield.now()
		g.observe(v.path, facts, now)
		a.shield.store.reweigh(a.entry, &g.cfg.Policy, now)
	}), nil
}

// AppendCacheStatus appends the value of Cache-Status (RFC 9211).
func (a *Answer) AppendCacheStatus(dst []byte) []byte {
	dst = append(dst, a.shield.cfg.Name...)
	switch a.state {
	case Hit, Stale:
		dst = append(dst, "; hit"...)
	case StaleError:
		if a.forwarded == forwardedNot {
			dst = append(dst, "; hit"...)
		} else {
			dst = a.forwarded.append(dst)
		}
	default:
		dst = a.forwarded.append(dst)
		dst = append(dst, "; fwd-status="...)
		status := a.entry.status
		if a.confirmed {
			status = 304
		}
		dst = strconv.AppendInt(dst, int64(status), 10)
		if a.state != Passed {
			dst = append(dst, "; stored"...)
		}
		if a.collapsed {
			dst = append(dst, "; collapsed"...)
		}
	}
	if a.state != Passed {
		dst = append(dst, "; ttl="...)
		dst = strconv.AppendInt(dst, int64(a.ttl/time.Second), 10)
	}
	switch {
	case a.state == Stale:
		dst = append(dst, "; detail=stale-while-revalidate"...)
	case a.fault != nil:
		dst = append(dst, "; detail=previous-version"...)
	case a.state == StaleError && a.slow:
		dst = append(dst, "; detail=origin-slow"...)
	case a.state == StaleError:
		dst = append(dst, "; detail=stale-if-error"...)
	case a.state == Passed:
		dst = append(dst, "; detail=uncacheable"...)
	}
	return dst
}
