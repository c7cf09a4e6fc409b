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

// TestOriginRedirects: references are relative to where the origin's redirects
// led (RFC 3986, section 5.1.3); the next version of an MPD is asked for where
// this one was.
func TestOriginRedirects(t *testing.T) {
	s := newStage(t, nil)
	s.files["/live/deep/down/master.m3u8"] = s.files["/live/master.m3u8"]
	s.files["/live/deep/down/v360/index.m3u8"] = s.files["/live/v360/index.m3u8"]
	s.files["/live/deep/down/manifest.mpd"] = s.files["/live/manifest.mpd"]
	s.leads = map[string]string{
		"/live/master.m3u8": "/live/deep/down/master.m3u8?signed", "/live/manifest.mpd": "/live/deep/down/manifest.mpd?signed",
	}
	master := s.get("/open/master.m3u8?device=hlsjs").ok(t).body
	media := regexp.MustCompile(`(?m)^/open/~\S+/deep/down/v360/index\.m3u8$`).FindString(master)
	if media == "" {
		t.Fatalf("no media playlist below deep/down in\n%s", master)
	}
	if body := s.get(media).ok(t).body; !strings.Contains(body, "/deep/down/v360/seg7.m4s") {
		t.Errorf("no segment below deep/down in\n%s", body)
	}
	base := regexp.MustCompile(`<BaseURL[^>]*>https://[^<]+/deep/down/</BaseURL>`)
	location := regexp.MustCompile(`<Location>https://edge\.example(/open/~[^<]+/-/manifest\.mpd)</Location>`)
	target := "/open/manifest.mpd?device=dashjs"
	for range 2 {
		body := s.get(target).ok(t).body
		at := location.FindStringSubmatch(body)
		if at == nil || !base.MatchString(body) {
			t.Fatalf("no Location as asked, or no base URL as found, in\n%s", body)
		}
		target = at[1]
	}
}

// TestRedirectKeepsWhatAPlaylistAsksFor: a variable of QUERYPARAM is found in
// the address that the player is redirected to, unless it is the parameter that
// the viewer's token came in, which goes nowhere.
func TestRedirectKeepsWhatAPlaylistAsksFor(t *testing.T) {
	s := newStage(t, nil)
	token := s.viewerToken(nil)
	const query = "/news/v360/index.m3u8?device=hlsjs&CMCD=ot%3Dm&x=1&token="
	for tag, want := range map[string]string{
		"":                                     "x=1",
		"#EXT-X-DEFINE:QUERYPARAM=\"token\"\n": "x=1",
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
