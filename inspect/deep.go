package inspect

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// One level deeper: the playlists that a multivariant playlist lists, and what
// they must have in common (rfc8216bis, section 6.2.4).

const (
	// maxPlaylists bounds the playlists that are followed.
	maxPlaylists = 64
	// atOnce bounds those that are fetched at the same time.
	atOnce = 4
)

// Open gives the manifest that a reference leads to.
type Open func(ctx context.Context, reference string) (*Source, error)

// OpenURL resolves references against a URL, and fetches them.
func OpenURL(f *Fetcher, base string) Open {
	return func(ctx context.Context, reference string) (*Source, error) {
		b, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("cannot read the URL: %w", err)
		}
		u, err := b.Parse(reference)
		if err != nil {
			return nil, fmt.Errorf("cannot read the reference %s: %w", short(reference), err)
		}
		return f.Fetch(ctx, u.String())
	}
}

// OpenFile resolves references against a file's folder. References that are
// URLs are not followed.
func OpenFile(name string) Open {
	return func(_ context.Context, reference string) (*Source, error) {
		if u, err := url.Parse(reference); err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(reference, "/") {
			return nil, fmt.Errorf("cannot follow %s from a file", short(withoutQuery(reference)))
		}
		path, err := url.PathUnescape(withoutQuery(reference))
		if err != nil {
			return nil, fmt.Errorf("cannot read the reference %s: %w", short(reference), err)
		}
		return ReadFile(filepath.Join(filepath.Dir(name), filepath.FromSlash(path)))
	}
}

// Deep inspects the playlists that a multivariant playlist lists, adds their
// reports, and checks what they must have in common.
func (r *Report) Deep(ctx context.Context, open Open, now func() time.Time) {
	if r.Multivariant == nil {
		return
	}
	refs, streams := r.references()
	r.Playlists = make([]*Report, len(refs))
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, ref := range refs {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			s, err := open(ctx, ref)
			if err != nil {
				r.Playlists[i] = &Report{Name: ref, Problems: []Problem{{Grade: Error, Text: err.Error()}}}
				return
			}
			s.Name = ref
			r.Playlists[i] = Inspect(s, now)
		})
	}
	wg.Wait()
	var f findings
	for i, p := range r.Playlists {
		if p.Kind != "" && p.Media == nil {
			f.add(at{line: streams[i].Line}, hlsRule(Error, "4.4.6", "name a media playlist"), "", short(p.Name)+" is no media playlist")
		}
	}
	f.together(r.Playlists, streams)
	r.Together = r.Multivariant.presentationOf(r.Playlists)
	r.Problems = append(r.Problems, f.sorted()...)
}

// references are the different playlists listed, with the first stream that
// names each.
func (r *Report) references() (refs []string, streams []Stream) {
	m := r.Multivariant
	seen := make(map[string]bool)
	for _, list := range [...][]Stream{m.Variants, m.Renditions, m.TrickPlay} {
		for _, s := range list {
			if s.URI == "" || seen[s.URI] || len(refs) == maxPlaylists {
				continue
			}
			seen[s.URI] = true
			refs, streams = append(refs, s.URI), append(streams, s)
		}
	}
	return refs, streams
}

// together checks what the media playlists of a presentation must share.
func (f *findings) together(all []*Report, streams []Stream) {
	var first *Report
	for i, p := range all {
		if p.Media == nil {
			continue
		}
		if streams[i].Kind == "trick play" && !p.Media.IFramesOnly && streams[i].Codecs != "jpeg" {
			f.add(at{line: streams[i].Line}, hlsRule(Error, "4.4.6.3", "add #EXT-X-I-FRAMES-ONLY to it"), "", short(p.Name)+" is listed as an I-frame playlist, and has no EXT-X-I-FRAMES-ONLY")
		}
		if first == nil {
			first = p
			continue
		}
		f.pair(first, p, streams[i])
	}
}

// pair compares a playlist with the first.
func (f *findings) pair(first, p *Report, s Stream) {
	a, b := first.Media, p.Media
	differ := func(g Grade, clause, key, what, x, y string) {
		f.add(at{line: s.Line}, hlsRule(g, clause, ""), key, fmt.Sprintf("%s: %s in %s, %s in %s", what, x, short(first.Name), y, short(p.Name)))
	}
	own := (s.Kind == "subtitles" || b.IFramesOnly) && b.Type == "VOD"
	if a.Target != b.Target && !own {
		differ(Error, "6.2.4", "target", "target durations differ", spanOf(a.Target), spanOf(b.Target))
	}
	if a.Live != b.Live {
		differ(Error, "6.2.4", "live", "one is live, another is not", liveOrNot(a), liveOrNot(b))
	}
	if a.Type != b.Type {
		differ(Error, "6.2.4", "type", "playlist types differ", typeOrNone(a), typeOrNone(b))
	}
	if (a.Dated > 0) != (b.Dated > 0) {
		differ(Error, "6.2.4", "dated", "some have dates, others not", number(a.Dated, "date", "dates"), number(b.Dated, "date", "dates"))
	}
	if a.Starts != nil && b.Starts != nil && a.Edge != nil && b.Edge != nil && a.Live && b.Live {
		if off := a.Edge.Sub(*b.Edge).Abs(); off > 2*time.Duration(max(a.Target, b.Target)) {
			differ(Warning, "6.2.4", "edge", "live edges differ by "+span(off), clock(a.Edge), clock(b.Edge))
		}
	}
	if !a.Live && !b.Live && (time.Duration(a.Window)-time.Duration(b.Window)).Abs() > time.Duration(max(a.Target, b.Target, Seconds(time.Second))) {
		differ(Error, "6.2.4", "window", "lengths differ", spanOf(a.Window), spanOf(b.Window))
	}
	if a.DiscontinuitySequence != b.DiscontinuitySequence && a.First == b.First && a.Starts != nil && b.Starts != nil && a.Starts.Equal(*b.Starts) {
		differ(Error, "6.2.4", "discontinuity", "discontinuity sequences differ", fmt.Sprint(a.DiscontinuitySequence), fmt.Sprint(b.DiscontinuitySequence))
	}
	if x, y := a.LowLatency, b.LowLatency; (x != nil) != (y != nil) && !b.IFramesOnly {
		differ(Warning, "6.2.4", "low latency", "some have EXT-X-SERVER-CONTROL or parts, others not", yesNo(x != nil), yesNo(y != nil))
	} else if x != nil && y != nil && (x.HoldBack != y.HoldBack || x.PartHoldBack != y.PartHoldBack || x.SkipUntil != y.SkipUntil || x.BlockingReload != y.BlockingReload) {
		differ(Error, "6.2.4", "control", "EXT-X-SERVER-CONTROL differs", controlText(x), controlText(y))
	}
}

func liveOrNot(m *Media) string {
	if m.Live {
		return "live"
	}
	return "ended"
}

func typeOrNone(m *Media) string {
	if m.Type == "" {
		return "none"
	}
	return m.Type
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func controlText(l *LowLatency) string {
	return fmt.Sprintf("hold back %s/%s, skip %s, block %s", decimal(l.HoldBack), decimal(l.PartHoldBack), decimal(l.SkipUntil), yesNo(l.BlockingReload))
}
