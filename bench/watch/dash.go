package watch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// presentation is an MPD that is followed.
type presentation struct {
	w   *watcher
	doc *doc

	prev     *read.MPD
	prevN    int
	digest   string
	newest   time.Time // the latest publishTime
	periods  map[string]*period
	newestAt time.Time // when a segment was seen that was new
	interval time.Duration
	lastLoad time.Time
	lags     map[string]int
	clockAt  time.Time
	longest  time.Duration // segment
}

// mpd follows an MPD by its Location and minimumUpdatePeriod.
func (w *watcher) mpd(ctx context.Context, d *doc, res *client.Result) {
	p := &presentation{w: w, doc: d, periods: map[string]*period{}, lags: map[string]int{}}
	var running sync.WaitGroup
	defer running.Wait()
	address := w.cfg.URL
	steered := false
	for {
		if res != nil {
			m := p.version(ctx, res)
			if len(m.Locations) > 0 && m.Locations[0].URL != "" {
				address = resolve(res.URL, m.Locations[0].URL)
			}
			if m.Steering != nil && !steered {
				steered = true
				s := &steerer{w: w, doc: w.doc("steering", resolve(res.URL, m.Steering.Server)), protocol: "DASH", known: locations(m), line: m.Steering.Line}
				if len(m.Steering.Default) > 0 {
					s.initial = m.Steering.Default[0]
				}
				running.Go(func() { s.run(ctx) })
			}
		}
		if !wait(ctx, p.pause()) {
			return
		}
		again, ok := w.manifest(ctx, d, client.Request{URL: address})
		res = nil
		if !ok {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		if kind := read.Sniff(again.Body); kind != read.MPDDocument {
			w.add("not-a-manifest", d, d.version()-1, evidence{url: address, said: fmt.Sprintf("%s, Content-Type %q: %s", describe(again), again.Header.Get("Content-Type"), kind), after: firstLines(again.Body)})
			continue
		}
		res = again
	}
}

// pause is how long to wait for the next version.
func (p *presentation) pause() time.Duration {
	switch m := p.prev; {
	case m == nil:
		return 2 * time.Second
	case !m.Dynamic():
		return entryEvery
	case m.MinUpdate < 0:
		return entryEvery
	default:
		return min(max(m.MinUpdate, time.Second), 30*time.Second)
	}
}

// locations are the service locations of an MPD, in the order of their use.
func locations(m *read.MPD) []string {
	var out []string
	for _, period := range m.Periods {
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				for _, b := range rep.Bases {
					if b.Location != "" && !slices.Contains(out, b.Location) {
						out = append(out, b.Location)
					}
				}
			}
		}
	}
	return out
}

// version takes in a version of the MPD.
func (p *presentation) version(ctx context.Context, res *client.Result) *read.MPD {
	w := p.w
	m := read.ParseMPD(res.Body, res.URL)
	w.problems(p.doc, m.Problems)
	w.problems(p.doc, read.SecondMPD(res.Body, m))
	w.contentType(p.doc, res, read.MPDDocument)
	if m.Broken {
		return m // what is missing says nothing
	}
	if m.Dynamic() && m.MinUpdate > 0 {
		w.slow(p.doc, res, max(m.MinUpdate, time.Second))
	}
	for _, period := range m.Periods {
		for _, set := range period.Sets {
			for _, rep := range set.Reps {
				for _, e := range rep.Addressing.Entries {
					p.longest = max(p.longest, rep.Addressing.Seconds(int64(e.Duration)))
				}
				if rep.Addressing.Duration > 0 {
					p.longest = max(p.longest, rep.Addressing.Seconds(int64(rep.Addressing.Duration)))
				}
			}
		}
	}
	digest := p.digestOf(res.Body)
	older := p.compare(m, digest)
	p.remember(ctx, m, res, older)
	if !older {
		p.edges(m, res)
		p.order(m)
		p.prev, p.prevN, p.digest = m, p.doc.version(), digest
	}
	p.clock(ctx, m, res)
	p.patch(ctx, m, res)
	return m
}

// changing are the parts of an MPD that may change without an update: the time
// of day itself, and publishTime, which is compared apart.
var changing = regexp.MustCompile(`(?s)<!--.*?-->|<UTCTiming[^>]*>|\bpublishTime\s*=\s*("[^"]*"|'[^']*')|<Location[^>]*>[^<]*</Location>|<PatchLocation[^>]*>[^<]*</PatchLocation>`)

// digestOf is what an MPD says, without tokens.
func (p *presentation) digestOf(body []byte) string {
	sum := sha256.Sum256([]byte(p.w.tokens.strip(string(changing.ReplaceAll(bytes.Clone(body), nil)))))
	return hex.EncodeToString(sum[:8])
}

// order tells where a viewer of this MPD goes first.
func (p *presentation) order(m *read.MPD) {
	var first string
	if m.Steering != nil && len(m.Steering.Default) > 0 {
		first = m.Steering.Default[0]
	} else if len(m.Periods) > 0 {
		last := m.Periods[len(m.Periods)-1]
		if len(last.Sets) > 0 && len(last.Sets[0].Reps) > 0 && len(last.Sets[0].Reps[0].Bases) > 0 {
			first = pathwayOf(last.Sets[0].Reps[0].Bases[0])
		}
	}
	if first != "" {
		p.w.firstChoice(p.doc, first, "the MPD")
	}
}

// pathwayOf names where a base leads.
func pathwayOf(b read.Base) string {
	host := ""
	if b.URL != nil {
		host = b.URL.Host
	}
	return cmp.Or(b.Location, host)
}

func (p *presentation) say(rule finding.ID, where, said string, before, after finding.Line) {
	p.w.add(rule, p.doc, p.prevN, evidence{where: where, said: said, before: []finding.Line{before}, after: []finding.Line{after}})
}
