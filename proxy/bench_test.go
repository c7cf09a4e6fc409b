package proxy

import (
	"regexp"
	"strings"
	"testing"
)

// BenchmarkServe is what the stages cost without a listener; the whole of a
// request is measured in proxy/benchmarks.
func BenchmarkServe(b *testing.B) {
	s := newStage(b, nil)
	entry := "/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)
	master := s.get(entry).ok(b)
	media := regexp.MustCompile(`(?m)^/news/~\S+/v360/index\.m3u8$`).FindString(master.body)
	session := strings.Split(media, "/")[2]
	gzip := fields{"User-Agent": "test", "Accept-Encoding": "gzip, deflate, br"}
	for _, c := range []struct{ name, target string }{
		{"media", media},
		{"multivariant", "/news/" + session + "/-/master.m3u8"},
		{"mpd", "/news/" + session + "/-/manifest.mpd"},
		{"steering", "/.manifold/steer/news/" + session},
		{"entry", entry},
	} {
		s.ask("GET", c.target, gzip).ok(b)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.serveOnly(c.target, gzip)
			}
		})
	}
}
