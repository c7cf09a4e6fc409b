package inspect

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"manifold/internal/problem"
	"manifold/manifest"
)

// ShadowConfig is how much of what is sent is read again.
type ShadowConfig struct {
	// Every is the share: one answer in so many. 0 means 1000, less than 0
	// none at all.
	Every int
	// PerSecond bounds the answers that are read again in a second, whatever
	// the share; 0 means 10.
	PerSecond int
	// Queue and QueueBytes bound the answers that wait, and their bytes; 0
	// means 16 and 16 MiB. What does not fit is not read.
	Queue      int
	QueueBytes int64
	// Folder is where the case of each mismatch is kept; "" keeps none. It is
	// made if need be.
	Folder string
	// Cases and CaseBytes bound that folder: the oldest cases make room; 0 means
	// 50 and 64 MiB.
	Cases     int
	CaseBytes int64
}

// The defaults of ShadowConfig.
const (
	defaultEvery      = 1000
	defaultPerSecond  = 10
	defaultQueue      = 16
	defaultQueueBytes = 16 << 20
	defaultCases      = 50
	defaultCaseBytes  = 64 << 20
)

// WithDefaults gives c with the defaults where it is 0.
func (c ShadowConfig) WithDefaults() ShadowConfig {
	c.Every = cmp.Or(c.Every, defaultEvery)
	c.PerSecond = cmp.Or(c.PerSecond, defaultPerSecond)
	c.Queue = cmp.Or(c.Queue, defaultQueue)
	c.QueueBytes = cmp.Or(c.QueueBytes, defaultQueueBytes)
	c.Cases = cmp.Or(c.Cases, defaultCases)
	c.CaseBytes = cmp.Or(c.CaseBytes, defaultCaseBytes)
	return c
}

// Validate tells what is wrong.
func (c *ShadowConfig) Validate() (l problem.List) {
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"per_second", int64(c.PerSecond)}, {"queue", int64(c.Queue)}, {"queue_bytes", c.QueueBytes},
		{"cases", int64(c.Cases)}, {"case_bytes", c.CaseBytes},
	} {
		if n.value < 0 {
			l.Add(n.key, "%d is negative", n.value)
		}
	}
	if c.Queue > 1<<16 {
		l.Add("queue", "%d answers are more than can be read again", c.Queue)
	}
	return l
}

// Shadow reads a sample of the rendered manifests again, with other people's
// libraries, and tells where those find something else in them than the source
// had. It works beside the path: Offer never waits. A nil *Shadow is off, and
// costs nothing.
type Shadow struct {
	every    uint64
	interval time.Duration // between two answers, over a longer time
	most     int64         // bytes that may wait
	log      *slog.Logger
	now      func() time.Time
	random   func() uint64
	cases    *caseFolder // nil keeps none

	queue   chan *shadowCase
	waiting atomic.Int64 // bytes in the queue
	next    atomic.Int64 // when the budget of PerSecond is free again, UnixNano
	counts  [verdictCount]atomic.Uint64
	dropped atomic.Uint64
	said    map[string]time.Time // what was logged, and when; the worker's
	done    sync.WaitGroup
	closing sync.Once
	stop    chan struct{}
}

// ShadowCounts is how many answers came to what.
type ShadowCounts struct {
	// Agrees: the second opinion found what the source has.
	Agrees uint64
	// Differs: it did not; this is a fault of ours, or of the library.
	Differs uint64
	// Disputed: the library reads the source itself differently, so that what
	// it says of the answer proves nothing.
	Disputed uint64
	// Unreadable: the library could not read the answer.
	Unreadable uint64
	// Dropped were sampled, and found no room or no budget.
	Dropped uint64
}

// verdict is what an answer came to.
type verdict uint8

const (
	agrees verdict = iota
	differs
	disputed
	unread
	verdictCount
)

// String names a verdict as logs and metrics do.
func (v verdict) String() string {
	return [...]string{"agrees", "differs", "disputed", "unreadable"}[v]
}

// shadowCase is an answer to be read again.
type shadowCase struct {
	kind           manifest.Kind
	source, output []byte
	plan           manifest.Plan // its own copy of path and values
}

