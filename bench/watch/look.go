package watch

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/media"
	"manifold/bench/read"
)

// Tolerances of media against the manifest.
const (
	durationShare = 20 // a twentieth,
	durationLeast = 100 * time.Millisecond
	timeSlack     = 150 * time.Millisecond
	exactSlack    = 250 * time.Millisecond // decode time against presentation time
	beyond        = 1 << 50                // the length of what only began to come
)

// open decrypts AES-128 bytes; others pass as they are.
func (w *watcher) open(ctx context.Context, j job, res *client.Result, keys []read.Key) ([]byte, bool) {
	i := slices.IndexFunc(keys, func(k read.Key) bool { return k.Method == "AES-128" && k.Format == "identity" })
	if i < 0 {
		return res.Body, true
	}
	key, ok := w.key(ctx, j, keys[i])
	if !ok {
		return nil, false
	}
	whole := res.Size == int64(len(res.Body))
	body, err := media.Decrypt(res.Body, whole, key, media.IV(keys[i].IV, j.msn))
	if err != nil {
		w.badBytes(j, "segment-undecryptable", j.uri, err)
		return nil, false
	}
	if f := media.Sniff(body); !f.Media() {
		w.add("segment-undecryptable", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s decrypts to %s", j.what, f), after: []finding.Line{keys[i].Line, j.line}})
		return nil, false
	}
	return body, true
}

// key gets a key, once for each address.
func (w *watcher) key(ctx context.Context, j job, k read.Key) ([]byte, bool) {
	uri := j.base(k.URI)
	id := w.tokens.strip(uri)
	w.mu.Lock()
	key := w.keys[id]
	w.mu.Unlock()
	if key != nil {
		return key, true
	}
	as := j
	as.what, as.line = "the key of "+j.what, k.Line
	res := w.fetch(ctx, uri, nil)
	if ctx.Err() != nil || !w.had(as, res, "key-unavailable", uri) {
		return nil, false
	}
	if len(res.Body) != 16 {
		w.add("key-length", j.doc, 0, evidence{where: j.where, url: uri, said: fmt.Sprintf("%d bytes", res.Size), after: []finding.Line{k.Line}})
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.keys) < 10_000 {
		w.keys[id] = res.Body
	}
	return res.Body, true
}

// look holds the bytes of a segment against the manifest.
func (w *watcher) look(ctx context.Context, j job, res *client.Result, init *media.Init) {
	body, ok := w.open(ctx, j, res, j.keys)
	if !ok {
		return
	}
	total := res.Size
	if len(body) != len(res.Body) {
		total = int64(len(body)) // decrypted, padding removed
	}
	if j.rng != nil && uint64(res.Size) != j.rng.Length {
		w.add("segment-truncated", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s: %d bytes came of a range of %d (status %d)", j.what, res.Size, j.rng.Length, res.Status), after: []finding.Line{j.line}})
		return
	}
	switch f := media.Sniff(body); f {
	case media.FMP4:
		if j.frame || j.head && res.Status == http.StatusPartialContent {
			total = beyond // the last box need not end here
		}
		w.fmp4(j, body, total, init)
	case media.TS:
		if err := media.CheckTS(body, total); err != nil {
			w.badBytes(j, "segment-not-media", j.uri, err)
			return
		}
		w.tsTime(j, media.FirstPTS(body))
	case media.WebVTT, media.TTML, media.Packed, media.Image:
	default:
		w.add("segment-not-media", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s is %s, Content-Type %q", j.what, f, res.Header.Get("Content-Type")), after: firstLines(body)})
	}
}

func (w *watcher) fmp4(j job, body []byte, total int64, init *media.Init) {
	list, whole, err := media.ParseSegment(body, total, init)
	if err != nil {
		if _, initErr := media.ParseInit(body); initErr == nil && j.duration == 0 {
			return // a whole file that begins with its initialisation
		}
		w.badBytes(j, "segment-not-media", j.uri, err)
		return
	}
	if init == nil {
		return
	}
	for _, f := range list {
		track := init.Track(f.Track)
		if track == nil {
			w.add("map-mismatch", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s holds track %d, which its initialisation section %s does not have", j.what, f.Track, j.init.uri), after: []finding.Line{j.line}})
			return
		}
		scale := uint64(track.Timescale)
		lasts := inTime(f.Duration, scale)
		if whole && j.duration > 0 && f.Samples > 0 && track.Handler != "meta" {
			allowed := max(durationLeast, j.duration/durationShare)
			if j.nominal {
				allowed = j.duration / 2
			}
			if d := lasts - j.duration; d.Abs() > allowed && !(track.Handler == "text" || track.Handler == "subt") {
				w.add("media-duration", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s: the samples of track %d last %s, the manifest says %s", j.what, f.Track, lasts.Round(time.Millisecond), j.duration), after: []finding.Line{j.line}})
				return
			}
		}
		w.evenly(j, f.Track, f.Start, scale)
	}
}

// inTime turns units into time without overflow.
func inTime(units, scale uint64) time.Duration {
	if scale == 0 || units/scale > math.MaxInt64/2/uint64(time.Second) {
		return 0
	}
	return time.Duration(units/scale)*time.Second + time.Duration(float64(units%scale)/float64(scale)*1e9)
}

// evenly: media time runs as the manifest's timeline does.
func (w *watcher) evenly(j job, track uint32, start, scale uint64) {
	is := inTime(start, scale)
	if j.exact {
		should := inTime(j.time, j.scale)
		slack := exactSlack
		if j.nominal {
			slack = max(slack, j.duration/2)
		}
		if d := is - should; d.Abs() > slack {
			w.add("media-time", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("%s: track %d starts at %s in its media time, the manifest says %s", j.what, track, is, should), after: []finding.Line{j.line}})
		}
		return
	}
	if j.anchor == nil {
		return
	}
	offset := is - j.at
	w.mu.Lock()
	had, ok := j.anchor.offset[track]
	name := j.anchor.name[track]
	if !ok {
		j.anchor.offset[track], j.anchor.name[track] = offset, j.what
	}
	w.mu.Unlock()
	if d := offset - had; ok && d.Abs() > timeSlack+j.at.Abs()/1000 {
		w.add("media-time", j.doc, 0, evidence{where: j.where, url: j.uri, said: fmt.Sprintf("between %s and %s media time moves %s more than the durations, without a discontinuity", name, j.what, d.Round(time.Millisecond)), after: []finding.Line{j.line}})
	}
}

// tsTime does so for a transport stream: its clock wraps after 26.5 hours.
func (w *watcher) tsTime(j job, first map[uint16]uint64) {
	round := inTime(1<<33, 90000)
	for pid, pts := range first {
		at := inTime(pts, 90000)
		switch {
		case j.exact:
			at = nearest(at, inTime(j.time, j.scale), round)
		case j.anchor == nil:
			return
		default:
			w.mu.Lock()
			had, ok := j.anchor.offset[uint32(pid)]
			w.mu.Unlock()
			if ok {
				at = nearest(at, had+j.at, round)
			}
		}
		if at >= 0 {
			w.evenly(j, uint32(pid), uint64(at/time.Microsecond), 1_000_000)
		}
	}
}

// nearest is the turn of a clock that wraps which lies nearest to should.
func nearest(at, should, round time.Duration) time.Duration {
	at += (should - at) / round * round
	switch d := should - at; {
	case d > round/2:
		return at + round
	case -d > round/2:
		return at - round
	}
	return at
}
