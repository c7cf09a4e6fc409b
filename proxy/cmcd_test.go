package proxy

import (
	"net/url"
	"testing"
)

// The session of a player that keeps asking the entry follows its CMCD session
// id, in whichever of its two carriers it comes.
func TestSessionFollowsCMCD(t *testing.T) {
	s := newStage(t, nil)
	token := s.viewerToken(nil)
	open := func(query, header string) string {
		t.Helper()
		target := "/news/master.m3u8?device=hlsjs&token=" + token
		if query != "" {
			target += "&CMCD=" + url.QueryEscape(query)
		}
		h := fields{"User-Agent": "test"}
		if header != "" {
			h["CMCD-Session"] = header
		}
		return sessionURI.FindString(s.ask("GET", target, h).ok(t).body)
	}
	none, one := open("", ""), open(`bl=100,sid="one"`, "")
	for _, c := range []struct{ what, got, want string }{
		{"the same in the header", open("", `sid="one"`), one},
		{"after others in the header", open("", `cid="x", sid="one",st=v`), one},
		{"first in the query", open(`sid="one",bl=5`, ""), one},
		{"in both, the query's", open(`sid="one"`, `sid="two"`), one},
		{"the end of another key", open(`com.example-sid="one"`, ""), none},
		{"not ended", open("", `sid="one`), none},
		{"nothing of it", open(`bl=100`, ""), none},
	} {
		if c.got != c.want {
			t.Errorf("%s: %.60s, want %.60s", c.what, c.got, c.want)
		}
	}
	if two := open("", `sid="two"`); two == one || two == none || one == none {
		t.Error("two players are one session")
	}
}
