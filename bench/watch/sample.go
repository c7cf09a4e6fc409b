package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/media"
	"manifold/bench/read"
)

// job is a piece of media to fetch and look at.
type job struct {
	doc     *doc
	where   string // the finding's place
	pathway string
	what    string // "segment 812"
	uri     string
	rng     *read.Range
	header  string // a Range header that was given as text
	head    bool   // of a resource only the beginning was asked for
	frame   bool   // a range that may hold no more than a fragment's first sample
	early   bool   // it need not be there yet
	line    finding.Line

	init *initRef
	keys []read.Key
	base func(string) string // resolves a key's URI
	msn  uint64

	duration time.Duration // by the manifest; 0: not known
	nominal  bool          // of which the real one may differ by half
	// Where media time stands: at is the segment's place on the manifest's
	// timeline; anchor is shared by segments between which it must run evenly,
	// exact (DASH) is the place that media time itself must have.
	at     time.Duration
	anchor *anchor
	exact  bool
	scale  uint64
	time   uint64
}

// initRef names an initialisation section.
type initRef struct {
	uri    string
	rng    *read.Range
	header string
	keys   []read.Key
}

// anchor is what media time was at one place of a timeline, by track.
type anchor struct {
	offset map[uint32]time.Duration
	name   map[uint32]string
}

// sample chooses which new segments of a version to fetch.
func (t *track) sample(m *read.Media) {
	if t.w.cfg.Segments == None || len(m.Segments) == 0 {
		return
	}
	first := t.prev == nil
	last := len(m.Segments) - 1
	every := max(4, len(m.Segments)/10)
	if m.Live() {
		every = 4
	}
	lane := uint64(0)
	for _, c := range t.where {
		lane += uint64(c)
	}
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.Gap || !first && s.MSN < t.prev.End() {
			continue
		}
		edge := first && (i == 0 || i == last)
		if t.w.cfg.Segments == All || edge || (!first || !m.Live()) && (s.MSN+lane)%uint64(every) == 0 || s.Discontinuity {
			t.enqueue(s)
		}
	}
}

func (t *track) enqueue(s *read.Segment) {
	base := t.base
	t.w.mu.Lock()
	f := t.facts[s.MSN]
	pathway := t.pathway
	t.w.mu.Unlock()
	if f == nil {
		return
	}
	j := job{
		doc: t.doc, where: t.where, pathway: pathway, what: fmt.Sprintf("segment %d", s.MSN), uri: resolve(base, s.URI), rng: s.Range, line: s.Line,
		keys: s.Keys, base: func(ref string) string { return resolve(base, ref) }, msn: s.MSN, duration: s.Duration, at: f.pos,
		anchor: t.anchorOf(s, f),
	}
	if t.kind == "I-FRAMES" || t.iframes {
		// A picture, and the head of the fragment that it is in: how long that
		// lasts says nothing (rfc8216bis, section 4.4.3.6).
		j.frame, j.duration = true, 0
	}
	if s.Map != nil && s.Map.URI != "" {
		j.init = &initRef{uri: resolve(base, s.Map.URI), rng: s.Map.Range, keys: s.Map.Keys}
	}
	t.w.push(j)
}

// anchors are shared by the segments between two discontinuities.
func (t *track) anchorOf(s *read.Segment, f *fact) *anchor {
	key := fmt.Sprintf("%p %d %s", t, s.DSN, f.mapping)
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if t.w.anchors == nil || len(t.w.anchors) > 10_000 {
		t.w.anchors = map[string]*anchor{}
	}
	a := t.w.anchors[key]
	if a == nil {
		a = &anchor{offset: map[uint32]time.Duration{}, name: map[uint32]string{}}
		t.w.anchors[key] = a
	}
	return a
}

// push queues a job, once for each address and place.
func (w *watcher) push(j job) {
	id := j.where + " " + w.tokens.strip(j.uri) + fmt.Sprint(j.rng, j.header)
	w.mu.Lock()
	if len(w.fetched) > 200_000 {
		clear(w.fetched)
	}
	dup := w.fetched[id]
	w.fetched[id] = true
	w.mu.Unlock()
	if dup {
		return
	}
	select {
	case w.jobs <- j:
	default:
		w.mu.Lock()
		w.missed++
		w.mu.Unlock()
	}
}

// work fetches until the watch ends.
func (w *watcher) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-w.jobs:
			w.media(ctx, j)
		}
	}
}

func ranged(rng *read.Range, header string) http.Header {
	switch {
	case header != "":
		return http.Header{"Range": {"bytes=" + header}}
	case rng != nil && rng.Length > 0:
		return http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", rng.Offset, rng.Offset+rng.Length-1)}}
	}
	return nil
}

