package watch

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/internal/testkit/bubble"
	"manifold/internal/testkit/fault"
)

// Whatever is served, the watch ends in time, with a finding, within its
// memory.
func TestHostile(t *testing.T) {
	text := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		}
	}
	const m3u = "application/vnd.apple.mpegurl"
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		want  finding.ID
	}{
		"empty":            {text(m3u, ""), "not-a-manifest"},
		"a page":           {text("text/html", "<html>"), "not-a-manifest"},
		"noise":            {text(m3u, strings.Repeat("\x00\xff", 1<<20)), "not-a-manifest"},
		"a film":           {endless([]byte("\x00\x00\x00\x18ftypmp42")), "manifest-too-large"},
		"endless lines":    {endless([]byte("#EXTM3U\n")), "manifest-too-large"},
		"endless elements": {endless([]byte("<MPD>")), "manifest-too-large"},
		"a loop":           {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/entry", http.StatusFound) }, "redirect-loop"},
		"itself":           {text(m3u, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nentry\n"), "not-a-media-playlist"},
		"MAP of nothing":   {text(m3u, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:\n0"), "hls-syntax"},
		"many variants":    {text(m3u, "#EXTM3U\n"+variants(1000)), "too-much"},
		"long lines":       {text(m3u, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#"+strings.Repeat("x", 1<<20)), "hls-syntax"},
		"many segments":    {text(m3u, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"+strings.Repeat("#EXTINF:1,\nx\n", 150_000)+"#EXT-X-ENDLIST\n"), "hls-syntax"},
		"a deep MPD":       {text("application/dash+xml", "<MPD>"+strings.Repeat("<a>", 100_000)), "dash-syntax"},
		"a billion laughs": {text("application/dash+xml", `<!DOCTYPE a [<!ENTITY l "l"><!ENTITY m "&l;&l;">]><MPD/>`), "dash-syntax"},
		"laughs later":     {text("application/dash+xml", `<MPD/><!DOCTYPE a [<!ENTITY l "l">]>`), "dash-syntax"},
		"an endless list":  {text("application/dash+xml", `<MPD profiles="p" minBufferTime="PT1S" mediaPresentationDuration="P9999999D"><Period><AdaptationSet mimeType="a/b"><SegmentTemplate media="$Number$" ><SegmentTimeline><S d="1" r="-1"/></SegmentTimeline></SegmentTemplate><Representation id="1" bandwidth="1"/></AdaptationSet></Period></MPD>`), "dash-syntax"},
		"silence":          {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "manifest-unreachable"},
		"a panic":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, "manifest-status"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				clients, err := client.New(client.Config{Transport: fault.Transport{Handler: c.serve}})
				if err != nil {
					t.Fatal(err)
				}
				defer clients.Close()
				r, err := Run(t.Context(), Config{URL: "http://x.test/entry", For: 21 * time.Second, Fetcher: clients.Viewer(0), Second: clients.Viewer(1)})
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for _, f := range r.Findings {
					found = found || f.Rule.ID == c.want
					for _, u := range f.Under {
						found = found || u.Rule.ID == c.want
					}
				}
				if !found {
					t.Errorf("no %s:\n%s", c.want, text2(r))
				}
				bubble.Wait()
			})
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapSys > 1<<30 {
				t.Errorf("%d MB of memory", m.HeapSys>>20)
			}
		})
	}
}

func text2(r *finding.Report) string {
	s := text(r)
	return s[:min(len(s), 3000)]
}

func endless(block []byte) http.HandlerFunc {
	b := []byte(strings.Repeat(string(block), 4096))
	return func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}
}

func variants(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d\nv%d.m3u8\n", i+1, i)
	}
	return b.String()
}

// Two viewers of one address: who gets other bytes must not share a cache.
func TestTwoViewers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := fault.New(fault.Config{Now: time.Now, Epoch: time.Now().Add(-87 * time.Second)})
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.ServeHTTP(w, r)
			if r.URL.Path == "/master.m3u8" {
				fmt.Fprintf(w, "# for %s\n", r.UserAgent())
			}
		})
		one, err := client.New(client.Config{Transport: fault.Transport{Handler: h}, UserAgent: "one"})
		if err != nil {
			t.Fatal(err)
		}
		two, err := client.New(client.Config{Transport: fault.Transport{Handler: h}, UserAgent: "two"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), Config{URL: hls, For: 5 * time.Second, Fetcher: one.Viewer(0), Second: two.Viewer(0)})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) != 1 || r.Findings[0].Rule.ID != "personal-cacheable" {
			t.Error(text(r))
		}
		bubble.Wait()
	})
}

// With two edges one of them may lag by a segment, and not by two.
func TestEdges(t *testing.T) {
	for _, c := range []struct {
		edges int
		lag   time.Duration
		want  finding.ID
	}{
		{2, 2 * time.Second, ""}, {1, 2 * time.Second, "hls-media-sequence-back"}, {2, 6 * time.Second, "hls-media-sequence-back"},
	} {
		for _, address := range []string{hls, dash} {
			var n atomic.Int64
			f := &fault.Fault{Late: func(string, time.Duration) time.Duration {
				if n.Add(1)%3 == 0 {
					return c.lag
				}
				return 0
			}}
			r := watched(t, fault.Config{}, f, address, func(w *Config) { w.Edges, w.Segments = c.edges, None })
			want := c.want
			if want != "" && address == dash {
				want = "dash-publish-back"
			}
			switch {
			case want == "" && r.Failed(), want != "" && (len(r.Findings) == 0 || r.Findings[0].Rule.ID != want):
				t.Errorf("%d edges, %s behind, %s: want %q\n%s", c.edges, c.lag, address, want, text2(r))
			}
		}
	}
}

func TestTokens(t *testing.T) {
	tk := newTokens([]string{`nonce=[0-9]+`}, nil)
	for in, want := range map[string]string{
		"http://a/b.m4s?hdnts=exp=1~acl=/live/*~hmac=0a1b": "http://a/b.m4s?",
		"http://a/hdntl=exp=1~acl=%2flive%2f*~hmac=0a1b/x": "http://a//x",
		"/live/~AXqgNa43xs56fW5rA89-awSA9wAAAA/alpha/x":    "/live/alpha/x",
		"/x?nonce=12&a=1":        "/x?&a=1",
		"http://a/plain.m4s?v=3": "http://a/plain.m4s?v=3",
	} {
		if got := tk.strip(in); got != want {
			t.Errorf("strip(%q) = %q, want %q", in, got, want)
		}
		red := tk.redact(in)
		if in != want && (red == in || strings.Contains(red, "0a1b") || strings.Contains(red, "AXqgNa43")) {
			t.Errorf("redact(%q) = %q", in, red)
		}
		if tk.redact(red) != red {
			t.Errorf("redacting twice gives %q", tk.redact(red))
		}
	}
}

func TestConfig(t *testing.T) {
	_, err := Run(t.Context(), Config{URL: "file:///x", Segments: "some", Edges: -1, Ignore: []string{"("}, Known: map[finding.ID]string{"no-rule": "x"}})
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("want six problems, got %v", err)
	}
}
