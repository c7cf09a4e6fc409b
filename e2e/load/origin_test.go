package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
)

// source is an origin that counts what it is asked for.
type source struct {
	url string

	mu     sync.Mutex
	asked  map[string]int
	answer http.HandlerFunc
}

// startSource starts an origin.
func startSource(t *testing.T, answer http.HandlerFunc) *source {
	t.Helper()
	s := &source{asked: map[string]int{}, answer: answer}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	answer := s.answer
	s.mu.Unlock()
	if t, ok := contentTypes[path.Ext(r.URL.Path)]; ok {
		w.Header().Set("Content-Type", t)
	}
	answer(w, r)
}

// turn changes the answers.
func (s *source) turn(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// count is how often a path was asked for.
func (s *source) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

var contentTypes = map[string]string{
	".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml", ".m4s": "video/mp4",
}

const master = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS=\"avc1.64001f\"\nindex.m3u8\n"

// playlist is a media playlist of three segments from number first on.
func playlist(first, target int, live bool) string {
	kind, end := "", ""
	if !live {
		kind, end = "#EXT-X-PLAYLIST-TYPE:VOD\n", "#EXT-X-ENDLIST\n"
	}
	text := fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n%s", target, first, kind)
	for n := first; n < first+3; n++ {
		text += fmt.Sprintf("#EXTINF:%d,\nseg-%d.m4s\n", target, n)
	}
	return text + end
}

// mpd is the same in DASH; mark is its id.
func mpd(mark string, target int, live bool) string {
	kind := `type="static" mediaPresentationDuration="PT600S"`
	if live {
		kind = fmt.Sprintf(`type="dynamic" availabilityStartTime="2026-11-23T08:00:00Z" publishTime="2026-11-23T08:00:00Z" minimumUpdatePeriod="PT%dS" timeShiftBufferDepth="PT600S"`, target)
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" id="%s" profiles="urn:mpeg:dash:profile:isoff-live:2011" minBufferTime="PT2S" %s>
  <Period id="1" start="PT0S">
    <AdaptationSet mimeType="video/mp4" codecs="avc1.64001f" segmentAlignment="true">
      <SegmentTemplate timescale="1" duration="%d" media="seg-$Number$.m4s"/>
      <Representation id="v" bandwidth="800000"/>
    </AdaptationSet>
  </Period>
</MPD>
`, mark, kind, target)
}
