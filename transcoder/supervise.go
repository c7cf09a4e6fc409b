package transcoder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"manifold/origin/pack"
)

// vodNice is the niceness of an FFmpeg that is in no hurry.
const vodNice = 10

// once runs FFmpeg from its start to its end. nil means that the content came
// to its end, or that ctx did.
func (t *Transcoder) once(ctx context.Context) error {
	run, err := t.packer.Begin(ctx, t.version)
	if err != nil {
		return err
	}
	words := &tail{report: func(lines []string) { t.update(func(s *Status) { s.LastLines = lines }) }}
	nice := vodNice
	if t.cfg.Live {
		nice = 0
	}
	proc, err := t.tool.start(t.args, t.tracks, words, nice)
	if err != nil {
		_ = run.End(ctx, false)
		return err
	}
	defer proc.close()
	t.enter(Running, nil)
	t.update(func(s *Status) { s.PID, s.Progress = proc.pid, Progress{}; s.Starts++ })
	t.log.Info("encoder started", "prefix", t.cfg.Prefix, "pid", proc.pid, "ffmpeg", t.tool.Version, "live", t.cfg.Live)

	err = t.attend(ctx, run, proc)
	if err == nil && proc.err != nil && ctx.Err() == nil {
		err = failure(proc.err, t.Status().LastLines)
	}
	if e := run.End(ctx, err == nil && ctx.Err() == nil); err == nil {
		err = e
	}
	return err
}

// attend reads all that FFmpeg writes, until it has ended and the last byte
// is packaged. The error is one of ours: a track that cannot be packaged or
// stored, or a standstill. It is what ended FFmpeg, then.
func (t *Transcoder) attend(ctx context.Context, run *pack.Run, proc *process) error {
	// Segments in hand are still stored when ctx ends, while FFmpeg stops.
	work, fail := context.WithCancelCause(context.WithoutCancel(ctx))
	defer fail(nil)
	var readers, watchers sync.WaitGroup
	for i, pipe := range proc.tracks {
		readers.Go(func() {
			if err := run.Feed(work, i, pipe); err != nil {
				if errors.Is(err, io.ErrUnexpectedEOF) {
					wait(proc.done, time.Second) // FFmpeg is ending
				}
				if !proc.ended() || proc.err == nil {
					fail(err)
				} // else its own words tell more
			}
		})
	}
	readers.Go(func() {
		readProgress(proc.progress, func(p Progress) { t.update(func(s *Status) { s.Progress = p }) })
	})
	finished := make(chan struct{})
	watchers.Go(func() {
		select {
		case <-finished:
		case <-work.Done():
			proc.kill()
		case <-ctx.Done():
			proc.stop()
			if !wait(finished, stopTime) {
				fail(context.Cause(ctx))
			}
		}
	})
	watchers.Go(func() { t.watch(finished, fail) })

	<-proc.done
	readers.Wait()
	close(finished)
	watchers.Wait()
	return context.Cause(work)
}

// watch ends an FFmpeg that stands still: one that finishes no segment, or,
// where there is no hurry, does not even encode a frame.
func (t *Transcoder) watch(finished <-chan struct{}, fail context.CancelCauseFunc) {
	const ticks = 10
	tick := time.NewTicker(max(t.cfg.Stall/ticks, 10*time.Millisecond))
	defer tick.Stop()
	for last, idle := t.mark(), 0; ; idle++ {
		select {
		case <-finished:
			return
		case <-tick.C:
		}
		if at := t.mark(); at != last {
			last, idle = at, 0
		} else if idle >= ticks {
			fail(fmt.Errorf("FFmpeg stands still: no new segment for %v", t.cfg.Stall))
			return
		}
	}
}

// mark is a number that grows with the work done.
func (t *Transcoder) mark() int64 {
	next := t.packer.Status().Next
	if t.cfg.Live {
		return next
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return next + t.status.Progress.Frame
}

func wait(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
