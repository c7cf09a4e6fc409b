package viewer

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"manifold/bench/glance"
	"manifold/bench/read"
)

// ladder is a multivariant playlist as a player sees it.
type ladder struct {
	at    *url.URL
	rungs []rung // as the viewer's levels
	audio []read.Rendition
	urls  map[urlKey]string // that were looked up
}

type urlKey struct {
	audio          bool
	level, pathway int
}

// rung is a quality with its variant on each pathway.
type rung struct {
	identity string
	bits     uint64
	variants []*read.Variant // by pathway; nil where there is none
}

// list is a media playlist in use.
type list struct {
	p     *glance.Playlist
	at    *url.URL
	shift time.Duration // its first segment's position
}

// take begins with what the entry address gave.
func (v *Viewer) take(now time.Time, a *Answer) {
	switch doc := a.Doc.(type) {
	case *read.Master:
		v.takeMaster(now, doc, a.URL)
	case *glance.Playlist:
		v.hls = &ladder{at: a.URL, rungs: []rung{{bits: 1_000_000, variants: []*read.Variant{{URI: a.URL.String()}}}}}
		v.levels, v.pathways = []level{{peak: 1_000_000}}, []string{"."}
		v.barred = make([]time.Time, 1)
		t := &track{playing: -1, lists: map[string]*list{}}
		v.tracks = []*track{t}
		t.listURL, t.listSent = v.hls.url(v, t, 0), a.Begin
		v.listed(now, t, a)
	case *glance.MPD:
		v.takeMPD(now, doc)
	default:
		v.finish(now, Failed, "cannot open the presentation: it is neither HLS nor DASH")
	}
}

func (v *Viewer) takeMaster(now time.Time, m *read.Master, at *url.URL) {
	l := &ladder{at: at}
	seen := map[string]int{}
	for i := range m.Variants {
		x := &m.Variants[i]
		if x.IFrames {
			continue
		}
		id := x.Identity()
		name := x.Pathway
		seen[name+" "+id]++
		if n := seen[name+" "+id]; n > 1 { // a redundant variant (RFC 8216, section 6.2.4)
			name += "#" + strconv.Itoa(n)
		}
		p := slices.Index(v.pathways, name)
		if p < 0 {
			p = len(v.pathways)
			v.pathways = append(v.pathways, name)
		}
		k := slices.IndexFunc(l.rungs, func(r rung) bool { return r.identity == id })
		if k < 0 {
			k = len(l.rungs)
			l.rungs = append(l.rungs, rung{identity: id, bits: x.Bandwidth})
		}
		r := &l.rungs[k]
		for len(r.variants) <= p {
			r.variants = append(r.variants, nil)
		}
		r.variants[p] = x
	}
	if len(l.rungs) == 0 {
		v.finish(now, Failed, "cannot open the presentation: it has no variant")
		return
	}
	first := l.rungs[0].identity
	slices.SortStableFunc(l.rungs, func(a, b rung) int { return cmp.Compare(a.bits, b.bits) })
	for i, r := range l.rungs {
		if r.identity == first {
			v.first = i
		}
		average := 0.0
		for _, x := range r.variants {
			if x != nil {
				average, _ = strconv.ParseFloat(x.AverageBandwidth, 64)
				break
			}
		}
		v.levels = append(v.levels, level{peak: float64(r.bits), average: average})
	}
	for _, x := range m.Renditions {
		if x.Type == "AUDIO" && x.URI != "" {
			l.audio = append(l.audio, x)
		}
	}
	v.hls, v.barred = l, make([]time.Time, len(v.pathways))
	v.tracks = []*track{{playing: -1, lists: map[string]*list{}}}
	if m.Steering != nil && m.Steering.Pathway != "" {
		v.pathway = max(slices.Index(v.pathways, m.Steering.Pathway), 0)
	}
	v.choose(v.tracks[0], v.cfg.Profile.Goal)
	if v.hls.url(v, &track{audio: true}, v.tracks[0].level) != "" {
		v.tracks = append(v.tracks, &track{audio: true, playing: -1, lists: map[string]*list{}})
	}
	if m.Steering != nil {
		v.steer.begin(v.cfg.Profile.HLSSteering, m.Steering.Server, at, false, now)
	}
}

// url is the playlist of a quality on the viewer's pathway, or on the first
// that has it.
func (l *ladder) url(v *Viewer, t *track, level int) string {
	k := urlKey{t.audio, level, v.pathway}
	if u, ok := l.urls[k]; ok {
		return u
	}
	if l.urls == nil {
		l.urls = map[urlKey]string{}
	}
	l.urls[k] = l.find(v, t, level)
	return l.urls[k]
}

