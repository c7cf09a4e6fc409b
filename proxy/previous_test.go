package proxy

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"manifold/origin"
)

func TestUnreadableVersionIsNotServed(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Explain = []byte("tell me")
		for i := range c.Sets[0].Pathways {
			c.Sets[0].Pathways[i].Token = nil
		}
	})
	var logged bytes.Buffer
	s.proxy.log = slog.New(slog.NewTextHandler(&logged, nil))
	for _, c := range []struct{ path, target, good, bad, next string }{
		{"/live/v360/index.m3u8", "/open/v360/index.m3u8", livePlaylist, "#EXTM3U\n#EXTINF:6,\n#EXT-X-KEY:METHOD=\"\n", strings.ReplaceAll(livePlaylist, "seg8", "seg9")},
		{"/live/manifest.mpd", "/open/manifest.mpd", mpd, "<MPD", strings.ReplaceAll(mpd, "v360", "v361")},
		{"/live/master.m3u8", "/open/master.m3u8", multivariant, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"\n", strings.ReplaceAll(multivariant, "v360", "v361")},
	} {
		logged.Reset()
		s.publish(c.path, c.good)
		before := s.get(c.target).ok(t).body
		s.publish(c.path, c.bad)
		s.now = s.now.Add(4 * time.Minute)
		for range 3 {
			res := s.ask("GET", c.target, fields{"User-Agent": "test", explainHeader: "tell me"})
			if res.status != 200 || res.body != before {
				t.Fatalf("%s: %d\n%s", c.path, res.status, res.body)
			}
			if !strings.Contains(res.header[explainHeader], `"compile.previous"`) || !strings.HasSuffix(res.header["Cache-Status"], "detail=previous-version") {
				t.Errorf("%s: %v", c.path, res.header)
			}
		}
		if n := strings.Count(logged.String(), "the version before is served"); n != 1 {
			t.Errorf("%s: logged %d times\n%s", c.path, n, logged.String())
		}
		s.now = s.now.Add(2 * time.Minute) // stale-if-error is five
		if res := s.get(c.target); res.status != 502 {
			t.Errorf("%s: after its time %d", c.path, res.status)
		}
		s.publish(c.path, c.next)
		s.now = s.now.Add(time.Minute)
		if body := s.get(c.target).ok(t).body; body == before {
			t.Errorf("%s: the next version is not served", c.path)
		}
	}
	if n := s.event("open", "unreadable_version"); n != 3 {
		t.Errorf("%d events", n)
	}
}

// event reads a channel's counter.
func (s *stage) event(channel, event string) (n uint64) {
	s.proxy.EachEvent(func(c, e string, have uint64) {
		if c == channel && e == event {
			n = have
		}
	})
	return n
}

// Two origins of one channel that are not in step: the second takes the
// first's place, and its playlist is not shown before it has caught up.
func TestSequenceDoesNotGoBackAtFailover(t *testing.T) {
	playlist := func(n string) string { return strings.Replace(livePlaylist, "SEQUENCE:7", "SEQUENCE:"+n, 1) }
	var first, second string
	serve := func(body *string) *httptest.Server {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if *body == "" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Cache-Control", "max-age=1")
			w.Header().Set("Content-Type", typeHLS)
			_, _ = w.Write([]byte(*body))
		}))
		t.Cleanup(srv.Close)
		return srv
	}
	a, b := serve(&first), serve(&second)
	s := newStage(t, func(c *Config) {
		c.Explain = []byte("tell me")
		c.Channels[1].Origin.Origins = []origin.OriginConfig{{URL: a.URL}, {URL: b.URL}}
	})
	for i, step := range []struct{ first, second, shown, reason string }{
		{"20", "17", "20", "compile.done"},
		{"", "18", "20", "compile.sequence-went-back"},
		{"", "19", "20", "compile.sequence-went-back"},
		{"", "20", "20", "compile.done"},
		{"", "21", "21", "compile.done"},
		{"", "3", "21", "compile.sequence-went-back"}, // began anew
		{"", "4", "21", "compile.sequence-went-back"},
		{"", "5", "21", "compile.sequence-went-back"},
		{"", "6", "6", "compile.done"},
	} {
		first, second = "", playlist(step.second)
		if step.first != "" {
			first = playlist(step.first)
		}
		res := s.ask("GET", "/open/v360/index.m3u8", fields{explainHeader: "tell me"}).ok(t)
		if !strings.Contains(res.body, "SEQUENCE:"+step.shown+"\n") || !strings.Contains(res.header[explainHeader], `"`+step.reason+`"`) {
			t.Errorf("step %d: %s\n%s", i, res.header[explainHeader], res.body)
		}
		s.now = s.now.Add(6 * time.Second)
	}
	if n := s.event("open", "sequence_went_back"); n != 5 {
		t.Errorf("%d events", n)
	}
}
