package watch

import (
	"cmp"
	"fmt"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
)

// outage is how a pathway does.
type outage struct {
	since, last time.Time // of failing now; since is zero when it delivers
	why         string
	url         string
}

// failed notes that a pathway did not deliver. With another to go to that is
// the pathway's trouble, and only where viewers are sent is the stream's;
// without one it is the stream's at once.
func (w *watcher) failed(j job, res *client.Result, rule finding.ID, uri string) {
	now := w.cfg.Now()
	w.mu.Lock()
	o := w.outages[j.pathway]
	if o == nil {
		o = &outage{}
		w.outages[j.pathway] = o
	}
	if o.since.IsZero() {
		o.since = now
	}
	o.last, o.why, o.url = now, describe(res), uri
	alone := len(w.pathways) < 2
	dead := !alone
	for _, p := range w.pathways {
		// Known to fail in these seconds: nothing came of it since.
		if x := w.outages[p]; x == nil || x.since.IsZero() || now.Sub(x.last) > 20*time.Second {
			dead = false
		}
	}
	w.mu.Unlock()
	line := []finding.Line{j.line}
	switch {
	case alone:
		w.add(rule, j.doc, 0, evidence{where: j.where, url: uri, said: fmt.Sprintf("%s: %s", j.what, describe(res)), after: line})
	case dead:
		w.add("all-pathways-dead", j.doc, 0, evidence{where: "all pathways", url: uri, said: fmt.Sprintf("%s: %s", j.what, describe(res)), after: line})
	default:
		w.add("pathway-down", j.doc, 0, evidence{where: cmp.Or(j.pathway, "the pathway"), url: uri, said: fmt.Sprintf("%s: %s", j.what, describe(res)), after: line})
	}
}

// delivered notes that a pathway works.
func (w *watcher) delivered(pathway string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.outages[pathway]; o != nil && !o.since.IsZero() {
		o.since = time.Time{}
	}
}

// firstChoice judges where viewers are sent first: not to a pathway that has
// failed for longer than the grace.
func (w *watcher) firstChoice(d *doc, pathway, by string) {
	now := w.cfg.Now()
	w.mu.Lock()
	o := w.outages[pathway]
	var (
		said, uri string
		began     time.Time
	)
	if o != nil && !o.since.IsZero() && len(w.pathways) > 1 && now.Sub(o.since) > w.cfg.Grace && now.Sub(o.last) < w.cfg.Grace {
		said = fmt.Sprintf("%s has failed for %s (%s), and %s still names it first", pathway, now.Sub(o.since).Round(time.Second), o.why, by)
		uri, began = o.url, o.since
	}
	w.mu.Unlock()
	if said != "" {
		w.add("dead-pathway-first", d, 0, evidence{where: pathway, url: uri, said: said, at: began})
	}
}
