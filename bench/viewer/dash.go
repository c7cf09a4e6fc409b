package viewer

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"manifold/bench/glance"
)

// takeMPD begins with an MPD.
func (v *Viewer) takeMPD(now time.Time, m *glance.MPD) {
	v.mpd, v.updateWas = m, now
	if len(m.Periods) == 0 {
		v.finish(now, Failed, "cannot open the presentation: it has no Period")
		return
	}
	for _, set := range m.Periods[0].Sets {
		if set.Kind == "video" || set.Kind == "audio" && len(v.levels) == 0 {
			v.levels = v.levels[:0]
			for _, r := range set.Reps {
				v.levels = append(v.levels, level{peak: float64(r.Bandwidth)})
			}
			if set.Kind == "video" {
				break
			}
		}
	}
	if len(v.levels) == 0 {
		v.finish(now, Failed, "cannot open the presentation: it has neither picture nor sound")
		return
	}
	slices.SortFunc(v.levels, func(a, b level) int { return cmp.Compare(a.peak, b.peak) })
	for _, audio := range []bool{false, true} {
		if v.set(m.Periods[0], audio) != nil {
			v.tracks = append(v.tracks, &track{audio: audio, playing: -1})
		}
	}
	v.tracks[0].audio = false // sound alone is what there is to choose from
	v.named(m)
	if s := m.Steering; s != nil {
		if len(s.Default) > 0 {
			v.pathway = max(slices.Index(v.pathways, s.Default[0]), 0)
		}
		v.steer.begin(v.cfg.Profile.DASHSteering, s.Server, v.entryAt, true, now)
		v.steer.before = s.BeforeStart && v.steer.on
	}
	v.plan(now)
}

// named takes the pathways of an MPD, and stays on the one it was on.
func (v *Viewer) named(m *glance.MPD) {
	was := v.Pathway()
	names := m.Locations(m.Periods[0])
	if slices.Equal(names, v.pathways) {
		return
	}
	barred := make([]time.Time, len(names))
	for i, name := range names {
		if k := slices.Index(v.pathways, name); k >= 0 {
			barred[i] = v.barred[k]
		}
	}
	v.pathways, v.barred = names, barred
	v.pathway = max(slices.Index(names, was), 0)
}

// set is the AdaptationSet of a Period that has the picture or the sound.
func (v *Viewer) set(p *glance.Period, audio bool) *glance.Set {
	want := "video"
	if audio {
		want = "audio"
	}
	for _, s := range p.Sets {
		if s.Kind == want && len(s.Reps) > 0 {
			return s
		}
	}
	return nil
}

// period is the one that a position lies in, or nil.
func (v *Viewer) period(at time.Duration) *glance.Period {
	for i := len(v.mpd.Periods) - 1; i >= 0; i-- {
		if p := v.mpd.Periods[i]; p.Start <= at+slack || i == 0 {
			return p
		}
	}
	return nil
}

// rep is what a track would take at a position: of its level's rate or the
// next lower one.
func (v *Viewer) rep(t *track, at time.Duration) (*glance.Rep, *glance.Set, *glance.Period) {
	p := v.period(at)
	if p == nil {
		return nil, nil, nil
	}
	set := v.set(p, t.audio)
	if set == nil && !t.audio { // sound alone
		set = v.set(p, true)
	}
	if set == nil {
		return nil, nil, p
	}
	want := v.levels[min(max(t.level, 0), len(v.levels)-1)].peak
	var best *glance.Rep
	for _, r := range set.Reps {
		switch {
		case best == nil:
			best = r
		case t.audio:
		case float64(r.Bandwidth) <= want && (r.Bandwidth > best.Bandwidth || float64(best.Bandwidth) > want),
			float64(best.Bandwidth) > want && r.Bandwidth < best.Bandwidth:
			best = r
		}
	}
	return best, set, p
}

// find gives the segment of a track at a position.
func (v *Viewer) find(now time.Time, t *track, at time.Duration) (glance.Segment, found) {
	if v.hls != nil {
		return v.findListed(t, at)
	}
	r, _, p := v.rep(t, at)
	if r == nil {
		if p != nil && v.mpd.Final() {
			return glance.Segment{}, ended
		}
		return glance.Segment{}, later
	}
	s, ok := r.Line.Find(at, slack)
	last := p == v.mpd.Periods[len(v.mpd.Periods)-1]
	over := p.End >= 0 && at >= p.End-slack
	switch {
	case (over || !ok) && last:
		if v.mpd.Final() && (over || p.End < 0 || !v.mpd.Dynamic) {
			return s, ended
		}
		return s, later
	case over || !ok: // a hole before the next Period is stepped over
		next := v.mpd.Periods[slices.Index(v.mpd.Periods, p)+1]
		if next.Start <= at+slack {
			return s, later
		}
		return v.find(now, t, next.Start)
	case s.At > at+time.Second && v.mpd.Dynamic:
		return s, gone
	case v.mpd.Dynamic && r.Line.Open && !v.mpd.Begin.IsZero():
		there := v.mpd.Begin.Add(s.End())
		if there.After(now) {
			v.wakeAt(there)
			return s, later
		}
		if w := v.mpd.Window; w >= 0 && now.Sub(there) > w {
			return s, gone
		}
	}
	if p.End >= 0 && s.End() > p.End { // what lies behind the end of the Period is not shown
		s.Each = max(p.End-s.At, 0)
	}
	return s, have
}

func (v *Viewer) findListed(t *track, at time.Duration) (glance.Segment, found) {
	l := t.cur
	s, ok := l.p.Find(at-l.shift, slack)
	s.At += l.shift
	switch {
	case !ok && l.p.Ended:
		return s, ended
	case !ok:
		return s, later
	case s.At > at+time.Second && !l.p.Ended:
		return s, gone
	}
	return s, have
}

