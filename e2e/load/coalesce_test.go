package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
)

// Short: 2,000 at once; the full form is 10,000.
func TestCoalesce(t *testing.T) { coalesce(t, 2_000) }

// half of a segment; it comes in two.
var half = strings.Repeat("0123456789abcdef", 512)

// coalesce shows that whatever number of viewers ask for a new version of a
// playlist, or for a new segment, at the same time, the origin is asked once.
func coalesce(t *testing.T, n int) {
	o := startSource(t, nil)
	e := startEdge(t, fmt.Sprintf(`
shield: {allow_private: 127.0.0.0/8}
channels:
  - name: news
    segments: proxy
    pathways: ["https://cdn.example"]
    origin: {urls: {url: "%s/"}, deadlines: {first_byte: 1m, idle: 1m, manifest: 1m, patience: 1m}}
`, o.url))
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			e.t = t
			coalesceOver(t, o, e, protocol, n)
		})
	}
	e.t = t
}

func coalesceOver(t *testing.T, o *source, e *edge, protocol string, n int) {
	dir := "/" + protocol + "/"
	media := dir + "index.m3u8"
	// The first version is stale at once and good for nothing: who comes next
	// waits for the second.
	o.turn(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=0")
		if r.URL.Path == media {
			_, _ = io.WriteString(w, playlist(1, 60, true))
			return
		}
		_, _ = io.WriteString(w, master)
	})
	var paths []string
	for i := range 64 {
		paths = append(paths, e.enter("/news"+dir+"master.m3u8", fmt.Sprint(protocol, i)))
	}
	clients := e.clients(protocol, n)
	for i, c := range clients {
		if i > 0 && c == clients[i-1] {
			continue
		}
		a, err := c.get(t.Context(), paths[0])
		if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, "#EXT-X-MEDIA-SEQUENCE:1\n") {
			t.Fatalf("the first version: %+v, %v", a, err)
		}
	}

	// The origin has the second version and holds it back until all have asked.
	release := make(chan struct{})
	before := o.count(media)
	o.turn(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = io.WriteString(w, playlist(2, 60, true))
	})
	var bad complaints
	asked := newCountdown(n)
	states := rush(t, clients, func(i int, c *client) string {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		var once sync.Once
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { once.Do(asked.one) }})
		a, err := c.get(ctx, paths[i%len(paths)])
		if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, "#EXT-X-MEDIA-SEQUENCE:2\n") {
			bad.add("viewer %d: %+v, %v", i, a, err)
			return ""
		}
		return a.header.Get("Cache-Status")
	}, func() {
		waitFor(t, "the last viewer's request", asked.done)
		arrived(t, clients)
		close(release)
	})
	bad.report(t)
	judgeOnce(t, "playlist", states, n, o.count(media)-before)
	if waited := states["collapsed"]; waited < n/4 {
		t.Errorf("%d of %d viewers waited for the same answer: the others came too late to show anything", waited, n)
	}

	// The second half of the segment leaves the origin when all have the first.
	held := make(chan struct{})
	o.turn(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Length", fmt.Sprint(2*len(half)))
		_, _ = io.WriteString(w, half)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-held:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, half)
	})
	halves := newCountdown(n)
	states = rush(t, clients, func(i int, c *client) string {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		res, err := c.open(ctx, sibling(paths[i%len(paths)], "seg-4.m4s"))
		if err != nil {
			bad.add("viewer %d: %v", i, err)
			return ""
		}
		first := make([]byte, len(half))
		if _, err := io.ReadFull(res.Body, first); err != nil || res.StatusCode != http.StatusOK || string(first) != half {
			bad.add("viewer %d, first half: %d, %v", i, res.StatusCode, err)
			_ = res.Body.Close()
			return ""
		}
		halves.one()
		rest, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(rest) != half {
			bad.add("viewer %d, second half: %d bytes, %v", i, len(rest), err)
			return ""
		}
		return res.Header.Get("Cache-Status")
	}, func() {
		waitFor(t, "the last viewer's first half", halves.done)
		close(held)
	})
	bad.report(t)
	judgeOnce(t, "segment", states, n, o.count(dir+"seg-4.m4s"))
	if states["collapsed"] != n-1 {
		t.Errorf("%d viewers shared the answer under way, want %d: all had half of it", states["collapsed"], n-1)
	}
	t.Logf("measured: %d at once over %s: 1 request to the origin for a playlist, 1 for a segment", n, protocol)
}

// rush has every client ask at the same time, while the test does its part,
// and counts the answers by what the cache said of them.
func rush(t *testing.T, clients []*client, ask func(i int, c *client) (cacheStatus string), part func()) map[string]int {
	t.Helper()
	states := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			status := ask(i, c)
			state := "asked"
			switch {
			case strings.Contains(status, "; collapsed"):
				state = "collapsed"
			case strings.Contains(status, "; hit"):
				state = "hit"
			case status == "":
				state = "failed"
			}
			mu.Lock()
			defer mu.Unlock()
			states[state]++
		})
	}
	part()
	all.Wait()
	return states
}

// arrived waits until what the clients wrote is at the edge: over HTTP/3 it may
// still be in the sender's queue, and what is answered later was sent later.
func arrived(t *testing.T, clients []*client) {
	t.Helper()
	var all sync.WaitGroup
	for i, c := range clients {
		if c.protocol != "h3" || i > 0 && c == clients[i-1] {
			continue
		}
		all.Go(func() {
			if _, err := c.get(t.Context(), "/nothing"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func judgeOnce(t *testing.T, what string, states map[string]int, n, asked int) {
	t.Helper()
	t.Logf("%s: %v", what, states)
	if asked != 1 {
		t.Errorf("%s: the origin was asked %d times for %d viewers, want once", what, asked, n)
	}
	if states["asked"] != 1 || states["asked"]+states["collapsed"]+states["hit"] != n {
		t.Errorf("%s: of %d viewers one must have asked, and the others shared its answer: %v", what, n, states)
	}
}
