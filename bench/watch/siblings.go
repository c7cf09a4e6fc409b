package watch

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// siblings holds a track against the others of its presentation (rfc8216bis,
// section 6.2.4).
func (t *track) siblings(m *read.Media, res *client.Result) {
	t.w.mu.Lock()
	others := make([]*track, 0, len(t.w.tracks))
	for _, o := range t.w.tracks {
		if o != t && o.view.loaded {
			others = append(others, o)
		}
	}
	var found []note
	if len(others) > 0 {
		found = append(found, t.sameHeader(m, others[0])...)
		found = append(found, t.behind(m, res, others)...)
		found = append(found, t.discontinuities(m, others)...)
	}
	t.w.mu.Unlock()
	for _, n := range found {
		t.w.add(n.rule, t.doc, n.previous, n.evidence)
	}
	t.reports(m, others, res)
}

// note is a finding to be recorded once the lock is free.
type note struct {
	rule     finding.ID
	previous int
	evidence evidence
}

// sameHeader compares what every playlist of a presentation must say alike.
func (t *track) sameHeader(m *read.Media, o *track) (found []note) {
	differ := func(line finding.Line, format string, args ...any) {
		found = append(found, note{"hls-renditions-differ", 0, evidence{said: fmt.Sprintf(format, args...) + ", " + o.where, after: []finding.Line{line}}})
	}
	v := &o.view
	free := (t.kind == "SUBTITLES" || t.kind == "I-FRAMES" || o.kind == "SUBTITLES" || o.kind == "I-FRAMES") && m.Type == "VOD" && v.kind == "VOD"
	if m.Target != v.target && !free {
		differ(m.TargetLine, "a target duration of %s here and %s there", m.Target, v.target)
	}
	if m.Type != v.kind {
		differ(finding.Line{}, "a playlist type of %q here and %q there", m.Type, v.kind)
	}
	if len(m.Segments) > 0 && v.end > 0 && firstDate(m).IsZero() == v.dated {
		differ(finding.Line{}, "EXT-X-PROGRAM-DATE-TIME in one and not in the other")
	}
	if !sameControl(m.Control, v.control) && m.Live() == v.live && !(m.PartTarget > 0) != (v.partTarget > 0) {
		differ(m.ControlLine, "another EXT-X-SERVER-CONTROL")
	}
	if len(found) == 0 {
		t.differs = 0
		return nil
	}
	if t.differs++; t.differs < 2 && m.Live() {
		return nil // the other may have changed since it was read
	}
	return found
}

// behind reports a live edge that lies behind one that was published before
// this version was asked for.
func (t *track) behind(m *read.Media, res *client.Result, others []*track) []note {
	if !m.Live() || len(m.Segments) == 0 || m.Target == 0 {
		t.lags = 0
		return nil
	}
	allowed := m.Target * 3 / 2
	if t.w.cfg.Edges > 1 {
		allowed += m.Target
	}
	edge := edgeDate(m)
	for _, o := range others {
		if !o.view.live || o.view.began.After(res.Begin) {
			continue
		}
		var lag time.Duration
		switch {
		case !edge.IsZero() && !o.view.edge.IsZero():
			lag = o.view.edge.Sub(edge)
		case edge.IsZero() && o.view.edge.IsZero() && t.alike(o) && o.view.end > m.End():
			lag = time.Duration(o.view.end-m.End()) * m.Target
		}
		if lag > allowed {
			if t.lags++; t.lags < 2 {
				return nil
			}
			return []note{{"hls-rendition-lags", t.prevN, evidence{
				said:  fmt.Sprintf("the newest segment ends %s before that of %s, which was read earlier", lag.Round(time.Millisecond), o.where),
				after: []finding.Line{m.Segments[len(m.Segments)-1].Line},
			}}}
		}
	}
	t.lags = 0
	return nil
}

func edgeDate(m *read.Media) time.Time {
	var date time.Time
	for i := range m.Segments {
		if s := &m.Segments[i]; !s.Date.IsZero() {
			date = s.Date
		}
		if !date.IsZero() {
			date = date.Add(m.Segments[i].Duration)
		}
	}
	return date
}

// alike tells whether two tracks number their segments alike: a number that
// both have lasts as long in both. RFC 8216 does not promise it (section
// 6.3.4), so it is looked for.
func (t *track) alike(o *track) bool {
	n, same := 0, 0
	for msn, f := range t.facts {
		if g := o.facts[msn]; g != nil {
			n++
			if (f.duration - g.duration).Abs() < 100*time.Millisecond {
				same++
			}
		}
		if n > 200 {
			break
		}
	}
	return n >= 2 && same*10 >= n*9
}

