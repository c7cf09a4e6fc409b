package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// run fills one key.
func (f *flight) run() {
	defer func() {
		f.mu.Lock()
		f.done = true
		f.mu.Unlock()
	}()
	f.group.budget.earn()
	if f.target.class == Manifest {
		ctx, cancel := context.WithTimeoutCause(f.ctx, f.group.cfg.Deadlines.Manifest,
			&errDeadline{"manifest", f.group.cfg.Deadlines.Manifest})
		defer cancel()
		f.runManifest(ctx)
		return
	}
	f.runSegment(f.ctx)
}

// attempt is one go at an answer.
type attempt struct {
	reply  *reply
	source *source
	header http.Header // of the answer, also where it is an error
	err    *Error
}

// attempts asks origin after origin until one answers usefully or there is no
// better one. use reads what it needs of a reply, and closes it or keeps it.
func (f *flight) attempts(ctx context.Context, use func(*reply) *Error) attempt {
	var last attempt
	var asked uint64
	tries := max(2, min(len(f.group.origins), 3))
	for try := 0; try < tries; try++ {
		o, bit := f.group.pick(f.shield.now(), asked)
		if o == nil {
			// All were asked. One that broke off is asked once more.
			if last.err == nil || !last.err.broke() {
				break
			}
			o, bit = last.source, 0
		}
		if try > 0 {
			if !last.err.again() || !f.group.budget.take() {
				o.unsettled()
				break
			}
			f.group.counters.retries.Add(1)
		}
		asked |= bit
		last = f.once(ctx, o, use)
		if last.err == nil || !last.err.again() {
			break
		}
	}
	return last
}

// once asks one origin and keeps the books on its health.
func (f *flight) once(ctx context.Context, o *source, use func(*reply) *Error) attempt {
	a := attempt{source: o}
	if f.hedges() {
		a.reply, a.source, a.err = f.hedged(ctx, o)
	} else {
		a.reply, a.err = f.ask(ctx, o, f.known, 0, "")
	}
	if a.err == nil {
		a.header = a.reply.header
		a.err = use(a.reply)
	}
	f.settle(a.source, a.err)
	return a
}

// settle notes how an origin did.
func (f *flight) settle(o *source, err *Error) {
	switch {
	case err == nil, !err.stalls() && err.Reason != ErrCancelled:
		o.good()
	case err.Reason == ErrCancelled, err.Reason == ErrOverload, err.Reason == ErrClosed:
		o.unsettled()
	default:
		o.bad(f.shield.now(), f.shield.random())
		f.group.counters.originErrors.Add(1)
	}
}

// hedges tells whether a second origin is to be asked when the first is slow.
func (f *flight) hedges() bool {
	return f.target.class == Manifest && f.group.cfg.Deadlines.Hedge > 0 && len(f.group.origins) > 1
}

// hedged asks a second origin as well when the first has not answered in
// time, and takes whose header comes first.
func (f *flight) hedged(ctx context.Context, first *source) (*reply, *source, *Error) {
	type result struct {
		reply  *reply
		source *source
		err    *Error
	}
	results := make(chan result, 2)
	var cancels [2]context.CancelFunc
	begin := func(i int, o *source) {
		var c context.Context
		c, cancels[i] = context.WithCancel(ctx)
		go func() {
			r, err := f.ask(c, o, f.known, 0, "")
			results <- result{r, o, err}
		}()
	}
	begin(0, first)
	running := 1
	timer := time.NewTimer(f.group.cfg.Deadlines.Hedge)
	defer timer.Stop()
	var second *source
	for {
		select {
		case <-timer.C:
			skip := uint64(0)
			for i, o := range f.group.origins {
				if o == first {
					skip = 1 << min(i, 63)
				}
			}
			o, _ := f.group.pick(f.shield.now(), skip)
			if o == nil || !f.group.budget.take() {
				if o != nil {
					o.unsettled()
				}
				continue
			}
			f.group.counters.hedges.Add(1)
			second = o
			begin(1, o)
			running++
		case r := <-results:
			running--
			if r.err != nil && running > 0 {
				f.settle(r.source, r.err)
				continue
			}
			// The winner's context is given up with its reply; the loser's now.
			if second != nil && running > 0 {
				loser := 1
				if r.source == second {
					loser = 0
				}
				cancels[loser]()
				f.shield.fills.Add(1)
				go func() {
					defer f.shield.fills.Done()
					l := <-results
					l.source.unsettled()
					if l.reply != nil {
						l.reply.close()
					}
				}()
			}
			if r.err == nil {
				i := 0
				if r.source == second {
					i = 1
				}
				r.reply.after = cancels[i]
			} else {
				for _, c := range cancels {
					if c != nil {
						c()
					}
				}
			}
			return r.reply, r.source, r.err
		}
	}
}

// check sorts a header into: usable (nil), 304, or an error.
func (f *flight) check(r *reply) *Error {
	switch {
	case r.status == 200 || r.status == 203:
		return nil
	case r.status == 304 && f.known != nil:
		if tag := r.header.Get("ETag"); tag != "" && f.known.originETag != "" && !weakEqual(tag, f.known.originETag) {
			// It confirms something else than what we hold (RFC 9111, section
			// 4.3.4).
			f.known = nil
			return &Error{Reason: ErrIncomplete, Origin: r.source.root.Host, Err: errors.New("a 304 for another version")}
		}
		return nil
	}
	return f.refused(r.source, r)
}