// NewShadow starts a shadow verifier; nil, and no error, where the
// configuration turns it off. log gets a line per kind of mismatch and minute;
// random gives uniformly distributed numbers and is called by many goroutines.
func NewShadow(cfg ShadowConfig, log *slog.Logger, now func() time.Time, random func() uint64) (*Shadow, error) {
	if cfg.Every < 0 {
		return nil, nil
	}
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	s := &Shadow{
		every: uint64(cfg.Every), interval: time.Second / time.Duration(cfg.PerSecond),
		most: cfg.QueueBytes, log: log, now: now, random: random,
		queue: make(chan *shadowCase, cfg.Queue), said: make(map[string]time.Time), stop: make(chan struct{}),
	}
	if cfg.Folder != "" {
		var err error
		if s.cases, err = openCases(cfg.Folder, cfg.Cases, cfg.CaseBytes); err != nil {
			return nil, err
		}
	}
	s.done.Go(s.work)
	return s, nil
}

// Offer offers what was rendered of a source, compressed or not, as it was
// sent. The source must stay as it is, which that of a template does; output
// and plan are the caller's again when Offer returns. It allocates nothing
// unless the answer is taken, and never waits.
func (s *Shadow) Offer(kind manifest.Kind, source, output []byte, plan *manifest.Plan) {
	if s == nil || s.random()%s.every != 0 || plan == nil || plan.Shape == nil {
		return
	}
	if !s.take(int64(len(output))) {
		s.dropped.Add(1)
		return
	}
	c := &shadowCase{kind: kind, source: source, output: bytes.Clone(output)}
	c.plan = manifest.Plan{Shape: plan.Shape, Path: strings.Clone(plan.Path), Values: make([][]byte, len(plan.Values))}
	for i, v := range plan.Values {
		c.plan.Values[i] = bytes.Clone(v)
	}
	select {
	case s.queue <- c:
	default:
		s.waiting.Add(-int64(len(output)))
		s.dropped.Add(1)
	}
}

// take asks for room for an answer, and for its share of a second's budget.
func (s *Shadow) take(n int64) bool {
	now := s.now().UnixNano()
	free := s.next.Load()
	// Up to a second's budget may be used at once.
	if free > now+int64(time.Second) || !s.next.CompareAndSwap(free, max(free, now)+int64(s.interval)) {
		return false
	}
	if s.waiting.Add(n) > s.most {
		s.waiting.Add(-n)
		return false
	}
	return true
}

// Counts is how many answers came to what so far; zero where it is off.
func (s *Shadow) Counts() ShadowCounts {
	if s == nil {
		return ShadowCounts{}
	}
	return ShadowCounts{
		Agrees: s.counts[agrees].Load(), Differs: s.counts[differs].Load(), Disputed: s.counts[disputed].Load(),
		Unreadable: s.counts[unread].Load(), Dropped: s.dropped.Load(),
	}
}

// Close reads what waits, and ends. Offer must not be called any more.
func (s *Shadow) Close() {
	if s == nil {
		return
	}
	s.closing.Do(func() { close(s.stop) })
	s.done.Wait()
}

func (s *Shadow) work() {
	for {
		select {
		case c := <-s.queue:
			s.handle(c)
		case <-s.stop:
			for {
				select {
				case c := <-s.queue:
					s.handle(c)
				default:
					return
				}
			}
		}
	}
}

// handle reads one answer again.
func (s *Shadow) handle(c *shadowCase) {
	v, what := c.judge()
	s.waiting.Add(-int64(len(c.output)))
	s.counts[v].Add(1)
	if v == agrees || v == unread {
		return
	}
	s.tell(c, v, what)
}

// quiet is how long the same mismatch is not told again.
const quiet = time.Minute

// tell logs a mismatch and keeps its case.
func (s *Shadow) tell(c *shadowCase, v verdict, what []string) {
	now := s.now()
	key := c.plan.Path + "\n" + strings.Join(what, "\n")
	if last, ok := s.said[key]; ok && now.Sub(last) < quiet {
		return
	}
	if len(s.said) >= 256 {
		clear(s.said)
	}
	s.said[key] = now
	level := slog.LevelWarn
	if v == disputed {
		level = slog.LevelInfo
	}
	attrs := []any{"verdict", v.String(), "kind", c.kind.String(), "path", c.plan.Path, "differences", slices.Clone(what)}
	if s.cases != nil {
		name, err := s.cases.save(c, v, what, now)
		switch {
		case err != nil:
			attrs = append(attrs, "error", fmt.Sprintf("cannot keep the case: %v", err))
		case name != "":
			attrs = append(attrs, "case", name)
		}
	}
	s.log.Log(context.Background(), level, "a second reader finds another manifest than the source's", attrs...)
}
