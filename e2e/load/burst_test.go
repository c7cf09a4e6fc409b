package load

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Short: 5,000 keys through a shield of a few megabytes; the full form is
// 100,000 through one of twenty times the size.
func TestBurst(t *testing.T) { burst(t, 5_000, 1) }

// liveStreams is how many streams are on air during the burst.
const liveStreams = 20

// burst shows that a crowd of new keys (segments, manifests and addresses that
// lead nowhere, several times what the cache holds) leaves all that is live
// where it is. What is live here is fresh for an hour: the origin must not be
// asked for it once more.
func burst(t *testing.T, keys, size int) {
	object := strings.Repeat("0123456789abcdef", 256)
	o := startSource(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		live := strings.HasPrefix(r.URL.Path, "/live/")
		switch name := path.Base(r.URL.Path); {
		case path.Ext(name) == ".m4s":
			_, _ = io.WriteString(w, object)
		case name == "master.m3u8":
			_, _ = io.WriteString(w, master)
		case name == "index.m3u8":
			_, _ = io.WriteString(w, playlist(1, 3600, live))
		case name == "manifest.mpd":
			_, _ = io.WriteString(w, mpd("m", 3600, live))
		default:
			http.NotFound(w, r)
		}
	})
	e := startEdge(t, fmt.Sprintf(`
shield: {allow_private: 127.0.0.0/8, live: 8MiB, recent: %dMiB, library: %dMiB}
channels:
  - {name: live, segments: proxy, origin: "%s/live/", pathways: ["https://cdn.example"]}
  - {name: vod, segments: proxy, origin: "%s/vod/", pathways: ["https://cdn.example"]}
`, size, 4*size, o.url, o.url))
	c := e.client("h1")
	type resource struct{ origin, url string }
	var live []resource
	for i := range liveStreams {
		dir := fmt.Sprintf("/live/%d/", i)
		media := e.enter(dir+"master.m3u8", fmt.Sprint(i))
		live = append(live, resource{dir + "index.m3u8", media}, resource{dir + "manifest.mpd", dir + "manifest.mpd"})
		for n := 1; n <= 3; n++ {
			name := fmt.Sprintf("seg-%d.m4s", n)
			live = append(live, resource{dir + name, sibling(media, name)})
		}
	}
	ask := func(url string, status int) *answer {
		a, err := c.get(t.Context(), url)
		if err != nil || a.status != status {
			t.Fatalf("%s: %+v, %v", url, a, err)
		}
		return a
	}
	for _, r := range live {
		ask(r.url, http.StatusOK)
	}

	session, _, _ := strings.Cut(strings.TrimPrefix(e.enter("/vod/master.m3u8", "x"), "/vod/"), "/")
	var next atomic.Int64
	var bad complaints
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(keys) && bad.n.Load() == 0; i = next.Add(1) {
				url, status := fmt.Sprintf("/vod/%s/cdn.example/%d/seg.m4s", session, i), http.StatusOK
				switch i % 10 {
				case 0, 1:
					url = fmt.Sprintf("/vod/%d/manifest.mpd", i)
				case 2, 3:
					url = fmt.Sprintf("/vod/%s/cdn.example/%d/index.m3u8", session, i)
				case 4:
					url, status = fmt.Sprintf("/vod/%s/cdn.example/%d/none", session, i), http.StatusNotFound
				}
				if a, err := c.get(t.Context(), url); err != nil || a.status != status {
					bad.add("%s: %+v, %v", url, a, err)
				}
			}
		})
	}
	all.Wait()
	if bad.report(t); t.Failed() {
		return
	}

	for _, r := range live {
		if state := ask(r.url, http.StatusOK).header.Get("Cache-Status"); !strings.Contains(state, "; hit") {
			t.Errorf("%s: %s, want a hit", r.url, state)
		}
		if n := o.count(r.origin); n != 1 {
			t.Errorf("%s was asked for %d times, want once, before the burst", r.origin, n)
		}
	}
	if n := e.metric(`manifold_shield_events_total{event="live_refused"}`); n != 0 {
		t.Errorf("%v live entries found no room", n)
	}
	lost := e.metric(`manifold_shield_events_total{event="library_evicted"}`) + e.metric(`manifold_shield_events_total{event="library_rejected"}`) +
		e.metric(`manifold_shield_events_total{event="library_dropped"}`)
	if lost == 0 {
		t.Error("the burst threw nothing out: it was none")
	}
	t.Logf("measured: burst of %d new keys: %d live entries of %d still hits, %.0f of the burst's own thrown out", keys, len(live), len(live), lost)
}
