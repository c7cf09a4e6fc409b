package proxy

import "testing"

// Who waited for the origin is told for how long; who did not is told nothing.
func TestServerTiming(t *testing.T) {
	s := newStage(t, nil)
	entry := "/news/master.m3u8?token=" + s.viewerToken(nil)
	if got, want := s.get(entry).header["Server-Timing"], "origin;dur=0.0;desc=miss"; got != want {
		t.Errorf("the first viewer: %q, want %q", got, want)
	}
	if got, ok := s.get(entry).header["Server-Timing"]; ok {
		t.Errorf("the second viewer, who did not wait: %q", got)
	}
}
