package proxy

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// complaints bounds what the log says of one channel: where something fails for
// every viewer, lines would come as fast as viewers ask.
type complaints struct {
	second atomic.Int64 // Unix
	made   atomic.Int64 // in that second
	left   atomic.Int64 // out, since the last that was written
}

// mostComplaints is how many lines a channel may have in a second.
const mostComplaints = 10

// take tells whether one more may be written, and how many were left out since
// the last.
func (c *complaints) take(now time.Time) (left int64, ok bool) {
	if second := now.Unix(); c.second.Swap(second) != second {
		c.made.Store(0)
	}
	if c.made.Add(1) > mostComplaints {
		c.left.Add(1)
		return 0, false
	}
	return c.left.Swap(0), true
}

// complain writes a line about the channel to the log, unless there are too
// many.
func (r *request) complain(level slog.Level, text string, about ...any) {
	if !r.p.log.Enabled(context.Background(), level) {
		return
	}
	left, ok := r.ch.complaints.take(r.now)
	if !ok {
		return
	}
	about = append([]any{"channel", r.ch.name}, about...)
	if left > 0 {
		about = append(about, "left_out", left)
	}
	r.p.log.Log(context.Background(), level, text, about...)
}
