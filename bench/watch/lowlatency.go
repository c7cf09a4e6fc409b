package watch

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// blocked judges the answer to a blocking reload (rfc8216bis, section
// 6.2.5.2).
func (t *track) blocked(ctx context.Context, res *client.Result, directives string, took time.Duration) {
	limit := 3 * t.prev.Target
	switch {
	case res.Status == http.StatusServiceUnavailable && took >= limit-t.prev.Target:
		t.w.add("ll-block-late", t.doc, t.prevN, evidence{said: fmt.Sprintf("%s was answered with 503 after %s", directives, took.Round(time.Millisecond))})
		return
	case res.Status == 0 || took > limit+time.Second:
		t.w.add("ll-block-late", t.doc, t.prevN, evidence{said: fmt.Sprintf("%s was not answered for %s; three target durations are %s", directives, took.Round(time.Millisecond), limit)})
		return
	case !res.OK():
		return // reported as what it is
	}
	if !t.w.turn(ctx) {
		return
	}
	defer t.w.done()
	m := read.ParseMedia(res.Body, read.Environment{URL: res.URL, Defined: t.defined})
	if m.Ended {
		return
	}
	wantEnd, wantParts := t.prev.End(), len(t.prev.Parts)
	partial := strings.Contains(directives, "_HLS_part=")
	if m.End() > wantEnd || partial && m.End() == wantEnd && len(m.Parts) > wantParts {
		return
	}
	t.early = true
	if m.End() < wantEnd && t.w.cfg.Edges == 1 && m.Sequence < t.prev.Sequence {
		return // the number went back, which is worse
	}
	t.w.add("ll-block-early", t.doc, t.prevN, evidence{said: fmt.Sprintf("%s was answered after %s with segment %d and %d parts of the next", directives, took.Round(time.Millisecond), m.End()-1, len(m.Parts)), after: lastLines(m)})
}

func lastLines(m *read.Media) []finding.Line {
	return m.Lines[max(0, len(m.Lines)-4):]
}

// hints: a hinted part is what is listed next (rfc8216bis, section 4.4.5.3).
func (t *track) hints(m *read.Media) {
	p := t.prev
	for _, h := range p.Hints {
		if h.Type != "PART" {
			continue
		}
		next := partAt(m, p.End(), len(p.Parts))
		if next == nil {
			continue
		}
		if is, was := t.w.tokens.strip(resolve(t.base, next.URI)), t.w.tokens.strip(resolve(t.base, h.URI)); is != was {
			t.say("ll-hint", fmt.Sprintf("the hint was %s and the part that came is %s", was, is), h.Line, next.Line)
		}
	}
}

// partAt finds a part by its place; one past the last of a segment is the
// first of the next.
func partAt(m *read.Media, msn uint64, index int) *read.Part {
	for range 2 {
		parts := m.Parts
		if msn < m.End() {
			i := int(int64(msn) - int64(m.Sequence))
			if i < 0 || i >= len(m.Segments) {
				return nil
			}
			parts = m.Segments[i].Parts
		} else if msn > m.End() {
			return nil
		}
		if index < len(parts) {
			return &parts[index]
		}
		if msn >= m.End() || len(parts) == 0 {
			return nil
		}
		msn, index = msn+1, 0
	}
	return nil
}

// sameParts: parts that are listed in two versions are the same.
func (t *track) sameParts(m *read.Media) {
	p := t.prev
	if p.PartTarget == 0 {
		return
	}
	check := func(msn uint64, index int, was *read.Part) {
		is := partAt(m, msn, index)
		if is == nil {
			return
		}
		a, b := t.w.tokens.strip(resolve(t.base, was.URI)), t.w.tokens.strip(resolve(t.base, is.URI))
		if a != b || was.Duration != is.Duration || was.Independent != is.Independent {
			t.say("ll-part-changed", fmt.Sprintf("part %d of segment %d changed", index, msn), was.Line, is.Line)
		}
	}
	for i := range p.Parts {
		check(p.End(), i, &p.Parts[i])
	}
	for i := max(0, len(p.Segments)-4); i < len(p.Segments); i++ {
		s := &p.Segments[i]
		if msn := s.MSN; msn < m.End() && msn >= m.Sequence {
			if now := m.Segments[msn-m.Sequence].Parts; len(now) != len(s.Parts) {
				continue // the parts of old segments leave
			}
			for k := range s.Parts {
				check(msn, k, &s.Parts[k])
			}
		}
	}
}

// probe asks, once for each track, what a server must refuse, and then now and
// again for a delta update.
func (t *track) probe(ctx context.Context) {
	m := t.prev
	if m.Control == nil || !m.Live() {
		return
	}
	if m.Control.CanBlockReload && !t.probed {
		t.probed = true
		t.refuses(ctx, "_HLS_part=0", "ll-block-unchecked")
		t.refuses(ctx, fmt.Sprintf("_HLS_msn=%d", m.End()+100), "ll-block-far")
	}
	if m.Control.CanSkipUntil > 0 && t.doc.version()%8 == 1 {
		t.delta(ctx)
	}
	if len(m.Hints) > 0 && t.doc.version()%16 == 4 {
		t.hinted(ctx, m.Hints[0])
	}
}

