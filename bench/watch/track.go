package watch

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// track is one media playlist that is followed. Its fields belong to its own
// goroutine but for those under the watcher's lock.
type track struct {
	w        *watcher
	doc      *doc
	where    string
	url      string
	kind     string // VIDEO, AUDIO, SUBTITLES, I-FRAMES
	identity string // the same over pathways
	defined  map[string]string

	base      *url.URL
	prev      *read.Media // the newest version, as read
	prevN     int         // its reload number
	prevLines []finding.Line
	listed    int       // segments of prev that count in the watcher's sum
	newestAt  time.Time // when a new segment or part was seen last
	interval  time.Duration
	lags      int // reloads in a row behind the others
	apart     int // reloads in a row with other discontinuities
	differs   int // reloads in a row with another header
	probed    bool
	iframes   bool // EXT-X-I-FRAMES-ONLY
	early     bool // the last blocking reload did not block

	// Under the watcher's lock:
	pathway string // its id, or the host of its media
	facts   map[uint64]*fact
	low     uint64 // the lowest number in facts
	high    uint64 // one past the highest
	view    view
}

// view is what other tracks may know of one.
type view struct {
	loaded     bool
	began      time.Time // when the newest version was asked for
	target     time.Duration
	partTarget time.Duration
	control    *read.ServerControl
	kind       string // PLAYLIST-TYPE
	dated      bool
	live       bool
	end        uint64
	parts      int
	edge       time.Time // date at the end of the newest segment
	marks      []mark
}

// mark is where the end of a track was at a time.
type mark struct {
	at    time.Time
	end   uint64
	parts int
}

// run follows the playlist; first is a version that is there already, or nil.
func (t *track) run(ctx context.Context, first *client.Result) {
	directives := ""
	for {
		res, ok := first, true
		if first == nil {
			began := t.w.cfg.Now()
			req := client.Request{URL: withQuery(t.url, directives), MaxBody: t.w.share()}
			if directives != "" && t.prev != nil {
				req.Timeout = 3*t.prev.Target + 5*time.Second
			}
			res, ok = t.w.manifest(ctx, t.doc, req)
			if directives != "" && ctx.Err() == nil {
				t.blocked(ctx, res, directives, t.w.cfg.Now().Sub(began))
			}
		}
		first = nil
		if ok && t.isMedia(res) {
			if !t.read(ctx, res, directives) {
				return
			}
		} else if t.prev == nil && t.doc.version() > 3 {
			return // was never a playlist
		}
		if ctx.Err() != nil {
			return
		}
		var pause time.Duration
		pause, directives = t.next(res)
		if !wait(ctx, pause) {
			return
		}
	}
}

func (t *track) isMedia(res *client.Result) bool {
	kind := read.Sniff(res.Body)
	if kind == read.MediaList {
		return true
	}
	t.w.add("not-a-media-playlist", t.doc, 0, evidence{said: fmt.Sprintf("%s, Content-Type %q: %s", describe(res), res.Header.Get("Content-Type"), kind), after: firstLines(res.Body)})
	return false
}

// next is when to ask again (RFC 8216, section 6.3.4), and with which
// directives where the server holds the request itself.
func (t *track) next(res *client.Result) (time.Duration, string) {
	m := t.prev
	switch {
	case m == nil:
		return 2 * time.Second, ""
	case !m.Live() || len(m.Segments) > maxHistory:
		return max(m.Target, entryEvery), ""
	case !res.OK():
		return m.Target / 2, ""
	case t.early:
		t.early = false
		return max(m.Target/2, 500*time.Millisecond), "" // it would never wait
	case m.Control != nil && m.Control.CanBlockReload:
		if m.PartTarget > 0 {
			return 0, fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", m.End(), len(m.Parts))
		}
		return 0, fmt.Sprintf("_HLS_msn=%d", m.End())
	}
	// A judge looks twice in a target duration: a player would wait a whole one
	// after a change.
	return max(m.Target/2, 500*time.Millisecond), ""
}

