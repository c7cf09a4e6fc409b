package viewer

import (
	"fmt"
	"math"
	"time"

	"manifold/bench/glance"
)

// track is one of picture and sound, or both in one.
type track struct {
	audio bool
	end   time.Duration // up to here it is buffered
	done  bool          // to its very end
	gap   bool          // what comes next is not listed (any more, or yet)

	level   int // what is being fetched; for sound the nearest
	playing int // what was fetched last, -1: nothing

	// HLS: the playlists by address, the one in use, and the request for one.
	lists    map[string]*list
	cur      *list
	list     uint32
	listURL  string
	listSent time.Time
	reloadAt time.Time

	// The request for media.
	media   uint32
	init    uint32 // and for the initialisation, at the same time
	segment glance.Segment
	sent    time.Time
	checkAt time.Time // when to look whether it should be broken off
	inited  string    // what was initialised last

	// Since when media and the playlist fail, and when to try again.
	mediaFails, listFails time.Time
	retryAt               time.Time
	retry                 time.Duration
}

// slack is how far times of neighbouring segments may differ.
const slack = 20 * time.Millisecond

// jumpPause is between a jump to the live edge and the next request.
const jumpPause = 100 * time.Millisecond

// what a search for the next segment gave.
type found uint8

const (
	have  found = iota
	later       // not listed yet
	gone        // not listed any more
	ended       // there is none
)

// feed keeps a track going: playlist, quality, the next segment.
func (v *Viewer) feed(now time.Time, t *track) {
	if !t.retryAt.IsZero() && !v.due(now, t.retryAt) {
		return
	}
	t.retryAt = time.Time{}
	if v.hls != nil && !v.current(now, t) {
		return
	}
	if !v.placed {
		if t.audio && v.tracks[0].cur == nil && v.hls != nil {
			return // the picture's playlist says where to begin
		}
		v.place(now, v.begin(now))
	}
	if t.media != 0 {
		v.abandon(now, t)
		return
	}
	if t.done {
		return
	}
	goal := v.cfg.Profile.goal(v.rate(t))
	if ahead := t.end - v.pos; ahead >= goal {
		if v.out.State == Playing {
			v.wakeAt(v.posAt.Add(ahead - goal + time.Millisecond))
		}
		return
	}
	if !t.audio && v.choose(t, goal) && t.playing >= 0 && v.cfg.Profile.Turn > 0 {
		t.retryAt = now.Add(v.cfg.Profile.Turn)
		v.wakeAt(t.retryAt)
		return
	}
	if v.hls != nil && !v.current(now, t) {
		return // the playlist of the new quality first
	}
	s, what := v.find(now, t, t.end)
	t.gap = what == later || what == gone
	switch what {
	case have:
		v.fetch(now, t, s)
	case gone:
		v.jump(now)
		for _, x := range v.tracks { // what is there no more may not be there again
			x.retryAt = now.Add(jumpPause)
		}
		v.wakeAt(now.Add(jumpPause))
	case ended:
		t.done = true
	}
}

// rate is the rate in bits/s of what a track fetches: sound is a small part.
func (v *Viewer) rate(t *track) float64 {
	if len(v.levels) == 0 {
		return 0
	}
	l := v.levels[min(max(t.level, 0), len(v.levels)-1)]
	if l.average > 0 {
		return l.average
	}
	return l.peak
}

// soundRate is what is assumed of sound whose rate is not said.
const soundRate = 128_000

// bytes is how large a segment will be.
func (v *Viewer) bytes(t *track, s glance.Segment) int64 {
	bits := v.rate(t)
	switch {
	case v.mpd != nil && t.audio:
		if r, _, _ := v.rep(t, s.At); r != nil {
			bits = float64(r.Bandwidth)
		}
	case t.audio:
		bits = min(soundRate, bits/2)
	case v.hls != nil && len(v.tracks) > 1: // the variant's rate includes the sound
		bits -= min(soundRate, bits/2)
	}
	return int64(bits * s.Each.Seconds() / 8)
}

// choose decides the quality of the next segment, and tells whether it is
// another one.
func (v *Viewer) choose(t *track, goal time.Duration) bool {
	s := Situation{
		Current: t.playing, First: v.first, Buffer: max(t.end-v.pos, 0), Goal: goal, Live: v.live(),
		Throughput: v.est.throughput(), FirstByte: v.est.firstByte(), List: v.listTook,
	}
	if t.playing >= 0 {
		s.Each = t.segment.Each
	}
	for _, l := range v.levels {
		s.Peaks, s.Averages = append(s.Peaks, l.peak), append(s.Averages, l.average)
	}
	if v.hls != nil {
		s.Loaded = func(i int) bool { return t.lists[v.hls.url(v, t, i)] != nil }
	} else {
		s.Loaded = func(int) bool { return true }
	}
	if len(v.levels) == 0 {
		return false
	}
	next := v.cfg.ABR.Choose(&s)
	if next == t.level {
		return false
	}
	t.level = next
	return true
}

