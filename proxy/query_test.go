package proxy

import (
	"regexp"
	"strings"
	"testing"
)

// TestLiveMPDKeepsTheDeclaredQuery: a player fetches each version from the
// Location of the one before, which so carries what the origin's answer depends
// on, and nothing else of the viewer's query.
func TestLiveMPDKeepsTheDeclaredQuery(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Channels[0].Origin.Query = []string{"dvr", "profile"} })
	target := "/news/manifest.mpd?device=dashjs&x=1&profile=a%26b&token=" + s.viewerToken(nil) + "&dvr=60"
	location := regexp.MustCompile(`<Location>https://edge\.example(/news/~[^<]+)</Location>`)
	for range 3 {
		res := s.get(target).ok(t)
		at := location.FindStringSubmatch(res.body)
		if at == nil || !strings.HasSuffix(at[1], "/-/manifest.mpd?dvr=60&amp;profile=a%26b") {
			t.Fatalf("no declared query in the Location of\n%s", res.body)
		}
		target = strings.ReplaceAll(at[1], "&amp;", "&")
	}
	for _, asked := range s.seen {
		if !strings.HasPrefix(asked, "/live/manifest.mpd?dvr=60&profile=a%26b") {
			t.Errorf("the origin was asked for %s", asked)
		}
	}
}
