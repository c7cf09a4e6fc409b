package watch

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// futureSlack is what clocks may differ by.
const futureSlack = time.Second

// remember takes in a version and samples its new segments.
func (p *presentation) remember(ctx context.Context, m *read.MPD, res *client.Result, older bool) {
	now := p.w.cfg.Now()
	fresh := false
	total := 0
	first := p.prev == nil
	var jobs []job
	for _, period := range m.Periods {
		added := p.record(period)
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				list := added[rep.ID]
				total += len(list)
				fresh = fresh || len(list) > 0
				jobs = append(jobs, p.sampled(m, period, set, rep, list, first)...)
			}
		}
	}
	p.w.mu.Lock()
	p.doc.segments += total
	for _, period := range m.Periods {
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				for _, b := range rep.Bases {
					p.w.offer(pathwayOf(b))
				}
			}
		}
	}
	p.w.mu.Unlock()
	if p.w.cfg.Segments != None {
		for _, j := range jobs {
			p.w.push(j)
		}
	}
	if fresh || first {
		if !p.lastLoad.IsZero() {
			p.interval = min(now.Sub(p.lastLoad), 10*time.Second)
		}
		p.newestAt = now
	}
	p.lastLoad = now
	if m.PublishSaid && m.Publish.After(p.newest) {
		p.newest = m.Publish
	}
	p.prune(m)
	if ctx.Err() == nil && !older {
		p.stale(m, res)
	}
}

// sampled makes the jobs for new segments of a Representation, over each of
// its locations.
func (p *presentation) sampled(m *read.MPD, period *read.Period, set *read.AdaptationSet, rep *read.Representation, list []read.Entry, first bool) []job {
	a := rep.Addressing
	if !a.Timeline && a.Duration > 0 && len(a.Entries) == 0 {
		list = p.numbered(m, period, a)
	}
	if a.Single && len(list) == 0 && first {
		list = []read.Entry{{}}
	}
	every := uint64(4)
	if first {
		every = uint64(max(4, len(list)/10))
	}
	lane := uint64(0)
	for _, c := range rep.ID {
		lane += uint64(c)
	}
	var out []job
	for i, e := range list {
		edge := first && (i == 0 || i == len(list)-1)
		if p.w.cfg.Segments != All && !edge && ((e.Number+lane)%every != 0 || first && m.Dynamic()) {
			continue
		}
		for _, b := range rep.Bases {
			if j, ok := p.jobFor(period, set, rep, b, e); ok {
				// What is listed ahead of its time (a whole advertisement's Period) is
				// not looked for in vain.
				j.early = m.Dynamic() && period.Start+a.At(e)+a.Seconds(int64(e.Duration))-a.Offset-b.Offset > p.clockOf(m)+futureSlack
				out = append(out, j)
			}
		}
	}
	return out
}

func (p *presentation) jobFor(period *read.Period, set *read.AdaptationSet, rep *read.Representation, b read.Base, e read.Entry) (job, bool) {
	a := rep.Addressing
	uri, err := b.Resolve(rep.SegmentURI(e))
	if err != nil {
		return job{}, false
	}
	pathway := pathwayOf(b)
	j := job{
		doc: p.doc, where: strings.TrimSpace(fmt.Sprintf("%s %s, %s", pathway, periodName(period), rep.ID)), pathway: pathway,
		what: fmt.Sprintf("the segment at t=%d", e.Time), uri: uri, header: e.Range, line: cmpLine(e.Line, a.Line),
		base: func(ref string) string { s, _ := b.Resolve(ref); return s },
	}
	if a.Single {
		// One resource as a whole: its beginning is looked at.
		j.what, j.header, j.head = "the file", "0-262143", true
		return j, true
	}
	j.duration = a.Seconds(int64(e.Duration))
	j.nominal = !a.Timeline
	j.exact, j.scale, j.time = true, a.Timescale, e.Time
	if set.Type == "text" || a.Incomplete {
		j.exact = false
	}
	if !a.Timeline && a.Media != "" {
		j.time = a.PTO + (e.Number-a.StartNumber)*a.Duration
		j.what = fmt.Sprintf("segment %d", e.Number)
	}
	if init := rep.InitURI(); init != "" || a.InitRange != "" {
		if s, err := b.Resolve(init); err == nil {
			j.init = &initRef{uri: s, header: a.InitRange}
		}
	}
	return j, true
}

func cmpLine(a, b finding.Line) finding.Line {
	if a.Number != 0 {
		return a
	}
	return b
}

