package load

import (
	"fmt"
	"time"

	"manifold/bench/result"
	"manifold/bench/viewer"
)

// counters are those of the second that is running.
type counters struct {
	next     time.Time
	last     time.Time
	present  int
	requests int64
	errors   int64
	latency  result.Histogram // of manifests
	lag      result.Histogram
	cpu      time.Duration
	cpuSum   float64
	seconds  int
	hot      int // seconds in which the processors were all but used up
	late     int // seconds in which the loop was late
	bits     float64
	filmed   time.Duration
}

const (
	tooLate = 100 * time.Millisecond // the 99th percentile of how late things are done
	tooHot  = 0.9                    // share of the processors

	idleEnough = 0.5 // share of the processors below which lateness is not its own doing
)

func (e *engine) startCounting() {
	e.count.last = e.began
	e.count.next = e.began.Add(time.Second)
	if e.o.CPU != nil {
		e.count.cpu = e.o.CPU()
	}
}

// second closes a second.
func (e *engine) second(now time.Time) {
	c := &e.count
	s := result.Second{
		At: c.next.Sub(e.began).Seconds(), Viewers: c.present, Requests: c.requests, Errors: c.errors, InFlight: e.open,
		P50: c.latency.At(.5).Seconds() * 1000, P99: c.latency.At(.99).Seconds() * 1000, Lag: c.lag.At(.99).Seconds() * 1000,
	}
	for _, x := range e.slots {
		if x.over {
			continue
		}
		switch x.v.Outcome().State {
		case viewer.Stalled:
			s.Stalled++
		case viewer.Starting:
			s.Starting++
		}
	}
	if took := now.Sub(c.last); e.o.CPU != nil && took > 0 {
		used := e.o.CPU()
		s.CPU = min(float64(used-c.cpu)/float64(took)/float64(e.out.Generator.Processors), 1)
		c.cpu = used
	}
	if e.measured {
		c.seconds++
		c.cpuSum += s.CPU
		e.out.Generator.CPUMost = max(e.out.Generator.CPUMost, s.CPU)
		if s.CPU > tooHot {
			c.hot++
		}
		if c.lag.At(.99) > tooLate {
			c.late++
		}
	}
	c.last, c.next = now, c.next.Add(time.Second)
	c.requests, c.errors = 0, 0
	c.latency.Reset()
	c.lag.Reset()
	e.out.Series = append(e.out.Series, s)
	if !e.measured && s.At >= e.s.Warmup.Seconds() {
		e.measured = true
	}
	if e.o.Progress != nil {
		e.o.Progress(Status{Round: e.round + 1, Rounds: e.s.Rounds, At: time.Duration(s.At * float64(time.Second)), For: e.s.For,
			Warming: !e.measured, Second: s, Saturated: len(e.saturated()) > 0})
	}
}

// record counts an answer that came over a connection.
func (e *engine) record(f *flight, a *viewer.Answer) {
	c := e.classes[f.r.Kind]
	latency := a.Done.Sub(f.due)
	if f.r.Kind.Document() && f.r.Kind != viewer.Steering {
		e.count.latency.Add(latency)
	}
	e.count.requests++
	if !a.OK() {
		e.count.errors++
	}
	if !e.measured {
		return
	}
	c.Count++
	c.Bytes += a.Bytes
	c.Said[said(a)]++
	if !a.OK() {
		c.Errors++
	}
	c.Latency.AddEvery(latency, f.r.Every)
	c.Service.Add(a.Done.Sub(a.Begin))
}

// counted counts a segment for its pathway.
func (e *engine) counted(pathway string) {
	const most = 64
	if m := e.out.Quality.Pathways; len(m) < most || m[pathway] > 0 {
		m[pathway]++
	}
}

// collect takes what a viewer got.
func (e *engine) collect(s *slot) {
	o := s.v.Outcome()
	v, q := &e.out.Viewers, &e.out.Quality
	switch o.State {
	case viewer.Ended:
		v.Ended++
	case viewer.Left:
		v.Left++
	case viewer.Failed:
		v.Failed++
		const most = 32
		if len(v.Why) < most || v.Why[o.Why] > 0 {
			v.Why[o.Why]++
		}
	}
	if o.Startup >= 0 {
		v.Started++
		q.Startup.Add(o.Startup)
	}
	q.Stood += o.Stood.Seconds()
	q.Played += o.Played.Seconds()
	q.Stalls += o.Stalls
	q.Seeks += o.Seeks
	q.Sought += o.Sought.Seconds()
	q.Switches += o.Switches
	q.Moves += o.Moves
	q.Steered += o.Steered
	q.Jumps += o.Jumps
	q.Segments += o.Segments
	q.Fetched += o.Fetched
	q.Bytes += o.Bytes
	if o.Deaf {
		q.Deaf++
	}
	e.count.bits += o.Bits
	e.count.filmed += o.Filmed
	if e.o.Each != nil {
		e.o.Each(s.v.Config().ID, o)
	}
}

// finish closes the round's figures.
func (e *engine) finish(now time.Time) {
	e.out.Seconds = max(now.Sub(e.began).Seconds()-e.s.Warmup.Seconds(), 0)
	for _, c := range e.classes {
		if c.Count > 0 {
			e.out.Requests = append(e.out.Requests, c)
		}
	}
	g := &e.out.Generator
	if e.count.seconds > 0 {
		g.CPUMean = e.count.cpuSum / float64(e.count.seconds)
	}
	if e.count.filmed > 0 {
		e.out.Quality.Rate = e.count.bits / e.count.filmed.Seconds()
	}
	g.Documents, g.Shared = e.library.Shared()
	g.Saturated = e.saturated()
}

// saturated tells why the generator's figures are not to be trusted.
func (e *engine) saturated() []string {
	out := []string{}
	c, g := &e.count, &e.out.Generator
	if c.late > 1 && c.late*20 > c.seconds {
		why := ""
		if e.o.CPU != nil && c.cpuSum < float64(c.seconds)*idleEnough {
			why = ", though it used less than half of its processors: something else keeps the machine busy"
		}
		out = append(out, fmt.Sprintf("in more than one second in twenty, things were done more than %s late%s", tooLate, why))
	}
	if c.hot > 1 && c.hot*10 > c.seconds {
		out = append(out, fmt.Sprintf("in more than one second in ten, more than %.0f %% of the processors were in use", 100*tooHot))
	}
	if g.Queued > 0 {
		out = append(out, fmt.Sprintf("requests had to wait because %d were in flight", e.s.InFlight))
	}
	return out
}
