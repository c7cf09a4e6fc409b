package watch

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// entryEvery is how often the entry address is asked again while its playlists
// are followed: new viewers do so all the time.
const entryEvery = 10 * time.Second

// multivariant follows everything that a multivariant playlist leads to.
func (w *watcher) multivariant(ctx context.Context, d *doc, res *client.Result) {
	d.name = "multivariant playlist"
	m := w.readMaster(d, res)
	list := w.tracksOf(m, res.URL)
	if len(list) == 0 {
		w.add("not-a-manifest", d, 0, evidence{said: "the multivariant playlist has no variant that can be followed", after: firstLines(res.Body)})
		return
	}
	var running sync.WaitGroup
	for _, t := range list {
		running.Go(func() { t.run(ctx, nil) })
	}
	if m.Steering != nil {
		s := &steerer{w: w, doc: w.doc("steering", resolve(res.URL, m.Steering.Server)), protocol: "HLS", initial: m.Steering.Pathway, known: m.Pathways(), line: m.Steering.Line}
		running.Go(func() { s.run(ctx) })
	}
	running.Go(func() {
		for wait(ctx, entryEvery) {
			res, ok := w.manifest(ctx, d, client.Request{URL: w.cfg.URL})
			if !ok {
				continue
			}
			if kind := read.Sniff(res.Body); kind != read.Multivariant {
				w.add("not-a-manifest", d, d.version()-1, evidence{said: fmt.Sprintf("the entry was a multivariant playlist and is now %s", kind), after: firstLines(res.Body)})
				continue
			}
			w.firstChoice(d, w.firstPathway(w.readMaster(d, res), res.URL), "the multivariant playlist")
		}
	})
	running.Wait()
}

func (w *watcher) readMaster(d *doc, res *client.Result) *read.Master {
	m := read.ParseMaster(res.Body, res.URL)
	w.problems(d, m.Problems)
	w.problems(d, read.SecondMaster(res.Body, m))
	w.contentType(d, res, read.Multivariant)
	return m
}

// firstPathway is where a new viewer begins.
func (w *watcher) firstPathway(m *read.Master, at *url.URL) string {
	if m.Steering != nil && m.Steering.Pathway != "" {
		return m.Steering.Pathway
	}
	for _, v := range m.Variants {
		if v.IFrames {
			continue
		}
		if v.HasPathway {
			return v.Pathway
		}
		address := w.tokens.strip(resolve(at, v.URI))
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, t := range w.tracks {
			if w.tokens.strip(t.url) == address {
				return t.pathway
			}
		}
		return ""
	}
	return ""
}

// tracksOf makes the tracks of a multivariant playlist: one for each address.
func (w *watcher) tracksOf(m *read.Master, at *url.URL) []*track {
	var out []*track
	seen := map[string]bool{}
	add := func(t *track) {
		if seen[t.url] {
			return
		}
		seen[t.url] = true
		if len(out) >= maxTracks {
			if len(out) == maxTracks {
				w.add("too-much", w.docs[0], 0, evidence{said: fmt.Sprintf("more than %d media playlists", maxTracks)})
			}
			return
		}
		t.defined = m.Defined
		t.doc = w.doc(t.where, t.url)
		out = append(out, w.addTrack(t))
	}
	groups := map[string]string{} // rendition group → pathway
	steered := m.Steering != nil || len(m.Pathways()) > 1
	for _, v := range m.Variants {
		for _, g := range []string{"AUDIO " + v.Audio, "VIDEO " + v.Video, "SUBTITLES " + v.Subtitles} {
			if _, ok := groups[g]; !ok {
				groups[g] = v.Pathway
			}
		}
		if v.Images || v.URI == "" {
			continue
		}
		t := &track{url: resolve(at, v.URI), kind: "VIDEO", identity: v.Identity()}
		name := fmt.Sprintf("%s %dk", cmp.Or(v.Resolution, "variant"), v.Bandwidth/1000)
		if v.IFrames {
			t.kind, name = "I-FRAMES", "I-frames "+name
		}
		t.where = named(v.Pathway, name, len(seen), steered)
		if steered {
			t.pathway = v.Pathway
		}
		add(t)
	}
	for _, r := range m.Renditions {
		if r.URI == "" {
			continue
		}
		pathway := cmp.Or(groups[r.Type+" "+r.Group], ".")
		t := &track{url: resolve(at, r.URI), kind: r.Type, identity: cmp.Or(r.StableID, r.Type+" "+r.Name+" "+r.Language)}
		t.where = named(pathway, fmt.Sprintf("%s %s", lower(r.Type), r.Name), len(seen), steered)
		if steered {
			t.pathway = pathway
		}
		add(t)
	}
	return out
}

// named is a track's name: with its pathway, or its place where there is none.
func named(pathway, name string, n int, steered bool) string {
	if steered && pathway != "." {
		return pathway + " " + name
	}
	return fmt.Sprintf("#%d %s", n+1, name)
}

func lower(kind string) string {
	switch kind {
	case "AUDIO":
		return "audio"
	case "SUBTITLES":
		return "subtitles"
	}
	return "video"
}

func (w *watcher) addTrack(t *track) *track {
	t.w = w
	t.facts = map[uint64]*fact{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tracks = append(w.tracks, t)
	if t.pathway != "" {
		w.offer(t.pathway)
	}
	return t
}

// offer notes a pathway; the caller holds the lock.
func (w *watcher) offer(pathway string) {
	for _, p := range w.pathways {
		if p == pathway {
			return
		}
	}
	if len(w.pathways) < 64 {
		w.pathways = append(w.pathways, pathway)
	}
}

// lineOf finds a line of a former version by its number.
func lineOf(lines []finding.Line, n int) []finding.Line {
	for i := range lines {
		if lines[i].Number == n {
			return lines[i : i+1]
		}
	}
	return nil
}
