package load

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"manifold/bench/client"
	"manifold/bench/result"
	"manifold/bench/scenario"
	"manifold/bench/viewer"
)

// engine is one round.
type engine struct {
	s       *scenario.Scenario
	o       Options
	groups  []*group
	rng     *rand.Rand
	seed    uint64
	round   int
	library *viewer.Library

	ctx      context.Context
	began    time.Time
	arrivals []time.Duration
	next     int // of arrivals
	slots    []*slot
	due      dueHeap
	answers  chan reply
	flying   sync.WaitGroup
	open     int       // requests in flight
	queue    []*flight // what waits for others to come back
	cause    time.Time // when what is being handled was due
	classes  [viewer.Kinds]*result.Class
	out      result.Round
	measured bool
	count    counters
}

// slot is a viewer with its network and its requests.
type slot struct {
	v      *viewer.Viewer
	group  *group
	client *client.Client
	number int // in its group
	link   viewer.Link
	wake   timer
	flying []*flight
	over   bool
}

// flight is a request on its way.
type flight struct {
	slot     *slot
	r        viewer.Request
	due      time.Time
	cancel   context.CancelFunc
	progress *client.Progress // real media
	first    time.Time        // media that is only counted
	sent     time.Time
	real     bool
	gone     bool
	deliver  timer
}

// reply is what came of a real request.
type reply struct {
	f *flight
	a viewer.Answer
}

// timer is an entry of the heap: a viewer's wake, or an answer to deliver.
type timer struct {
	at     time.Time
	index  int // in the heap, from 1; 0: not in it
	slot   *slot
	flight *flight
	answer *viewer.Answer
}

type dueHeap []*timer

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}
func (h *dueHeap) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.index = len(*h)
}
func (h *dueHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = 0
	return t
}

// set puts a timer at a time; zero takes it out.
func (e *engine) set(t *timer, at time.Time) {
	switch {
	case at.IsZero():
		if t.index > 0 {
			heap.Remove(&e.due, t.index-1)
		}
	case t.index > 0:
		if !t.at.Equal(at) {
			t.at = at
			heap.Fix(&e.due, t.index-1)
		}
	default:
		t.at = at
		heap.Push(&e.due, t)
	}
}

// run is the round, from the first arrival to the last answer.
func (e *engine) run(ctx context.Context) *result.Round {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.ctx = ctx
	e.began = time.Now()
	e.out.Began = e.began.UTC()
	e.measured = e.s.Warmup == 0
	end := e.began.Add(e.s.For)
	e.startCounting()
	clock := time.NewTimer(0)
	defer clock.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		if !now.Before(end) {
			break
		}
		e.pass(now)
		if e.next == len(e.arrivals) && e.idle() {
			break // everybody has seen all of it
		}
		wait := end
		if e.count.next.Before(wait) {
			wait = e.count.next
		}
		if len(e.due) > 0 && e.due[0].at.Before(wait) {
			wait = e.due[0].at
		}
		if e.next < len(e.arrivals) {
			if at := e.began.Add(e.arrivals[e.next]); at.Before(wait) {
				wait = at
			}
		}
		clock.Reset(time.Until(wait))
		select {
		case <-ctx.Done():
		case <-clock.C:
		case r := <-e.answers:
			e.answered(r)
			e.drain()
		}
	}
	e.close(cancel)
	return &e.out
}

// idle tells whether no viewer is left.
func (e *engine) idle() bool {
	return e.count.present == 0 && e.open == 0
}

// drain takes the answers that are there, but not for ever.
func (e *engine) drain() {
	for range 256 {
		select {
		case r := <-e.answers:
			e.answered(r)
		default:
			return
		}
	}
}

// pass does all that is due.
func (e *engine) pass(now time.Time) {
	for !e.count.next.After(now) {
		e.second(now)
	}
	for e.next < len(e.arrivals) {
		at := e.began.Add(e.arrivals[e.next])
		if at.After(now) {
			break
		}
		e.next++
		e.lag(now, at)
		e.arrive(now, at)
	}
	for n := 0; len(e.due) > 0 && !e.due[0].at.After(now); n++ {
		t := e.due[0]
		heap.Pop(&e.due)
		e.cause = t.at
		if t.flight != nil {
			e.land(t.flight)
			e.tell(t.slot, t.answer)
			continue
		}
		e.lag(now, t.at)
		t.slot.v.Wake(now)
		e.settle(t.slot)
		if n%64 == 63 { // others wait meanwhile
			e.drain()
			now = time.Now()
		}
	}
}