// fetch gets a piece of media, trying twice where the network or the server
// failed. ctx's end is no finding.
func (w *watcher) fetch(ctx context.Context, uri string, header http.Header) *client.Result {
	res := w.cfg.Fetcher.Do(ctx, client.Request{URL: uri, Header: header, Keep: keepSegment, MaxBody: maxSegment})
	if ctx.Err() == nil && (res.Err != nil && res.Status == 0 || res.Status >= 500 || res.Status == http.StatusTooManyRequests) {
		if wait(ctx, 500*time.Millisecond) {
			res = w.cfg.Fetcher.Do(ctx, client.Request{URL: uri, Header: header, Keep: keepSegment, MaxBody: maxSegment})
		}
	}
	w.mu.Lock()
	w.bytes += res.Wire
	w.mu.Unlock()
	return res
}

// media fetches a segment with what it needs, and looks at it.
func (w *watcher) media(ctx context.Context, j job) {
	var (
		init *media.Init
		ok   = true
	)
	if j.init != nil {
		if init, ok = w.init(ctx, j); !ok {
			return
		}
	}
	res := w.fetch(ctx, j.uri, ranged(j.rng, j.header))
	if ctx.Err() != nil {
		return
	}
	if !w.had(j, res, "segment-unavailable", j.uri) {
		return
	}
	w.mu.Lock()
	j.doc.fetched++
	w.mu.Unlock()
	w.look(ctx, j, res, init)
}

// had tells whether a fetch brought something; what kept it from doing so is
// recorded, against the pathway where that is in trouble as a whole.
func (w *watcher) had(j job, res *client.Result, rule finding.ID, uri string) bool {
	fail := func(rule finding.ID, said string) {
		w.add(rule, j.doc, 0, evidence{where: j.where, url: uri, said: fmt.Sprintf("%s: %s", j.what, said), after: []finding.Line{j.line}})
	}
	switch {
	case res.Err != nil && res.Status >= 200 && res.Status < 300 && errors.Is(res.Err, io.ErrUnexpectedEOF):
		fail("segment-truncated", res.Err.Error())
		return false
	case res.Err != nil || res.Status >= 500 || res.Status == http.StatusTooManyRequests:
		w.failed(j, res, rule, uri)
		return false
	case tokenRefused(res.Status) && w.tokens.has(uri):
		fail("token-refused", fmt.Sprintf("%s for an address with a token%s", describe(res), w.expiry(uri)))
		return false
	case !res.OK() && j.early:
		return false
	case !res.OK():
		fail(rule, describe(res))
		return false
	}
	w.delivered(j.pathway)
	return true
}

// initEntry is an initialisation section that is being fetched, or was.
type initEntry struct {
	done chan struct{}
	init *media.Init
	ok   bool
}

// init gets the initialisation section of a segment, once for each address.
func (w *watcher) init(ctx context.Context, j job) (*media.Init, bool) {
	id := w.tokens.strip(j.init.uri) + fmt.Sprint(j.init.rng, j.init.header) + j.pathway
	w.mu.Lock()
	e := w.inits[id]
	mine := e == nil
	if mine {
		if len(w.inits) > maxInits {
			clear(w.inits)
		}
		e = &initEntry{done: make(chan struct{})}
		w.inits[id] = e
	}
	w.mu.Unlock()
	if !mine {
		select {
		case <-e.done:
			return e.init, e.ok
		case <-ctx.Done():
			return nil, false
		}
	}
	defer close(e.done)
	as := j
	as.what = "the initialisation section of " + j.what
	if !w.loadInit(ctx, as, e) {
		w.mu.Lock()
		delete(w.inits, id) // the next segment tries again
		w.mu.Unlock()
	}
	return e.init, e.ok
}

func (w *watcher) loadInit(ctx context.Context, j job, e *initEntry) bool {
	res := w.fetch(ctx, j.init.uri, ranged(j.init.rng, j.init.header))
	if ctx.Err() != nil {
		return false
	}
	if !w.had(j, res, "map-unavailable", j.init.uri) {
		return false
	}
	body, ok := w.open(ctx, j, res, j.init.keys)
	if !ok {
		return false
	}
	e.ok = true
	switch f := media.Sniff(body); f {
	case media.FMP4:
		init, err := media.ParseInit(body)
		if err != nil {
			w.badBytes(j, "map-not-media", j.init.uri, err)
			return true
		}
		e.init = init
	case media.TS, media.WebVTT:
	default:
		w.add("map-not-media", j.doc, 0, evidence{where: j.where, url: j.init.uri, said: fmt.Sprintf("%s is %s", j.what, f), after: firstLines(body)})
	}
	return true
}

// badBytes records media that cannot be read: cut short, or something else.
func (w *watcher) badBytes(j job, rule finding.ID, uri string, err error) {
	var short *media.TruncatedError
	if errors.As(err, &short) {
		rule = "segment-truncated"
	}
	w.add(rule, j.doc, 0, evidence{where: j.where, url: uri, said: fmt.Sprintf("%s: %v", j.what, err), after: []finding.Line{j.line}})
}