// fetch sends for a segment, and where it is needed for the initialisation at
// the same time.
func (v *Viewer) fetch(now time.Time, t *track, s glance.Segment) {
	key, initURL, url := v.addresses(t, s)
	if key != "" && key != t.inited {
		t.inited = key
		v.cancel(&t.init)
		t.init = v.send(Request{Kind: Init, URL: initURL, Bytes: 1000, Pathway: v.Pathway()})
	}
	t.segment, t.sent = s, now
	t.checkAt = now.Add(max(v.est.firstByte(), s.Each/2))
	t.media = v.send(Request{Kind: Media, URL: url, Bytes: v.bytes(t, s), Pathway: v.Pathway()})
	v.abandon(now, t)
}

// initialised takes an initialisation.
func (v *Viewer) initialised(now time.Time, t *track, a *Answer) {
	if !a.OK() {
		t.inited = ""
		v.cancel(&t.media)
		v.failed(now, t, &t.mediaFails, a, "initialisation")
		return
	}
	v.out.Bytes += a.Bytes
	if v.cfg.Media {
		v.out.Fetched++
	}
}

// loaded takes media.
func (v *Viewer) loaded(now time.Time, t *track, a *Answer) {
	if !a.OK() {
		v.failed(now, t, &t.mediaFails, a, fmt.Sprintf("segment %d", t.segment.Number))
		return
	}
	t.mediaFails, t.retry = time.Time{}, 0
	v.out.Bytes += a.Bytes
	if v.cfg.Media {
		v.out.Fetched++
	}
	if !t.audio {
		first := a.First.Sub(a.Begin)
		v.est.sampleFirst(first)
		v.est.sample(a.Bytes, a.Done.Sub(a.Begin)-min(first, v.est.firstByte()))
		if t.playing >= 0 && t.playing != t.level {
			v.out.Switches++
		}
		t.playing = t.level
		v.out.Filmed += t.segment.Each
		v.out.Bits += v.rate(t) * t.segment.Each.Seconds()
	}
	if v.cfg.Profile.Pause > 0 {
		t.retryAt = now.Add(v.cfg.Profile.Pause)
	}
	v.out.Segments++
	t.end = max(t.end, t.segment.End())
}

// abandon breaks off a segment that comes too slowly, where a lower quality
// would come in time. This is how hls.js does it, as far as it was observed.
func (v *Viewer) abandon(now time.Time, t *track) {
	_, adapts := v.cfg.ABR.(throughput)
	if !adapts || t.audio || t.level == 0 || v.out.State != Playing && v.out.State != Stalled {
		return
	}
	if !v.due(now, t.checkAt) {
		return
	}
	t.checkAt = now.Add(100 * time.Millisecond)
	v.wakeAt(t.checkAt)
	each, buffer := t.segment.Each.Seconds(), max(t.end-v.pos, 0).Seconds()
	took := now.Sub(t.sent)
	loaded, first := v.port.Progress(v, t.media, now)
	bits := v.est.throughput()
	size := max(float64(loaded), v.rate(t)*each/8)
	ttfb := v.est.firstByte().Seconds()
	left := 8*size/bits + ttfb
	if loaded > 0 {
		running := now.Sub(first).Seconds()
		if running <= 0 {
			return
		}
		left = (size - float64(loaded)) / (float64(loaded) / running)
		bits = 8 * float64(loaded) / running
	}
	if left <= buffer {
		return
	}
	// The lowest quality is taken where no other comes in time, not for how soon
	// it would come itself.
	lower, comes := t.level-1, math.Inf(1)
	for ; lower > 0; lower-- {
		comes = ttfb + v.levels[lower].peak*each/bits
		if v.hls != nil && (v.live() || t.lists[v.hls.url(v, t, lower)] == nil) {
			comes += ttfb + v.listTook.Seconds()
		}
		if comes < min(buffer, each+ttfb) {
			break
		}
	}
	if comes >= left || comes > 10*each {
		return
	}
	if loaded > 0 {
		v.est.sample(loaded, took-min(v.est.firstByte(), first.Sub(t.sent)))
	} else {
		v.est.sampleFirst(took)
	}
	v.cancel(&t.media)
	v.out.Abandoned++
	v.out.Bytes += loaded
	if peak := v.levels[lower].peak; v.est.throughput()*careful > peak {
		v.est = newEstimate(peak) // what was measured before is worth nothing now
	}
	t.level = lower
	t.playing = lower
	v.feed(now, t)
}

// live tells whether more may come.
func (v *Viewer) live() bool {
	if v.mpd != nil {
		return v.mpd.Dynamic
	}
	return len(v.tracks) > 0 && v.tracks[0].cur != nil && !v.tracks[0].cur.p.Ended
}