// numbered finds the segments of a template without a timeline that are worth
// a fetch: by the clock, the newest that must be there.
func (p *presentation) numbered(m *read.MPD, period *read.Period, a *read.Addressing) []read.Entry {
	d := a.Seconds(int64(a.Duration))
	if d <= 0 || period.Start < 0 {
		return nil
	}
	at := func(k int64) read.Entry {
		return read.Entry{Number: a.StartNumber + uint64(k), Time: a.PTO + uint64(k)*a.Duration, Duration: a.Duration}
	}
	if !m.Dynamic() {
		if period.End < 0 {
			return nil
		}
		n := int64((period.End - period.Start + d - time.Millisecond) / d)
		var out []read.Entry
		for k := int64(0); k < min(n, 10_000); k++ {
			out = append(out, at(k))
		}
		if len(out) > 0 {
			out[len(out)-1].Duration = 0 // the last may be short
		}
		return out
	}
	clock := p.clockOf(m) - period.Start
	if a.Offset < read.Always {
		clock += a.Offset
	}
	if period.End >= 0 {
		clock = min(clock, period.End-period.Start)
	}
	if k := int64(clock/d) - 1; k >= 0 {
		return []read.Entry{at(k)}
	}
	return nil
}

// edges: the AdaptationSets of the running Period end together, and by the
// clock of the MPD (ISO/IEC 23009-1, section 5.3.9.5.3).
func (p *presentation) edges(m *read.MPD, res *client.Result) {
	if !m.Dynamic() || len(m.Periods) == 0 {
		return
	}
	type edge struct {
		name string
		at   time.Duration
		open bool // its Period may go on
		line finding.Line
	}
	var (
		newest edge
		list   []edge
		early  time.Duration
	)
	latest := time.Duration(-1)
	for _, period := range m.Periods {
		// A Period that has an end may be listed as a whole before it begins.
		if period.Start < 0 || period.Start > p.clockOf(m) && period.End >= 0 || period.Start < latest {
			continue
		}
		latest = period.Start
		list = list[:0]
		for _, set := range period.Sets {
			if set.Type == "image" || len(set.Reps) == 0 {
				continue
			}
			for _, rep := range set.Reps {
				a := rep.Addressing
				n := len(a.Entries)
				if !a.Timeline || n == 0 || a.Open {
					continue
				}
				last := a.Entries[n-1]
				e := edge{rep.ID, period.Start + a.At(last) + a.Seconds(int64(last.Duration)), period.End < 0, last.Line}
				list = append(list, e)
				for _, b := range rep.Bases {
					early = max(early, a.Offset+b.Offset)
				}
				if e.at > newest.at {
					newest = e
				}
			}
		}
	}
	for _, e := range list {
		lag := newest.at - e.at
		if lag <= p.longest*3/2 {
			p.lags[e.name] = 0
			continue
		}
		if p.lags[e.name]++; p.lags[e.name] == 2 {
			p.w.add("dash-edges-disagree", p.doc, p.prevN, evidence{where: "Representation " + e.name, said: fmt.Sprintf("the newest segment of %s ends %s before that of %s", e.name, lag, newest.name), after: []finding.Line{e.line}})
		}
	}
	if newest.at == 0 {
		return
	}
	// Against the server's own clock where it says it.
	now := p.w.cfg.Now()
	skew := time.Duration(0)
	if t, err := http.ParseTime(res.Header.Get("Date")); err == nil && t.Sub(now).Abs() > 2*time.Second {
		skew = t.Sub(now)
	}
	clock := now.Add(skew).Sub(m.AvailabilityStart)
	behind := (clock - newest.at).Seconds()
	p.w.mu.Lock()
	p.doc.edge = &behind
	p.w.mu.Unlock()
	switch ahead := newest.at - clock; {
	case newest.open && ahead > early+futureSlack:
		p.w.add("dash-future-segment", p.doc, p.prevN, evidence{where: "Representation " + newest.name, said: fmt.Sprintf("the newest segment ends %s from now by availabilityStartTime and Period@start", ahead.Round(time.Millisecond)), after: []finding.Line{newest.line}})
	case -ahead > max(30*time.Second, max(m.Delay, 0)+3*p.longest) && m.Periods[len(m.Periods)-1].End < 0:
		p.w.add("dash-behind", p.doc, p.prevN, evidence{said: fmt.Sprintf("the newest segment ended %s ago by availabilityStartTime and Period@start", (-ahead).Round(time.Millisecond)), after: []finding.Line{newest.line}})
	}
}