func (t *track) refuses(ctx context.Context, directives string, rule finding.ID) {
	res := t.w.cfg.Fetcher.Do(ctx, client.Request{URL: withQuery(t.url, directives), MaxBody: t.w.cfg.MaxManifest, Timeout: 2 * time.Second})
	if ctx.Err() != nil || res.Status >= 400 && res.Status < 500 {
		return
	}
	t.w.add(rule, t.doc, 0, evidence{said: fmt.Sprintf("%s was answered with %s", directives, describe(res))})
}

// hinted asks for what a hint names: the server holds the request until it is
// there.
func (t *track) hinted(ctx context.Context, h read.Hint) {
	address := resolve(t.base, h.URI)
	res := t.w.cfg.Fetcher.Do(ctx, client.Request{URL: address, Keep: 4096, MaxBody: maxSegment, Timeout: 2*t.prev.Target + time.Second})
	if ctx.Err() != nil || res.Status == 0 || res.OK() || res.Status >= 500 {
		return
	}
	// It may never come (an early return from a break): 404 is then right. The
	// next version tells; here, only a refusal that is none of these counts.
	if res.Status != http.StatusNotFound {
		t.w.add("ll-hint-unavailable", t.doc, t.prevN, evidence{said: describe(res), url: address, after: []finding.Line{h.Line}})
		return
	}
	again := t.w.cfg.Fetcher.Do(ctx, client.Request{URL: t.url, MaxBody: t.w.cfg.MaxManifest})
	if !again.OK() {
		return
	}
	m := read.ParseMedia(again.Body, read.Environment{URL: again.URL, Defined: t.defined})
	came := partAt(m, t.prev.End(), len(t.prev.Parts)) != nil
	still := len(m.Hints) > 0 && m.Hints[0].URI == h.URI
	if came || still {
		t.w.add("ll-hint-unavailable", t.doc, t.prevN, evidence{said: "404 for a part that is hinted still, or was listed then", url: address, after: []finding.Line{h.Line}})
	}
}

// delta asks for a delta update and holds it against what is known in full
// (rfc8216bis, sections 4.4.5.2 and 6.2.5.1).
func (t *track) delta(ctx context.Context) {
	full := t.prev
	var whole time.Duration
	for i := range full.Segments {
		whole += full.Segments[i].Duration
	}
	res := t.w.cfg.Fetcher.Do(ctx, client.Request{URL: withQuery(t.url, "_HLS_skip=YES"), MaxBody: t.w.cfg.MaxManifest})
	if ctx.Err() != nil || !res.OK() {
		return
	}
	d := read.ParseMedia(res.Body, read.Environment{URL: res.URL, Defined: t.defined})
	if !d.HasSkip {
		if whole > full.Control.CanSkipUntil+2*full.Target && d.Live() {
			t.w.add("ll-delta-refused", t.doc, t.prevN, evidence{said: fmt.Sprintf("_HLS_skip=YES brought no EXT-X-SKIP; the playlist lasts %s, CAN-SKIP-UNTIL is %s", whole, full.Control.CanSkipUntil), after: firstLines(res.Body)})
		}
		return
	}
	for _, p := range d.Problems {
		if p.Rule == "hls-syntax" || p.Rule == "hls-version" {
			t.w.add(p.Rule, t.doc, 0, evidence{said: "in a delta update: " + p.Said, after: []finding.Line{p.Line}})
		}
	}
	var rest time.Duration
	for i := range d.Segments {
		s := &d.Segments[i]
		rest += s.Duration
		had := t.facts[s.MSN]
		if had != nil && (t.identify(s) != had.uri || (s.Duration-had.duration).Abs() > time.Millisecond) {
			t.w.add("ll-delta", t.doc, t.prevN, evidence{said: fmt.Sprintf("segment %d by the delta update is %s, in full it was %s", s.MSN, t.identify(s), had.uri), after: []finding.Line{s.Line}})
			return
		}
	}
	if d.End()+uint64(t.w.cfg.Edges-1) < full.End() {
		t.w.add("ll-delta", t.doc, t.prevN, evidence{said: fmt.Sprintf("the delta update leads to segment %d, the playlist before it had %d", d.End()-1, full.End()-1), after: firstLines(res.Body)})
	} else if rest < full.Control.CanSkipUntil-full.Target && d.Skipped > 0 {
		t.w.add("ll-delta", t.doc, t.prevN, evidence{said: fmt.Sprintf("%d segments are skipped and only %s are left; CAN-SKIP-UNTIL is %s", d.Skipped, rest, full.Control.CanSkipUntil), after: firstLines(res.Body)})
	}
}
