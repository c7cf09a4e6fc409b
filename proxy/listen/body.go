package listen

import (
	"io"
	"math"
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
	size    int64 // bytes announced, or -1
	left    int64 // bytes that may still come
	timeout time.Duration
	// deadline sets when the reads of src fail.
	deadline func(time.Time) error
	// begin, where not nil, is called before the first read (100 Continue).
	begin func()

	started time.Time
	read    int64
	over    bool // src gave more than it may
	ended   bool // src came to its end
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
		b.ended = b.ended || err == io.EOF
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.src.Read(p)
	b.left -= int64(n)
	b.read += int64(n)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// unread is how much content the handler left, as far as is known.
func (b *bodyReader) unread() int64 {
	switch {
	case b.ended:
		return 0
	case b.size >= 0:
		return b.size - b.read
	}
	return math.MaxInt64
}
