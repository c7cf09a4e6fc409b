package listen

import (
	"io"
	"time"

	"manifold/exchange"
)

// minBodyRate is the slowest content that is waited for, in bytes a second,
// after the first BodyTimeout.
const minBodyRate = 1 << 10

// bodyReader is Exchange.RequestBody: the content as the protocol delivers
// it, bounded in size and in time.
type bodyReader struct {
	src     io.Reader
	left    int64 // bytes that may still come
	timeout time.Duration
	// deadline sets when the reads of src fail.
	deadline func(time.Time) error
	// begin, where not nil, is called before the first read (100 Continue).
	begin func()

	started time.Time
	read    int64
	over    bool // src gave more than it may
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.over {
		return 0, exchange.ErrTooLarge
	}
	now := time.Now()
	if b.started.IsZero() {
		b.started = now
		if b.begin != nil {
			b.begin()
		}
	}
	// Each wait is bounded, and all of them together: a client that drips
	// a byte now and then gets no further than one that stops.
	until := now.Add(b.timeout)
	if total := b.started.Add(b.timeout + time.Duration(b.read)*(time.Second/minBodyRate)); total.Before(until) {
		until = total
	}
	if err := b.deadline(until); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.left == 0 { // is this the end, or is there more?
		var one [1]byte
		n, err := b.src.Read(one[:])
		if n > 0 {
			b.over = true
			return 0, exchange.ErrTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.src.Read(p)
	b.left -= int64(n)
	b.read += int64(n)
	return n, err
}
