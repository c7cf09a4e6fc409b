package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// streamed is a segment on its way.
type streamed struct {
	f     *flight
	entry *entry
	body  *body
	reply *reply
	src   io.Reader
	limit int64
	held  int64 // counted into the shield's filling bytes
	ended bool
}

// runSegment shows a segment as soon as its header and first bytes are there
// and passes the rest on as it comes.
func (f *flight) runSegment(ctx context.Context) {
	st := &streamed{f: f}
	defer func() { f.shield.filling.Add(-st.held) }()
	a := f.attempts(ctx, st.begin)
	if a.err != nil {
		f.lose(a.err, a.header)
		return
	}
	if st.reply == nil { // confirmed by a 304
		f.win(st.entry, a.header)
		f.show(st.entry)
		return
	}
	if st.ended {
		st.body.finish(nil)
	}
	f.win(st.entry, a.header)
	if !f.alone {
		f.keep()
	}
	f.show(st.entry)
	if st.ended {
		st.reply.close()
		return
	}
	err := st.pour()
	st.reply.close()
	for tries := 0; err != nil; tries++ {
		f.settle(st.reply.source, err)
		if tries == maxResumes || !st.resume(ctx, err) {
			f.unlist()
			st.body.finish(err)
			return
		}
		err = st.pour()
		st.reply.close()
	}
	st.body.finish(nil)
	if !f.alone {
		f.store(st.entry)
	}
}

// maxResumes bounds how often a body that broke off is taken up again.
const maxResumes = 2

// begin takes a header and the first bytes, which may still be refused for
// another origin's.
func (st *streamed) begin(r *reply) *Error {
	f := st.f
	if err := f.check(r); err != nil {
		r.close()
		return err
	}
	if r.status == 304 {
		st.entry, f.confirmed = f.revalidated(f.known, r), true
		r.close()
		return nil
	}
	f.confirmed = false
	err := st.open(r)
	if err != nil {
		r.close()
		st.reply = nil
	}
	return err
}

func (st *streamed) open(r *reply) *Error {
	f := st.f
	limits := &f.group.cfg.Limits
	src, err := decoder(r, limits)
	if err != nil {
		return err
	}
	st.reply, st.src, st.limit, st.ended = r, src, limits.Segment, false
	if src != io.Reader(r) {
		st.limit = min(limits.Segment, limits.Decoded)
	}
	if r.length > limits.Segment {
		return f.tooLarge(r, limits.Segment)
	}
	f.shield.filling.Add(-st.held)
	st.held = 0
	st.body = newBody(declaredLength(r))
	if st.body.size != 0 {
		if err := st.step(); err != nil {
			return err
		}
	} else {
		st.ended = true
	}
	if reason := sniff(Segment, r.header.Get("Content-Type"), st.body.whole()); reason != "" {
		return &Error{Reason: reason, Origin: r.source.root.Host, Err: fmt.Errorf("Content-Type %q", r.header.Get("Content-Type"))}
	}
	st.entry = f.newEntry(r)
	st.entry.version = &version{body: st.body, path: f.target.path}
	if facts, live := f.group.liveFolder(f.target.path, r.answered); live {
		st.entry.version.facts.Store(&facts)
	}
	return nil
}

// step takes over what one read brings.
func (st *streamed) step() *Error {
	f := st.f
	room, err := f.room(st.body, st.limit, &st.held)
	if err != nil {
		return err
	}
	n, rerr := st.src.Read(room)
	f.group.counters.originBytes.Add(int64(n))
	if int64(len(st.body.whole())+n) > st.limit {
		return f.tooLarge(st.reply, st.limit)
	}
	// The length that was shown binds also those who send the rest.
	if size := st.body.size; size >= 0 && int64(len(st.body.whole())+n) > size {
		return asError(errors.New("more than the declared length came"), st.reply)
	}
	if n > 0 {
		st.body.commit(n)
	}
	switch {
	case rerr == io.EOF:
		st.ended = true
		return nil
	case rerr != nil:
		return asError(rerr, st.reply)
	}
	return nil
}

// pour takes over the rest.
func (st *streamed) pour() *Error {
	for !st.ended {
		if err := st.step(); err != nil {
			return err
		}
	}
	if size := st.body.size; size >= 0 && int64(len(st.body.whole())) < size {
		st.ended = false
		return asError(io.ErrUnexpectedEOF, st.reply)
	}
	return nil
}

// resume takes up a body that broke off, at the same or another origin: only
// where a strong tag says that the rest belongs to what was already shown (RFC
// 9110, section 13.1.5). Readers notice nothing.
func (st *streamed) resume(ctx context.Context, broken *Error) bool {
	f, e := st.f, st.entry
	tag, from := e.originETag, int64(len(st.body.whole()))
	if !broken.again() || from == 0 || tag == "" || strings.HasPrefix(tag, "W/") || st.src != io.Reader(st.reply) || !f.group.budget.take() {
		return false
	}
	f.group.counters.retries.Add(1)
	o, _ := f.group.pick(f.shield.now(), 0)
	r, err := f.ask(ctx, o, nil, from, tag)
	if err == nil {
		if err = continues(r, e, st.body.size, from); err != nil {
			r.close()
		}
	}
	f.settle(o, err)
	if err != nil {
		return false
	}
	st.reply, st.src = r, r
	return true
}

// continues checks that an answer is the rest of what was begun, and reads
// past what is known already where the origin sends the whole.
func continues(r *reply, e *entry, size, from int64) *Error {
	fail := func(why string) *Error {
		return &Error{Reason: ErrIncomplete, Origin: r.source.root.Host, Err: errors.New(why)}
	}
	if r.header.Get("ETag") != e.originETag {
		return fail("the origin has another version now")
	}
	switch r.status {
	case 206:
		first, total, ok := contentRange(r.header.Get("Content-Range"))
		if !ok || first != from || size >= 0 && (total >= 0 && total != size || r.length >= 0 && r.length > size-from) {
			return fail("the range is not the one asked for")
		}
	case 200:
		if size >= 0 && r.length >= 0 && r.length != size {
			return fail("the whole has another length")
		}
		if _, err := io.CopyN(io.Discard, r, from); err != nil {
			return asError(err, r)
		}
	default:
		return &Error{Reason: ErrStatus, Status: r.status, Origin: r.source.root.Host}
	}
	if len(r.header["Content-Encoding"]) > 0 {
		return fail("the rest is encoded otherwise")
	}
	return nil
}
