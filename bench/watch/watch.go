package watch

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// watcher is one run.
type watcher struct {
	cfg    Config
	tokens *tokens
	log    finding.Log
	jobs   chan job
	parse  chan struct{} // held while a playlist is read and compared
	began  time.Time

	mu       sync.Mutex // guards what follows
	kind     string
	docs     []*doc
	facts    []string
	bytes    int64
	missed   int // segments that nobody had time to fetch
	inits    map[string]*initEntry
	keys     map[string][]byte
	fetched  map[string]bool
	outages  map[string]*outage
	pathways []string // that the presentation offers
	tracks   []*track
	listed   int // segments of the newest versions of all tracks
	anchors  map[string]*anchor
}

// doc is one document that is followed.
type doc struct {
	name, url string
	reloads   atomic.Int64
	segments  int
	fetched   int
	edge      *float64
	slow      int // reloads in a row that took long
}

// version is the number of the newest version, from 1.
func (d *doc) version() int { return int(d.reloads.Load()) }

// Run watches until cfg.For has passed or ctx ends. The error is about the
// configuration; whatever the presentation does is in the report.
func Run(ctx context.Context, cfg Config) (*finding.Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.defaults()
	w := &watcher{
		cfg: cfg, tokens: newTokens(cfg.Ignore, cfg.Personal), jobs: make(chan job, maxJobs), parse: make(chan struct{}, parsers), began: cfg.Now(),
		inits: map[string]*initEntry{}, keys: map[string][]byte{}, fetched: map[string]bool{}, outages: map[string]*outage{},
		kind: "nothing that can be watched",
	}
	var stop context.CancelFunc
	if cfg.For > 0 {
		ctx, stop = context.WithTimeout(ctx, cfg.For)
	} else {
		ctx, stop = context.WithCancel(ctx)
	}
	defer stop()
	var media sync.WaitGroup
	for range workers {
		media.Go(func() { w.work(ctx) })
	}
	w.follow(ctx)
	stop()
	media.Wait()
	return w.report(), nil
}

// follow reads the entry address and goes on by what it finds there.
func (w *watcher) follow(ctx context.Context) {
	d := w.doc("entry", w.cfg.URL)
	res, ok := w.manifest(ctx, d, client.Request{URL: w.cfg.URL})
	if !ok {
		return
	}
	kind := read.Sniff(res.Body)
	w.mu.Lock()
	w.kind = string(kind)
	w.mu.Unlock()
	switch kind {
	case read.Multivariant:
		w.twoViewers(ctx, d)
		w.multivariant(ctx, d, res)
	case read.MediaList:
		d.name = "media playlist"
		t := w.addTrack(&track{doc: d, where: "media playlist", url: w.cfg.URL, kind: "VIDEO"})
		t.run(ctx, res)
	case read.MPDDocument:
		d.name = "MPD"
		w.twoViewers(ctx, d)
		w.mpd(ctx, d, res)
	default:
		w.add("not-a-manifest", d, 0, evidence{said: fmt.Sprintf("%s: %s, Content-Type %q", describe(res), kind, res.Header.Get("Content-Type")), after: firstLines(res.Body)})
	}
}

// report puts together what is known.
func (w *watcher) report() *finding.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &finding.Report{URL: w.tokens.redact(w.cfg.URL), Kind: w.kind, Began: w.began, Ended: w.cfg.Now(), Edges: w.cfg.Edges, Client: w.cfg.Client, Bytes: w.bytes, Facts: w.facts}
	for _, d := range w.docs {
		r.Resources = append(r.Resources, finding.Resource{Name: d.name, URL: w.tokens.redact(d.url), Reloads: d.version(), Segments: d.segments, Fetched: d.fetched, Edge: d.edge})
		r.SegmentsSeen += d.segments
		r.SegmentsFetched += d.fetched
	}
	if w.missed > 0 {
		r.Facts = append(r.Facts, fmt.Sprintf("%d segments were not fetched: they came faster than this machine or the server could deliver", w.missed))
	}
	r.Fill(&w.log, w.cfg.Known)
	return r
}

func (w *watcher) doc(name, address string) *doc {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := &doc{name: name, url: address}
	w.docs = append(w.docs, d)
	return d
}

func (w *watcher) fact(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.facts) < 20 {
		w.facts = append(w.facts, fmt.Sprintf(format, args...))
	}
}

// evidence is what a finding is shown by.
type evidence struct {
	where         string // replaces the document's name
	url           string // replaces the document's address
	said          string
	before, after []finding.Line
	at            time.Time // when it began, where that is not now
}

// add records a finding about version reload of d, against previous where it
// is not 0.
func (w *watcher) add(rule finding.ID, d *doc, previous int, e evidence) {
	f := finding.Finding{Rule: finding.Of(rule), Where: d.name, URL: d.url, Reload: d.version(), Previous: previous, At: w.cfg.Now(), Said: w.tokens.redact(e.said)}
	if e.where != "" {
		f.Where = e.where
	}
	if e.url != "" {
		f.URL = e.url
	}
	if !e.at.IsZero() {
		f.At, f.Last = e.at, f.At
	}
	f.URL = w.tokens.redact(f.URL)
	f.Before, f.After = w.redactLines(e.before), w.redactLines(e.after)
	if w.log.Add(f) && f.Rule.Severity == finding.Violation {
		w.cfg.Progress(fmt.Sprintf("%s %s: %s", f.At.UTC().Format("15:04:05Z"), rule, f.Said))
	}
}

func (w *watcher) redactLines(lines []finding.Line) []finding.Line {
	var out []finding.Line
	for _, l := range lines {
		if l.Text != "" {
			out = append(out, finding.Line{Number: l.Number, Text: w.tokens.redact(l.Text)})
		}
	}
	return out
}

// problems reports what reading a document found.
func (w *watcher) problems(d *doc, list []read.Problem) {
	for _, p := range list {
		w.add(p.Rule, d, 0, evidence{said: p.Said, after: []finding.Line{p.Line}})
	}
}

// wait waits, and tells whether there is more to do.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// resolve makes an absolute address.
func resolve(base *url.URL, ref string) string {
	if base == nil {
		return ref
	}
	u, err := base.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

// firstLines are the first lines of a body, as evidence.
func firstLines(body []byte) []finding.Line {
	var out []finding.Line
	for n := 1; n <= 3 && len(body) > 0; n++ {
		i := 0
		for i < len(body) && body[i] != '\n' && i < 300 {
			i++
		}
		out = append(out, finding.Line{Number: n, Text: string(body[:i])})
		for i < len(body) && body[i] != '\n' {
			i++
		}
		body = body[min(i+1, len(body)):]
	}
	return out
}
