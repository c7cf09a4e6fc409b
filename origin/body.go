package origin

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// body is the bytes of a response while they arrive and after. One filler
// appends; any number of readers follow. What was once visible never changes.
type body struct {
	complete atomic.Bool // data and err are final and may be read without mu

	mu   sync.Mutex
	data []byte
	err  error
	wake chan struct{} // closed and forgotten at each step; nil while nobody waits
	size int64         // declared length, or -1
}

func newBody(size int64) *body { return &body{size: size} }

// wholeBody is a body that is all there.
func wholeBody(data []byte) *body {
	b := &body{data: data, size: int64(len(data))}
	b.complete.Store(true)
	return b
}

// firstGrow is what a body without a declared length begins with; maxTrust is
// how much of a declared length is believed before it was sent.
const (
	firstGrow = 16 << 10
	maxTrust  = 256 << 10
)

// space gives room for at least one byte more, never past limit+1 bytes in
// all, and says by how many bytes the memory held grew. Only the filler calls
// it, and only the filler touches what is between len and cap.
func (b *body) space(limit int64) (room []byte, grown int64) {
	n, c := len(b.data), cap(b.data)
	if n == c {
		want := int64(firstGrow)
		if b.size >= 0 {
			want = min(b.size, maxTrust)
		}
		want = max(want, 2*int64(c))
		if b.size >= int64(c)+1 {
			want = min(want, b.size)
		}
		want = max(min(want, limit+1), int64(n)+1)
		next := make([]byte, n, want)
		copy(next, b.data)
		b.mu.Lock()
		b.data = next
		b.mu.Unlock()
		grown = want - int64(c)
	}
	return b.data[len(b.data):cap(b.data)], grown
}

// commit shows n bytes more to the readers.
func (b *body) commit(n int) {
	b.mu.Lock()
	b.data = b.data[:len(b.data)+n]
	b.step()
	b.mu.Unlock()
}

// finish ends the body, well with a nil error.
func (b *body) finish(err error) {
	b.mu.Lock()
	b.err = err
	if waste := cap(b.data) - len(b.data); waste > 4<<10 && waste > len(b.data)/4 {
		b.data = append(make([]byte, 0, len(b.data)), b.data...)
	}
	b.complete.Store(true)
	b.step()
	b.mu.Unlock()
}

func (b *body) step() {
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
}

// whole is the data of a body that is complete.
func (b *body) whole() []byte { return b.data }

// held is the memory the body holds, in bytes.
func (b *body) held() int64 {
	if b.complete.Load() {
		return int64(cap(b.data))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(int64(cap(b.data)), b.size)
}

// length is the length if it is known for sure: the declared one is not,
// before the body is complete, but nothing longer will be shown.
func (b *body) length() int64 {
	if b.complete.Load() {
		return int64(len(b.data))
	}
	return b.size
}

// at gives the bytes from offset off on, as many as there are; if there are
// none yet, wake is closed when that changes.
func (b *body) at(off int64) (data []byte, wake <-chan struct{}, err error) {
	if !b.complete.Load() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.complete.Load() {
			if off < int64(len(b.data)) {
				return b.data[off:], nil, nil
			}
			if b.wake == nil {
				b.wake = make(chan struct{})
			}
			return nil, b.wake, nil
		}
	}
	if off < int64(len(b.data)) {
		return b.data[off:], nil, nil
	}
	if b.err != nil {
		return nil, nil, b.err
	}
	return nil, nil, io.EOF
}

// read copies what there is at off into p, waiting for the first byte.
func (b *body) read(ctx context.Context, p []byte, off int64) (int, error) {
	for {
		data, wake, err := b.at(off)
		switch {
		case len(data) > 0:
			return copy(p, data), nil
		case err != nil:
			return 0, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return 0, &Error{Reason: ErrCancelled, Err: ctx.Err()}
		}
	}
}

// wait waits until more than n bytes are there or the body is complete.
func (b *body) wait(ctx context.Context, n int64) error {
	for {
		data, wake, err := b.at(n)
		switch {
		case len(data) > 0 || err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return &Error{Reason: ErrCancelled, Err: ctx.Err()}
		}
	}
}