func (l *ladder) find(v *Viewer, t *track, level int) string {
	r := l.rungs[min(max(level, 0), len(l.rungs)-1)]
	var x *read.Variant
	if v.pathway < len(r.variants) {
		x = r.variants[v.pathway]
	}
	for i := 0; x == nil && i < len(r.variants); i++ {
		x = r.variants[i]
	}
	ref := x.URI
	if t.audio {
		ref = l.sound(x.Audio)
		if ref == "" {
			return ""
		}
	}
	u, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	return l.at.ResolveReference(u).String()
}

// sound is the address of a group's default rendition, else of its first.
func (l *ladder) sound(group string) string {
	ref := ""
	for _, a := range l.audio {
		if a.Group == group && (ref == "" || a.Default) {
			if ref = a.URI; a.Default {
				break
			}
		}
	}
	return ref
}

// current sees to it that the playlist of the track's quality and pathway is
// there, and, live, that it is reloaded in time (RFC 8216, section 6.3.4). It
// tells whether segments can be taken from it.
func (v *Viewer) current(now time.Time, t *track) bool {
	if t.audio {
		t.level = v.tracks[0].level
	}
	want := v.hls.url(v, t, t.level)
	if want == "" {
		t.done = true // this quality has its sound in the picture's segments
		return false
	}
	if have := t.lists[want]; have != nil && (have == t.cur || have.p.Ended) {
		t.cur = have
		if have.p.Ended {
			return true
		}
		if t.list == 0 && v.due(now, t.reloadAt) {
			v.ask(now, t, want, have.p.Target)
		}
		return true
	}
	if t.list != 0 && t.listURL != want {
		v.cancel(&t.list)
	}
	if t.list == 0 {
		v.ask(now, t, want, 0)
	}
	return false
}

func (v *Viewer) ask(now time.Time, t *track, address string, every time.Duration) {
	t.listURL, t.listSent = address, now
	t.list = v.send(Request{Kind: List, URL: address, Every: every})
}

// listed takes a playlist.
func (v *Viewer) listed(now time.Time, t *track, a *Answer) {
	p, ok := a.Doc.(*glance.Playlist)
	if !a.OK() || !ok {
		v.failed(now, t, &t.listFails, a, "playlist")
		if t.cur != nil && !t.cur.p.Ended {
			t.reloadAt = now.Add(backoff(0, v.cfg.Profile))
		}
		return
	}
	if !t.audio {
		v.listTook = a.Done.Sub(a.First)
	}
	t.listFails = time.Time{}
	was := t.lists[t.listURL]
	next := &list{p: p, at: a.URL}
	v.align(next, was, t)
	if !p.Ended {
		clear(t.lists) // what was there of other qualities is old by the time it is wanted
		wait := p.Target
		if was != nil && was == t.cur && was.p.Next == p.Next {
			wait /= 2
		}
		if wait <= 0 {
			wait = time.Second
		}
		wait = max(wait, 200*time.Millisecond)
		t.reloadAt = t.listSent.Add(wait)
		if t.reloadAt.Before(now) { // the answer took longer than that
			t.reloadAt = now
		}
	}
	t.lists[t.listURL], t.cur = next, next
}

// align finds where a playlist stands in the time of those that were there
// before: by its numbers, by its date, or by its end.
func (v *Viewer) align(l, was *list, t *track) {
	if was == nil {
		was = t.cur
	}
	if was == nil && len(v.tracks) > 0 {
		was = v.tracks[0].cur
	}
	if v.zero.IsZero() && !l.p.Date.IsZero() && was == nil {
		v.zero = l.p.Date
	}
	switch {
	case l.p.Ended && (was == nil || was.p.Ended) || was == nil:
	case l.p.First >= was.p.First && l.p.First < was.p.Next:
		s, _ := was.p.Numbered(l.p.First)
		l.shift = was.shift + s.At
	case l.p.First >= was.p.Next && l.p.First < was.p.Next+1000:
		l.shift = was.shift + was.p.End() + time.Duration(l.p.First-was.p.Next)*l.p.Target
	case !v.zero.IsZero() && !l.p.Date.IsZero():
		l.shift = l.p.Date.Sub(v.zero)
	default:
		l.shift = was.shift + was.p.End() - l.p.End()
	}
}
