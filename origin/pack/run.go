package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
)

// Run is one life of the encoder: media time begins at 0 in it, and its
// headers hold for all its segments.
type Run struct {
	p       *Packager
	version string
	first   int64 // the number of segment 0
	tracks  []*timeline

	// Under the Packager's mutex.
	discontinuous bool      // EXT-X-DISCONTINUITY stands before segment 0
	anchor        time.Time // the wall-clock time of media time 0; live only
	dropped       int       // segments [0, dropped) have left the manifests
	listed        int       // segments [dropped, listed) are in them
	ended         bool
}

// timeline is what a Run knows of one track. Its reader alone writes it until
// Feed has returned, but for segments, which the Packager's mutex guards.
type timeline struct {
	cfg    *Track
	format format
	fed    bool
	tail   *cutter // what Feed had in hand at the end of the stream
	track  uint32  // track_ID

	// segments holds those from index base of the run on; older ones have left
	// the manifests.
	base     int
	segments []segment
}

// count is the number of segments the track ever had in its run.
func (t *timeline) count() int { return t.base + len(t.segments) }

// at is segment i of the run, which must not have left the manifests.
func (t *timeline) at(i int) segment { return t.segments[i-t.base] }

// forget gives up the segments before index i.
func (t *timeline) forget(i int) {
	t.segments = append(t.segments[:0], t.segments[i-t.base:]...)
	t.base = i
}

// Begin starts a run. The version names its folder in every track: another
// one for other bytes. It may be empty in a live presentation: the number of
// the first segment is taken. The run before must have been ended. The first
// run of a live presentation looks for an earlier life of it (see [Getter]).
func (p *Packager) Begin(ctx context.Context, version string) (*Run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.resume(ctx); err != nil {
		return nil, fmt.Errorf("cannot begin a run: %w", err)
	}
	if n := len(p.runs); p.finished || n > 0 && (!p.runs[n-1].ended || !p.cfg.Live) {
		return nil, errors.New("cannot begin a run: the one before is not at its end, or the presentation is")
	}
	if version == "" && p.cfg.Live {
		version = strconv.FormatInt(p.next, 10)
	}
	if !nameSyntax.MatchString(version) {
		return nil, fmt.Errorf("cannot begin a run: %q is not a version (lower-case letters, digits and -)", version)
	}
	r := &Run{p: p, version: version, first: p.next, discontinuous: p.started}
	for i := range p.cfg.Tracks {
		r.tracks = append(r.tracks, &timeline{cfg: &p.cfg.Tracks[i]})
	}
	p.runs = append(p.runs, r)
	return r, nil
}

// Feed reads the stream of one track, by its index in Config.Tracks, to its
// end: a header (ftyp, moov) and fragments of one track, decode times rising
// without a gap from 0. Each track is fed by its own goroutine. Segments are
// put as they are complete, and listed once all tracks have them.
func (r *Run) Feed(ctx context.Context, index int, src io.Reader) error {
	t := r.tracks[index]
	if err := r.feed(ctx, t, src); err != nil {
		return fmt.Errorf("cannot package track %s: %w", t.cfg.Name, err)
	}
	return nil
}

func (r *Run) feed(ctx context.Context, t *timeline, src io.Reader) error {
	if t.cfg.Kind == Text || t.fed {
		return errors.New("the track is not fed, or not again")
	}
	t.fed = true
	boxes := newBoxReader(src)
	raw, moov, err := boxes.init()
	if err != nil {
		return err
	}
	if t.format, err = formatOf(moov, t.cfg.Kind); err != nil {
		return err
	}
	t.track = moov.Mvex.Trex.TrackID
	if err := r.p.sink.Put(ctx, r.name(t, "init.mp4"), raw); err != nil {
		return err
	}
	cut := &cutter{cfg: &r.p.cfg, kind: t.cfg.Kind, timescale: t.format.timescale}
	for {
		samples, err := boxes.fragment(moov.Mvex.Trex)
		if err == io.EOF {
			t.tail = cut
			return nil
		}
		if err != nil {
			return err
		}
		for _, s := range samples {
			done, err := cut.add(s)
			if err != nil {
				return err
			}
			if done != nil {
				if err := r.emit(ctx, t, done); err != nil {
					return err
				}
			}
		}
	}
}

