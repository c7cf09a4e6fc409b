package proxy

import (
	"regexp"
	"testing"
	"time"
)

// A player that entered at a media playlist saw no steering: its session
// address follows the choice, so a drain moves it like any other.
func TestMediaPlaylistOfTheEntryFollowsTheChoice(t *testing.T) {
	s := newStage(t, nil)
	res := s.get("/news/v360/index.m3u8?device=hlsjs&token=" + s.viewerToken(nil))
	if res.status != 302 {
		t.Fatalf("status %d, want 302", res.status)
	}
	address := res.header["Location"]
	id := map[string]string{"a": "alpha", "b": "beta", "g": "gamma"}
	first := func() string {
		t.Helper()
		m := regexp.MustCompile(`(?m)^https://([abg])\.example/`).FindStringSubmatch(s.get(address).ok(t).body)
		if m == nil {
			t.Fatalf("%s names no CDN", address)
		}
		return id[m[1]]
	}
	before := first()
	if err := s.proxy.Conditions().SetDrain("public", before, &Drain{Who: "test", Why: "test", Since: s.now}); err != nil {
		t.Fatal(err)
	}
	if after := first(); after == before {
		t.Errorf("drained, and still served by %s", after)
	}
	if err := s.proxy.Conditions().SetDrain("public", before, nil); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(5 * time.Minute) // it may stay for a while where it is
	if back := first(); back != before {
		t.Errorf("after the drain served by %s, want %s again", back, before)
	}
}