// discontinuities: matching content has matching discontinuity sequence
// numbers. A rendition may cut one segment sooner or later than another.
func (t *track) discontinuities(m *read.Media, others []*track) []note {
	if len(m.Segments) == 0 {
		return nil
	}
	slack := m.Target * 3 / 2
	for _, o := range others {
		if o.kind == "I-FRAMES" || t.kind == "I-FRAMES" || len(o.facts) == 0 {
			continue
		}
		s, date, lowest, highest, ok := t.match(m, o, slack)
		if !ok || s.DSN >= lowest && s.DSN <= highest {
			continue
		}
		if t.apart++; t.apart < 2 {
			return nil
		}
		return []note{{"hls-discontinuities-disagree", t.prevN, evidence{
			said:  fmt.Sprintf("segment %d%s has discontinuity sequence number %d, %s has %s there", s.MSN, date, s.DSN, o.where, span(lowest, highest)),
			after: []finding.Line{m.DiscSeqLine, s.Line},
		}}}
	}
	t.apart = 0
	return nil
}

func span(lowest, highest uint64) string {
	if lowest == highest {
		return fmt.Sprint(lowest)
	}
	return fmt.Sprintf("%d to %d", lowest, highest)
}

// match finds a segment of m around which the other track is known, and which
// discontinuity sequence numbers that one has there.
func (t *track) match(m *read.Media, o *track, slack time.Duration) (s *read.Segment, at string, lowest, highest uint64, ok bool) {
	for i := len(m.Segments) - 1; i >= 0; i-- {
		s = &m.Segments[i]
		f := t.facts[s.MSN]
		if f == nil {
			continue
		}
		if f.date.IsZero() {
			if !t.alike(o) {
				return nil, "", 0, 0, false
			}
			lowest, highest, ok = o.around(func(msn uint64, _ *fact) int { return order(int64(msn)-int64(s.MSN), 1) })
		} else {
			at = " at " + f.date.UTC().Format(isoMillis)
			lowest, highest, ok = o.around(func(_ uint64, g *fact) int {
				switch {
				case g.date.IsZero(), g.date.Add(g.duration).Before(f.date.Add(-slack)):
					return -1
				case g.date.After(f.date.Add(f.duration + slack)):
					return 1
				}
				return 0
			})
		}
		if ok {
			return s, at, lowest, highest, true
		}
	}
	return nil, "", 0, 0, false
}

func order(d, slack int64) int {
	switch {
	case d < -slack:
		return -1
	case d > slack:
		return 1
	}
	return 0
}

// around looks at the facts that place says are near (0), and wants some
// before (-1) and after (1) them: else the track is not known there.
func (t *track) around(place func(uint64, *fact) int) (lowest, highest uint64, ok bool) {
	before, after := false, false
	for msn, f := range t.facts {
		switch place(msn, f) {
		case -1:
			before = true
		case 1:
			after = true
		default:
			if !ok || f.dsn < lowest {
				lowest = f.dsn
			}
			if !ok || f.dsn > highest {
				highest = f.dsn
			}
			ok = true
		}
	}
	return lowest, highest, ok && before && after
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// reports holds EXT-X-RENDITION-REPORT against what the others were seen to
// have (rfc8216bis, section 4.4.5.4).
func (t *track) reports(m *read.Media, others []*track, res *client.Result) {
	if m.PartTarget == 0 || !m.Live() || t.kind == "I-FRAMES" {
		return
	}
	now := t.w.cfg.Now()
	var reported []*track
	for _, r := range m.Reports {
		address := t.w.tokens.strip(resolve(t.base, r.URI))
		t.w.mu.Lock()
		i := slices.IndexFunc(t.w.tracks, func(o *track) bool { return t.w.tokens.strip(o.url) == address })
		if i < 0 {
			t.w.mu.Unlock()
			continue // a rendition that this watch does not follow
		}
		o := t.w.tracks[i]
		reported = append(reported, o)
		// What it had one target duration ago is old by any measure.
		old := o.markAt(res.Begin.Add(-m.Target))
		newest, began := o.view.end, o.view.began
		t.w.mu.Unlock()
		end := r.LastMSN + 1
		if r.LastMSN == 0 && r.LastPart < 0 {
			end = m.End()
		}
		switch {
		case end < old:
			t.w.add("ll-report", t.doc, t.prevN, evidence{said: fmt.Sprintf("%s is reported to have segment %d last; it had segment %d more than a target duration ago", o.where, r.LastMSN, old-1), after: []finding.Line{r.Line}})
		case newest > 0 && end > newest+3 && now.Sub(began) < 2*m.Target:
			t.w.add("ll-report", t.doc, t.prevN, evidence{said: fmt.Sprintf("%s is reported to have segment %d last; it had segment %d a moment ago", o.where, r.LastMSN, newest-1), after: []finding.Line{r.Line}})
		}
	}
	t.w.mu.Lock()
	i := slices.IndexFunc(others, func(o *track) bool {
		return (o.kind == "VIDEO" || o.kind == "AUDIO") && o.pathway == t.pathway && o.view.partTarget > 0 && !slices.Contains(reported, o)
	})
	t.w.mu.Unlock()
	if i >= 0 {
		t.w.add("ll-report-missing", t.doc, 0, evidence{said: fmt.Sprintf("no EXT-X-RENDITION-REPORT for %s", others[i].where)})
	}
}

// markAt is where the track ended at a time.
func (t *track) markAt(at time.Time) uint64 {
	var end uint64
	for _, m := range t.view.marks {
		if m.at.After(at) {
			break
		}
		end = m.end
	}
	return end
}
