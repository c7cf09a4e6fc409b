package proxy

import (
	"regexp"
	"strings"
	"testing"
	"time"
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

// TestRedirectKeepsWhatAPlaylistAsksFor: a variable of QUERYPARAM is found in
// the address that the player is redirected to, even where it is the parameter
// that the viewer's token came in.
func TestRedirectKeepsWhatAPlaylistAsksFor(t *testing.T) {
	s := newStage(t, nil)
	token := s.viewerToken(nil)
	const query = "/news/v360/index.m3u8?device=hlsjs&CMCD=ot%3Dm&x=1&token="
	for tag, want := range map[string]string{
		"":                                     "x=1",
		"#EXT-X-DEFINE:QUERYPARAM=\"token\"\n": "x=1&token=" + token,
		"#EXT-X-DEFINE:QUERYPARAM=\"device\"\n#EXT-X-DEFINE:QUERYPARAM=\"CMCD\"\n":    "device=hlsjs&CMCD=ot%3Dm&x=1",
		"#EXT-X-DEFINE:NAME=\"token\",VALUE=\"1\"\n#EXT-X-DEFINE:IMPORT=\"device\"\n": "x=1",
	} {
		s.publish("/live/v360/index.m3u8", strings.Replace(mediaPlaylist, "#EXTM3U\n", "#EXTM3U\n"+tag, 1))
		s.now = s.now.Add(10 * time.Minute)
		at := s.get(query + token).header["Location"]
		if _, kept, _ := strings.Cut(at, "?"); kept != want {
			t.Errorf("%q: the query of the redirect is %q, want %q", tag, kept, want)
		}
		s.get(at).ok(t)
	}
}
