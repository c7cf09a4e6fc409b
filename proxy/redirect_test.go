package proxy

import (
	"strings"
	"testing"
)

// Who enters at a media playlist takes the origin's own query along into the
// session, and nothing else.
func TestRedirectKeepsTheQuery(t *testing.T) {
	s := newStage(t, nil)
	for query, want := range map[string]string{
		"":                                  "",
		"lang=de&x=%2F":                     "?lang=de&x=%2F",
		"CMCD=sid%3D%22a%22&lang=de&device": "?lang=de",
	} {
		res := s.get("/news/v360/index.m3u8?device=hlsjs&" + query + "&token=" + s.viewerToken(nil))
		_, got, _ := strings.Cut(res.header["Location"], "/v360/index.m3u8")
		if res.status != 302 || got != want {
			t.Errorf("%q: %d, %q, want %q", query, res.status, got, want)
		}
	}
}