// window is what can be sought in.
func (v *Viewer) window(now time.Time) (from, to time.Duration) {
	if v.hls != nil {
		l := v.tracks[0].cur
		if l == nil {
			return 0, 0
		}
		from, to = l.shift, l.shift+l.p.End()
		if l.p.Ended {
			return from, to
		}
		return from, to - v.delay()
	}
	first, last := v.mpd.Periods[0], v.mpd.Periods[len(v.mpd.Periods)-1]
	a, _, _ := v.rep(v.tracks[0], first.Start)
	b, _, _ := v.rep(v.tracks[0], last.Start)
	if a == nil || b == nil {
		return 0, 0
	}
	from, to = a.Line.Start(), b.Line.End()
	if v.mpd.Dynamic {
		edge := now.Sub(v.mpd.Begin)
		if b.Line.Open || edge < to {
			to = edge
		}
		if w := v.mpd.Window; w >= 0 {
			from = max(from, edge-w)
		}
		to -= v.delay()
	}
	return from, max(from, to)
}

// begin is where to begin: at the start, or so far from the live edge as the
// stream or the player says.
func (v *Viewer) begin(now time.Time) time.Duration {
	from, to := v.window(now)
	if !v.live() {
		return from
	}
	if s, what := v.find(now, v.tracks[0], to); what == have {
		return max(from, s.At)
	}
	return max(from, to)
}

// delay is how far from the live edge a player wants to be.
func (v *Viewer) delay() time.Duration {
	p := v.cfg.Profile
	if v.hls != nil {
		l := v.tracks[0].cur.p
		if l.HoldBack > 0 {
			return l.HoldBack
		}
		return time.Duration(p.LiveSegments * float64(l.Target))
	}
	if v.mpd.Delay >= 0 {
		return v.mpd.Delay
	}
	each := 2 * time.Second
	if r, _, _ := v.rep(v.tracks[0], v.mpd.Periods[len(v.mpd.Periods)-1].Start); r != nil && len(r.Line.Runs) > 0 {
		each = r.Line.Runs[0].Each
	}
	return max(time.Duration(p.LiveSegments*float64(each)), v.mpd.MinBuffer)
}

// plan says when the MPD is to be reloaded (ISO/IEC 23009-1, section 5.4).
func (v *Viewer) plan(time.Time) {
	v.updateAt = time.Time{}
	if m := v.mpd; m.Dynamic && m.MinUpdate >= 0 {
		v.updateAt = v.updateWas.Add(max(m.MinUpdate, v.each()))
	}
}

// each is how often an MPD is reloaded that says "at any time".
func (v *Viewer) each() time.Duration {
	if v.mpd.MinUpdate > 0 {
		return 100 * time.Millisecond
	}
	if r, _, _ := v.rep(v.tracks[0], v.pos); r != nil && len(r.Line.Runs) > 0 {
		return max(r.Line.Runs[0].Each, 500*time.Millisecond)
	}
	return time.Second
}

// update reloads the MPD when it is time.
func (v *Viewer) update(now time.Time) {
	if v.mpd == nil || v.updateAt.IsZero() || v.updateID != 0 || !v.due(now, v.updateAt) {
		return
	}
	v.updateWas = now
	v.updateID = v.send(Request{Kind: Update, URL: v.reloadURL(), Every: max(v.mpd.MinUpdate, v.each())})
}

func (v *Viewer) reloadURL() string {
	if v.mpd.Location == "" {
		return v.cfg.URL
	}
	u, err := url.Parse(v.mpd.Location)
	if err != nil {
		return v.cfg.URL
	}
	return v.entryAt.ResolveReference(u).String()
}

// updated takes the MPD again.
func (v *Viewer) updated(now time.Time, a *Answer) {
	m, ok := a.Doc.(*glance.MPD)
	if !a.OK() || !ok || len(m.Periods) == 0 {
		v.out.Errors++
		v.updateWas = now // and go on with the old one
		v.plan(now)
		return
	}
	v.mpd = m
	v.named(m)
	v.plan(now)
	if v.updateAt.Before(now) && !v.updateAt.IsZero() {
		v.updateAt = now
	}
}

// addresses are those of a segment and its initialisation, empty where media is
// not fetched; key tells initialisations apart.
func (v *Viewer) addresses(t *track, s glance.Segment) (key, init, media string) {
	if v.hls != nil {
		l := t.cur
		key = strconv.Itoa(t.level) + " " + v.Pathway()
		if !v.cfg.Media {
			if t.inited == "" {
				return key, "", ""
			}
			return t.inited, "", ""
		}
		if l.p.Map == "" {
			key = ""
		} else if u, err := l.at.Parse(l.p.Map); err == nil {
			init = u.String()
			key = init
		}
		if u, err := l.at.Parse(l.p.URI(s.Number)); err == nil {
			media = u.String()
		}
		return key, init, media
	}
	r, set, p := v.rep(t, s.At)
	key = p.ID + " " + r.ID
	if r.Init == "" {
		key = ""
	}
	if !v.cfg.Media {
		return key, "", ""
	}
	bases := v.mpd.Alternatives(v.entryAt, p, set, r)
	base := bases[0]
	for i, b := range bases {
		if b.Location == v.Pathway() || b.Location == "" && i == v.pathway {
			base = b
			break
		}
	}
	at, err := url.Parse(base.URL)
	if err != nil {
		return key, "", ""
	}
	resolve := func(ref string) string {
		u, err := at.Parse(ref)
		if err != nil {
			return ""
		}
		return u.String()
	}
	return key, resolve(r.Fill(r.Init, s)), resolve(r.Fill(r.Media, s))
}