// emit puts the next segment of a track and lists what all tracks have.
func (r *Run) emit(ctx context.Context, t *timeline, samples []mp4.FullSample) error {
	r.p.mu.Lock()
	index := t.count()
	r.p.mu.Unlock()
	number := r.first + int64(index)
	data, err := encodeSegment(number, t.track, samples)
	if err != nil {
		return err
	}
	first, last := samples[0], samples[len(samples)-1]
	s := segment{start: first.DecodeTime, duration: last.DecodeTime + uint64(last.Dur) - first.DecodeTime, size: len(data)}
	if whole := extinf(s, t.format.timescale).Round(time.Second); whole > time.Duration(r.p.cfg.target())*time.Second {
		return fmt.Errorf("segment %d lasts %v: more than the target duration of %d s", number, extinf(s, t.format.timescale), r.p.cfg.target())
	}
	if err := r.p.sink.Put(ctx, r.segmentName(t, number, ".m4s"), data); err != nil {
		return err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	t.segments = append(t.segments, s)
	return r.p.advance(ctx, r)
}

// End ends the run, after every Feed has returned. complete says that the
// streams ended where the content did: what is left of them becomes the last
// segments. Otherwise segments that not every track has are taken back.
func (r *Run) End(ctx context.Context, complete bool) error {
	defer r.close()
	if complete {
		if err := r.flush(ctx); err != nil {
			r.takeBack(ctx)
			return fmt.Errorf("cannot end the content: %w", err)
		}
	}
	r.takeBack(ctx)
	return nil
}

// close marks the run as ended; one that gave nothing is forgotten.
func (r *Run) close() {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ended = true
	if n := len(p.runs); r.listed == 0 && n > 0 && p.runs[n-1] == r {
		p.runs = p.runs[:n-1]
	}
}

// flush makes the last segments. The content ends with its reference video:
// a last bit of sound beyond it is dropped.
func (r *Run) flush(ctx context.Context) error {
	reference := r.reference()
	if !reference.fed || reference.tail == nil {
		return fmt.Errorf("track %s did not come to its end", reference.cfg.Name)
	}
	order := []*timeline{reference}
	for _, t := range r.tracks {
		if t.cfg.Kind != Text && t != reference {
			order = append(order, t)
		}
	}
	for _, t := range order {
		if t.tail == nil {
			return fmt.Errorf("track %s did not come to its end", t.cfg.Name)
		}
		if samples := t.tail.samples; len(samples) > 0 && (t == reference || t.count() < reference.count()) {
			if err := r.emit(ctx, t, samples); err != nil {
				return err
			}
		}
		if t.count() != reference.count() {
			return fmt.Errorf("track %s has %d segments, the video %d", t.cfg.Name, t.count(), reference.count())
		}
	}
	return nil
}

// takeBack deletes what was put and never listed.
func (r *Run) takeBack(ctx context.Context) {
	r.p.mu.Lock()
	listed := r.listed
	var names []string
	for _, t := range r.tracks {
		for i := listed; i < t.count(); i++ {
			names = append(names, r.segmentNames(t, i)...)
		}
		t.segments = t.segments[:min(listed, t.count())-t.base]
		if listed == 0 {
			names = append(names, r.name(t, "init.mp4"))
		}
	}
	r.p.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	for _, name := range names {
		_ = r.p.sink.Delete(ctx, name)
	}
}

// reference is the track whose segments time the text tracks.
func (r *Run) reference() *timeline {
	for _, t := range r.tracks {
		if t.cfg.Kind == Video {
			return t
		}
	}
	return nil
}

// textSegments makes segment i of every text track. Under the mutex.
func (r *Run) textSegments(ctx context.Context, i int) error {
	reference := r.reference()
	for _, t := range r.tracks {
		if t.cfg.Kind != Text {
			continue
		}
		if i == 0 {
			t.format = format{timescale: reference.format.timescale, codecs: "wvtt"}
			init, err := wvttInit(t.format.timescale, t.cfg.Language)
			if err != nil {
				return err
			}
			if err := r.p.sink.Put(ctx, r.name(t, "init.mp4"), init); err != nil {
				return err
			}
		}
		s := reference.at(i)
		number := r.first + int64(i)
		start, end := mediaTime(s.start, t.format.timescale), mediaTime(s.end(), t.format.timescale)
		var wall time.Time
		if r.p.cfg.Live {
			wall = r.anchor.Add(start)
		}
		cues := cleanCues(t.cfg.Cues.Cues(start, end, wall), start, end)
		data, err := wvttSegment(number, s, t.format.timescale, cues)
		if err != nil {
			return err
		}
		if err := r.p.sink.Put(ctx, r.segmentName(t, number, ".m4s"), data); err != nil {
			return err
		}
		if err := r.p.sink.Put(ctx, r.segmentName(t, number, ".vtt"), webVTT(cues)); err != nil {
			return err
		}
		s.size = len(data)
		t.segments = append(t.segments, s)
	}
	return nil
}

// name is where a resource of the run's track is put.
func (r *Run) name(t *timeline, last string) string {
	return path.Join(r.p.cfg.Prefix, t.cfg.Name, r.version, last)
}

func (r *Run) segmentName(t *timeline, number int64, ext string) string {
	return r.name(t, strconv.FormatInt(number, 10)+ext)
}

// segmentNames are all names of segment i of a track.
func (r *Run) segmentNames(t *timeline, i int) []string {
	names := []string{r.segmentName(t, r.first+int64(i), ".m4s")}
	if t.cfg.Kind == Text {
		names = append(names, r.segmentName(t, r.first+int64(i), ".vtt"))
	}
	return names
}

// mediaTime is ticks of a timescale as a duration, to the nearest microsecond.
func mediaTime(ticks uint64, timescale uint32) time.Duration {
	sec, rest := ticks/uint64(timescale), ticks%uint64(timescale)
	us := (rest*1_000_000 + uint64(timescale)/2) / uint64(timescale)
	return time.Duration(sec)*time.Second + time.Duration(us)*time.Microsecond
}

// extinf is the duration of a segment such that durations add up: the
// difference of its rounded end and its rounded start.
func extinf(s segment, timescale uint32) time.Duration {
	return mediaTime(s.end(), timescale) - mediaTime(s.start, timescale)
}