// stale: a live MPD gains segments.
func (p *presentation) stale(m *read.MPD, res *client.Result) {
	if !m.Dynamic() || p.longest == 0 || p.newestAt.IsZero() || m.MinUpdate < 0 {
		return
	}
	last, now := m.Periods, p.clockOf(m)
	timeline := false
	for _, period := range last {
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				a := rep.Addressing
				timeline = timeline || a.Timeline && !a.Open
				if n := len(a.Entries); n > 0 && period.Start+a.At(a.Entries[n-1]) > now {
					return // what is to come is listed already
				}
			}
		}
	}
	if !timeline || len(last) > 0 && last[len(last)-1].End >= 0 && last[len(last)-1].End < now {
		return
	}
	allowed := 2*p.longest + max(m.MinUpdate, time.Second) + p.interval + time.Second
	if still := res.Begin.Sub(p.newestAt); still > allowed {
		p.w.add("dash-stale", p.doc, p.prevN, evidence{said: fmt.Sprintf("no new segment for %s; the longest lasts %s, minimumUpdatePeriod is %s", still.Round(100*time.Millisecond), p.longest, m.MinUpdate), after: []finding.Line{m.Line}})
	}
}

// clock asks the sources of UTCTiming, now and then.
func (p *presentation) clock(ctx context.Context, m *read.MPD, res *client.Result) {
	now := p.w.cfg.Now()
	if len(m.Timings) == 0 || !p.clockAt.IsZero() && now.Sub(p.clockAt) < time.Minute {
		return
	}
	p.clockAt = now
	for _, t := range m.Timings {
		var (
			told time.Time
			err  error
		)
		switch kind := strings.TrimSuffix(strings.TrimPrefix(t.Scheme, "urn:mpeg:dash:utc:"), ":2014"); kind {
		case "direct":
			told, err = time.Parse(time.RFC3339Nano, t.Value)
		case "http-xsdate", "http-iso", "http-head":
			got, source := p.timeSource(ctx, m, res, t.Value)
			if ctx.Err() != nil {
				return
			}
			if !got.OK() {
				p.w.add("dash-utc-timing", p.doc, 0, evidence{said: fmt.Sprintf("%s: %s", source, describe(got)), after: []finding.Line{t.Line}})
				continue
			}
			if kind == "http-head" {
				told, err = http.ParseTime(got.Header.Get("Date"))
			} else {
				told, err = time.Parse(time.RFC3339Nano, strings.TrimSpace(string(got.Body)))
			}
		default:
			continue
		}
		if err != nil {
			p.w.add("dash-utc-timing", p.doc, 0, evidence{said: fmt.Sprintf("no time can be read: %v", err), after: []finding.Line{t.Line}})
		} else if d := told.Sub(p.w.cfg.Now()); d.Abs() > 3*time.Second && t.Scheme != "urn:mpeg:dash:utc:direct:2014" {
			p.w.add("dash-clock", p.doc, 0, evidence{said: fmt.Sprintf("it differs by %s", d.Round(time.Millisecond)), after: []finding.Line{t.Line}})
		}
	}
}

// timeSource asks for the time: a relative address is relative to a BaseURL of
// the MPD (ISO/IEC 23009-1, section 5.6.4), and without one to the MPD.
func (p *presentation) timeSource(ctx context.Context, m *read.MPD, res *client.Result, value string) (got *client.Result, source string) {
	ref := ""
	if list := strings.Fields(value); len(list) > 0 {
		ref = list[0]
	}
	bases := []string{""}
	if len(m.BaseURLs) > 0 {
		bases = bases[:0]
		for _, b := range m.BaseURLs[:min(len(m.BaseURLs), 4)] {
			bases = append(bases, b.URL)
		}
	}
	for _, b := range bases {
		source = ref
		if u, err := res.URL.Parse(b); err == nil {
			source = resolve(u, ref)
		}
		if got = p.w.cfg.Fetcher.Do(ctx, client.Request{URL: source, MaxBody: 4096, Timeout: 3 * time.Second}); got.OK() || ctx.Err() != nil {
			break
		}
	}
	return got, source
}

// patch asks for a patch once it is offered (ISO/IEC 23009-1, section 5.15).
func (p *presentation) patch(ctx context.Context, m *read.MPD, res *client.Result) {
	if len(m.Patches) == 0 || p.doc.version()%8 != 2 {
		return
	}
	address := resolve(res.URL, m.Patches[0].URL)
	got := p.w.cfg.Fetcher.Do(ctx, client.Request{URL: address, MaxBody: p.w.cfg.MaxManifest})
	if ctx.Err() != nil {
		return
	}
	if root := strings.Contains(string(got.Body[:min(len(got.Body), 4096)]), "<Patch"); !got.OK() || !root {
		p.w.add("dash-patch", p.doc, 0, evidence{url: address, said: describe(got), after: []finding.Line{m.Patches[0].Line, cmp.Or(firstLine(got.Body), finding.Line{})}})
	}
}

func firstLine(body []byte) finding.Line {
	if l := firstLines(body); len(l) > 0 {
		return l[0]
	}
	return finding.Line{}
}