// read takes in a version when it is its turn: some may be as large as is
// allowed. It tells whether to go on.
func (t *track) read(ctx context.Context, res *client.Result, directives string) bool {
	if !t.w.turn(ctx) {
		return false
	}
	news := t.version(res, directives)
	t.w.done()
	if t.prev == nil || t.w.room(t) {
		if news {
			t.probe(ctx)
		}
		return true
	}
	t.w.add("too-much", t.doc, 0, evidence{said: fmt.Sprintf("the media playlists list more than %d segments in all: this one, with %d, is not followed", maxListed, len(t.prev.Segments))})
	t.prev, t.prevLines = nil, nil
	t.forget()
	return false
}

// version takes in a new version of the playlist; it tells whether it is one
// that stands for what comes.
func (t *track) version(res *client.Result, directives string) bool {
	t.base = res.URL
	m := read.ParseMedia(res.Body, read.Environment{URL: res.URL, Defined: t.defined})
	t.w.problems(t.doc, m.Problems)
	t.w.problems(t.doc, read.SecondMedia(res.Body, m))
	if directives == "" {
		t.w.contentType(t.doc, res, read.MediaList)
		if m.Live() {
			t.w.slow(t.doc, res, m.Target)
		}
	}
	if m.HasSkip {
		t.w.add("ll-delta", t.doc, t.prevN, evidence{said: "a delta update came although none was asked for", after: firstLines(res.Body)})
		return false
	}
	t.iframes = m.IFramesOnly
	older := t.compare(m)
	t.remember(m, res, older)
	t.siblings(m, res)
	if !older {
		if t.prev != nil && len(m.Lines) > 0 {
			t.hints(m)
		}
		t.sample(m)
		t.prev, t.prevN = m, t.doc.version()
		t.prevLines = m.Lines
		if len(res.Body) > maxEvidence {
			t.prevLines = nil
		}
		m.Lines = nil
	}
	t.stale(res)
	return !older
}

// withQuery adds directives to an address.
func withQuery(address, directives string) string {
	if directives == "" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.RawQuery != "" {
		directives = u.RawQuery + "&" + directives
	}
	u.RawQuery = directives
	return u.String()
}

// stale reports a live playlist that does not move on (rfc8216bis, section
// 6.2.1): what the watch may have overlooked between two reloads is allowed
// for.
func (t *track) stale(res *client.Result) {
	if t.prev == nil || !t.prev.Live() || t.newestAt.IsZero() {
		return
	}
	allowed := t.prev.Target*3/2 + t.interval + t.prev.Target/2 + 500*time.Millisecond
	if still := res.Begin.Sub(t.newestAt); still > allowed {
		line := evidence{said: fmt.Sprintf("no new segment for %s; 1.5 target durations are %s", still.Round(100*time.Millisecond), t.prev.Target*3/2)}
		if last := t.prev.Last(); last != nil {
			line.after = []finding.Line{last.Line}
		}
		t.w.add("hls-stale", t.doc, t.prevN, line)
	}
}

// turn waits until a playlist may be read, and tells whether there is time
// for it; done gives the turn back.
func (w *watcher) turn(ctx context.Context) bool {
	select {
	case w.parse <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *watcher) done() { <-w.parse }

// share is how large a media playlist may be.
func (w *watcher) share() int64 {
	if !w.cfg.shared {
		return w.cfg.MaxManifest
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return min(w.cfg.MaxManifest, max(leastText, int64(maxText/max(len(w.tracks), 1))))
}

// room counts what a track lists now, and tells whether that is within what
// all may.
func (w *watcher) room(t *track) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(t.prev.Segments)
	if w.listed+n-t.listed > maxListed {
		w.listed -= t.listed
		t.listed = 0
		return false
	}
	w.listed += n - t.listed
	t.listed = n
	return true
}