// runManifest gets a manifest whole, checks it, and only then shows it.
func (f *flight) runManifest(ctx context.Context) {
	var e *entry
	a := f.attempts(ctx, func(r *reply) *Error {
		defer r.close()
		if err := f.check(r); err != nil {
			return err
		}
		if r.status == 304 {
			e = f.revalidated(f.known, r)
			f.confirmed = true
			return nil
		}
		f.confirmed = false
		b, err := f.readWhole(r)
		if err != nil {
			return err
		}
		if reason := sniff(Manifest, r.header.Get("Content-Type"), b.whole()); reason != "" {
			return &Error{Reason: reason, Origin: r.source.root.Host,
				Err: fmt.Errorf("Content-Type %q, %d bytes", r.header.Get("Content-Type"), len(b.whole()))}
		}
		e = f.newEntry(r)
		e.version = f.versionOf(b, e, r.source)
		return nil
	})
	if a.err != nil {
		f.lose(a.err, a.header)
		return
	}
	f.win(e, a.header)
	f.show(e)
}

// versionOf is the version of a new body: the known one where not a byte
// changed, so that what was compiled stays.
func (f *flight) versionOf(b *body, e *entry, from *source) *version {
	v := &version{body: b, path: f.target.path, source: from}
	if f.known == nil || f.known.version == nil {
		return v
	}
	old := f.known.version
	if f.known.contentType == e.contentType && bytes.Equal(old.body.whole(), b.whole()) {
		return old
	}
	// What its predecessor was, it is likely to be: until it is compiled.
	v.facts.Store(old.facts.Load())
	v.succeed(f.known)
	return v
}

// readWhole reads a manifest's body within its limits.
func (f *flight) readWhole(r *reply) (*body, *Error) {
	src, derr := decoder(r, &f.group.cfg.Limits)
	if derr != nil {
		return nil, derr
	}
	limit := f.group.cfg.Limits.Manifest
	if src != io.Reader(r) {
		limit = f.group.cfg.Limits.Decoded
	}
	if r.length > f.group.cfg.Limits.Manifest {
		return nil, f.tooLarge(r, f.group.cfg.Limits.Manifest)
	}
	b := newBody(declaredLength(r))
	held := int64(0)
	defer func() { f.shield.filling.Add(-held) }()
	for {
		room, err := f.room(b, limit, &held)
		if err != nil {
			return nil, err
		}
		n, rerr := src.Read(room)
		f.group.counters.originBytes.Add(int64(n))
		b.commit(n)
		if int64(len(b.whole())) > limit || r.total > f.group.cfg.Limits.Manifest {
			return nil, f.tooLarge(r, min(limit, f.group.cfg.Limits.Manifest))
		}
		if rerr == io.EOF {
			b.finish(nil)
			return b, nil
		}
		if rerr != nil {
			return nil, asError(rerr, r)
		}
	}
}

// room makes room in a body within the shield's budget for fills.
func (f *flight) room(b *body, limit int64, held *int64) ([]byte, *Error) {
	room, grown := b.space(limit)
	if grown > 0 {
		*held += grown
		if f.shield.filling.Add(grown) > f.shield.cfg.FillingBytes {
			return nil, &Error{Reason: ErrOverload}
		}
	}
	return room, nil
}

func (f *flight) tooLarge(r *reply, limit int64) *Error {
	return &Error{Reason: ErrTooLarge, Origin: r.source.root.Host, Err: fmt.Errorf("more than %d bytes", limit)}
}

func asError(err error, r *reply) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Reason: ErrIncomplete, Origin: r.source.root.Host, Err: err}
}

// lose ends a flight without an answer, and remembers it for a moment where
// there is nothing better to remember.
func (f *flight) lose(err *Error, h http.Header) {
	e := *err
	e.fwd = f.forwarded
	now := f.shield.now()
	p := &f.group.cfg.Policy
	life := f.errorLife(&e, h)
	usable := false
	if f.known != nil {
		v, _ := f.known.judge(now, p)
		usable = v == onError || v == whileAsk
	}
	switch {
	case e.Reason == ErrStatus && (e.Status == 401 || e.Status == 403):
		f.alone = true
	case usable && e.stalls():
		// Viewers have the stale one; the origins are left alone for a moment.
		quiet := time.Second/2 + time.Duration(f.shield.random()*float64(time.Second))
		f.known.quiet.Store(now.Add(quiet).UnixNano())
	case life > 0 && !f.alone:
		again := e
		again.state, again.fwd = Negative, forwardedNot
		f.shield.store.put(&entry{
			key: f.key, class: f.target.class, problem: &again, responded: now, lifetime: life,
		}, p, now)
	}
	f.fail(&e)
}

// passLife is for how long a key is known to give answers for one viewer only.
const passLife = 10 * time.Second

// win stores an entry, or marks its key as one whose answers are not shared.
// It does not show it.
func (f *flight) win(e *entry, h http.Header) {
	now := f.shield.now()
	if f.alone {
		return
	}
	if !f.shareable(h) {
		f.alone = true
		f.shield.store.put(&entry{
			key: f.key, class: f.target.class, pass: true, responded: now, lifetime: passLife,
		}, &f.group.cfg.Policy, now)
		f.unlist()
		return
	}
	if e.version.body.complete.Load() {
		f.store(e)
	}
}

// store puts a complete entry into the cache and lets nobody join any more,
// in this order: whoever comes finds the one or the other.
func (f *flight) store(e *entry) {
	f.shield.store.put(e, &f.group.cfg.Policy, f.shield.now())
	f.unlist()
}

// weakEqual is the weak comparison of RFC 9110, section 8.8.3.2.
func weakEqual(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}
