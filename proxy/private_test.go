package proxy

import (
	"regexp"
	"testing"

	"manifold/manifest"
)

// A proxied segment is the viewer's alone, whatever the origin says of caches,
// and lives with them as long as the origin says.
func TestProxiedSegmentIsPrivate(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Channels[0].Segments = manifest.SegmentsProxy
		bare := c.Channels[1]
		bare.Name, bare.Prefix, bare.NoSessions, bare.Segments = "bare", "/bare", true, manifest.SegmentsProxy
		c.Channels = append(c.Channels, bare)
	})
	master := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	below := regexp.MustCompile(`(?m)^(/news/~\S+/v360/)index\.m3u8$`).FindStringSubmatch(master.body)[1]
	for name, c := range map[string]struct{ given, want string }{
		"a.m4s": {"public, max-age=31536000, immutable", "private, max-age=31536000, immutable"},
		"b.m4s": {"max-age=60", "private, max-age=60"},
		"c.m4s": {"s-maxage=5, max-age=1, must-revalidate", "private, max-age=1, must-revalidate"},
		"d.m4s": {`no-cache="Set-Cookie, X", Max-Age=5`, "private, no-cache, Max-Age=5"},
		"e.m4s": {"", "private"},
	} {
		s.mu.Lock()
		s.files["/live/v360/"+name] = file{"video/mp4", "media bytes", c.given}
		s.mu.Unlock()
		if got := s.get(below + name).ok(t).header["Cache-Control"]; got != c.want {
			t.Errorf("%q became %q, want %q", c.given, got, c.want)
		}
	}
	const shared = "public, max-age=31536000, immutable"
	if got := s.get("/bare/~c.all/alpha/v360/a.m4s").ok(t).header["Cache-Control"]; got != shared {
		t.Errorf("a cohort's segment: %q, want %q", got, shared)
	}
}