func (e *engine) lag(now, at time.Time) {
	d := now.Sub(at)
	e.count.lag.Add(d)
	if e.measured {
		e.out.Generator.Lag.Add(d)
	}
}

// arrive brings a viewer in.
func (e *engine) arrive(now, at time.Time) {
	g := e.groups[e.s.Group(e.rng)]
	id := len(e.slots)
	s := &slot{group: g, number: g.n, link: viewer.Link{Trace: g.link, Trip: g.Trip, Began: now}}
	s.client = g.clients.Viewer(g.n)
	g.n++
	s.wake.slot = s
	cfg := viewer.Config{
		ID: id, Seed: e.seed, Profile: g.profile, ABR: g.abr, Seek: g.Seek, URL: e.address(g, id),
		Media: e.s.Media > 0 && e.rng.Float64() < float64(e.s.Media),
	}
	if g.Stay > 0 {
		cfg.Stay = time.Duration(e.rng.ExpFloat64()*float64(g.Stay)) + time.Millisecond
	}
	s.v = viewer.New(cfg, (*port)(e))
	e.slots = append(e.slots, s)
	e.out.Viewers.Arrived++
	e.count.present++
	e.out.Viewers.Most = max(e.out.Viewers.Most, e.count.present)
	e.cause = at
	s.v.Start(now)
	e.settle(s)
}

// settle sets a viewer's timer, or says good-bye to it.
func (e *engine) settle(s *slot) {
	if !s.v.Outcome().State.Over() {
		e.set(&s.wake, s.v.Next())
		return
	}
	e.set(&s.wake, time.Time{})
	if s.over {
		return
	}
	s.over = true
	e.count.present--
	e.collect(s)
	s.v = nil // thousands come and go: nothing is kept of them
	if len(s.flying) == 0 {
		s.group.clients.Leave(s.number)
	}
}

// answered takes a reply off the channel.
func (e *engine) answered(r reply) {
	f := r.f
	e.open--
	for len(e.queue) > 0 && e.open < e.s.InFlight {
		next := e.queue[0]
		e.queue = e.queue[1:]
		if !next.gone {
			e.launch(next)
		}
	}
	if f.gone {
		if f.slot.over && len(f.slot.flying) == 0 {
			f.slot.group.clients.Leave(f.slot.number)
		}
		return
	}
	e.record(f, &r.a)
	e.cause = r.a.Done
	if !f.r.Kind.Document() { // real media is no faster than the viewer's network
		first, done := f.slot.link.Send(r.a.Begin, r.a.Bytes)
		if done.After(r.a.Done) {
			if first.After(r.a.First) {
				r.a.First = first
			}
			r.a.Done = done
			f.deliver = timer{slot: f.slot, flight: f, answer: &r.a}
			e.set(&f.deliver, done)
			return
		}
	}
	e.land(f)
	e.tell(f.slot, &r.a)
}

// tell hands an answer to its viewer.
func (e *engine) tell(s *slot, a *viewer.Answer) {
	if s.over {
		if len(s.flying) == 0 {
			s.group.clients.Leave(s.number)
		}
		return
	}
	s.v.Answer(time.Now(), a)
	e.settle(s)
}

// land takes a flight off its viewer's list.
func (e *engine) land(f *flight) {
	for i, x := range f.slot.flying {
		if x == f {
			f.slot.flying = append(f.slot.flying[:i], f.slot.flying[i+1:]...)
			return
		}
	}
}

// close ends all viewers and waits for what is in flight.
func (e *engine) close(cancel context.CancelFunc) {
	now := time.Now()
	for !e.count.next.After(now) {
		e.second(now)
	}
	for _, s := range e.slots {
		if !s.over {
			s.v.Leave(now)
			e.settle(s)
		}
	}
	cancel()
	gone := make(chan struct{})
	go func() { e.flying.Wait(); close(gone) }()
	for waiting := true; waiting; {
		select {
		case <-e.answers:
		case <-gone:
			waiting = false
		}
	}
	e.finish(now)
}
