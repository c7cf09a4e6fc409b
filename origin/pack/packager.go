package pack

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"sync"
	"time"
)

// Packager makes one presentation.
type Packager struct {
	cfg   Config
	sink  Sink
	now   func() time.Time
	ready chan struct{}

	mu        sync.Mutex
	next      int64     // the number of the next segment to be listed
	dsn       int64     // EXT-X-DISCONTINUITY-SEQUENCE
	floor     time.Time // no new segment begins before it
	resumed   bool
	runs      []*Run
	listed    int // segments in the manifests, over all runs
	started   bool
	shown     bool
	finished  bool
	master    []byte
	published time.Time // publishTime
	expired   []expiry
}

// expiry are objects that have left the manifests and may be removed.
type expiry struct {
	at    time.Time
	names []string
}

// liveEpoch is where the numbers of live segments are counted from.
var liveEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// New makes a packager that puts into sink. The error is a problem.List.
func New(cfg Config, sink Sink, now func() time.Time) (*Packager, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	p := &Packager{cfg: cfg, sink: sink, now: now, ready: make(chan struct{}), next: 1}
	if cfg.Live {
		p.next = max(1, int64(now().Sub(liveEpoch)/cfg.segment()))
	}
	return p, nil
}

// Ready is closed when the manifests are there for the first time.
func (p *Packager) Ready() <-chan struct{} { return p.ready }

// Status is where a presentation stands.
type Status struct {
	// Ready: the manifests have been put. Ended: nothing will be added.
	Ready, Ended bool
	// Runs counts the encoder starts that gave at least one segment.
	Listed, Runs int
	// First and Next are the number of the oldest listed segment and of the
	// one to come.
	First, Next int64
	// Edge is the time of day at the end of the newest segment; zero where
	// the presentation is not live or empty. It falls behind the clock by a
	// segment at most as long as the encoder keeps up.
	Edge time.Time
	// Media is the length of what the newest run has listed.
	Media time.Duration
}

// Status gives the state of now.
func (p *Packager) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{Ready: p.shown, Ended: p.finished, Listed: p.listed, First: p.next - int64(p.listed), Next: p.next}
	for _, r := range p.runs {
		if r.listed > 0 {
			s.Runs++
			s.Media = r.media()
			if p.cfg.Live {
				s.Edge = r.anchor.Add(s.Media)
			}
		}
	}
	return s
}

// media is the length of what the run has listed or dropped so far.
func (r *Run) media() time.Duration {
	t := r.reference()
	if r.listed == 0 {
		return 0
	}
	return mediaTime(t.at(r.listed-1).end(), t.format.timescale)
}

// advance lists the segments that every track of r has by now.
func (p *Packager) advance(ctx context.Context, r *Run) error {
	common := -1
	for _, t := range r.tracks {
		if t.cfg.Kind != Text && (common < 0 || t.count() < common) {
			common = t.count()
		}
	}
	if common <= r.listed {
		return nil
	}
	for ; r.listed < common; r.listed++ {
		if r.listed == 0 {
			p.place(r)
		}
		if err := r.textSegments(ctx, r.listed); err != nil {
			return err
		}
		p.next++
		p.listed++
	}
	p.started = true
	if !p.cfg.Live {
		return nil
	}
	p.shrink()
	if p.listed < startSegments && !p.shown {
		return nil
	}
	return p.publish(ctx)
}

// place gives the run its wall-clock time, when its first segment is whole:
// the segment ended now. It never begins before the run before it ended.
func (p *Packager) place(r *Run) {
	if !p.cfg.Live {
		return
	}
	t := r.reference()
	r.anchor = p.now().UTC().Add(-mediaTime(t.at(0).end(), t.format.timescale)).Truncate(time.Millisecond)
	for _, before := range p.runs {
		if before != r && before.listed > 0 {
			p.floor = laterOf(p.floor, before.anchor.Add(before.media()))
		}
	}
	if r.anchor.Before(p.floor) {
		r.anchor = p.floor.UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
	}
}

// shrink takes segments beyond the window out of the manifests. They stay
// fetchable for as long as a playlist that listed them may be in use: the
// length of the playlist and of the segment (RFC 8216, section 6.2.2).
func (p *Packager) shrink() {
	var gone expiry
	for p.listed > p.cfg.listed() {
		r := p.runs[0]
		for _, t := range r.tracks {
			gone.names = append(gone.names, r.segmentNames(t, r.dropped)...)
		}
		if r.dropped == 0 && r.discontinuous {
			p.dsn++
		}
		r.dropped++
		p.listed--
		if r.dropped == r.listed { // never the newest run: the window is longer than what it was just given
			for _, t := range r.tracks {
				gone.names = append(gone.names, r.name(t, "init.mp4"))
			}
			p.runs = p.runs[1:]
			continue
		}
		for _, t := range r.tracks {
			t.forget(r.dropped)
		}
	}
	if len(gone.names) > 0 {
		gone.at = p.now().Add(p.cfg.keep())
		p.expired = append(p.expired, gone)
	}
}

// sweep removes what nobody can ask for any more.
func (p *Packager) sweep(ctx context.Context) {
	now := p.now()
	for len(p.expired) > 0 && !p.expired[0].at.After(now) {
		for _, name := range p.expired[0].names {
			_ = p.sink.Delete(ctx, name)
		}
		p.expired = p.expired[1:]
	}
}

// publish puts the manifests: media playlists, then the MPD, and the
// multivariant playlist where it is new, so that what it names is there.
func (p *Packager) publish(ctx context.Context) error {
	p.published = laterOf(laterOf(p.now(), p.floor).UTC().Truncate(time.Millisecond), p.published.Add(time.Millisecond))
	for i := range p.cfg.Tracks {
		if err := p.put(ctx, path.Join(p.cfg.Tracks[i].Name, "index.m3u8"), p.mediaPlaylist(i)); err != nil {
			return err
		}
	}
	if err := p.put(ctx, "manifest.mpd", p.mpd()); err != nil {
		return err
	}
	if master := p.multivariant(); !bytes.Equal(master, p.master) {
		if err := p.put(ctx, "master.m3u8", master); err != nil {
			return err
		}
		p.master = master
	}
	if !p.shown {
		p.shown = true
		close(p.ready)
	}
	p.sweep(ctx)
	return nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (p *Packager) put(ctx context.Context, name string, data []byte) error {
	return p.sink.Put(ctx, path.Join(p.cfg.Prefix, name), data)
}

// Finish says that nothing will be added, after the last run has ended: a VOD
// presentation is published, a live one gets its end (EXT-X-ENDLIST; an MPD
// of type static).
func (p *Packager) Finish(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return nil
	}
	if p.listed == 0 {
		return fmt.Errorf("cannot finish the presentation: it has no segment")
	}
	p.finished = true
	return p.publish(ctx)
}
