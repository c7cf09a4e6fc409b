package proxy

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What fails for every viewer does not fill the log, and what was left out is
// counted in it.
func TestComplaintsAreBounded(t *testing.T) {
	s := newStage(t, nil)
	for i := range 100 {
		s.files[fmt.Sprintf("/live/broken%d.m3u8", i)] = s.files["/live/broken.m3u8"]
	}
	var log bytes.Buffer
	s.proxy.log = slog.New(slog.NewTextHandler(&log, nil))
	lines := func(name string, requests int) int {
		log.Reset()
		for i := range requests {
			s.get(fmt.Sprintf("/open/"+name, i))
		}
		return strings.Count(log.String(), "\n")
	}
	if n := lines("broken%d.m3u8", 100); n != mostComplaints {
		t.Errorf("%d lines of a hundred requests in a second, want %d", n, mostComplaints)
	}
	s.now = s.now.Add(time.Second)
	if n := lines("junk.mpd?%d", 1); n != 1 || !strings.Contains(log.String(), "left_out=90") {
		t.Errorf("a second later:\n%s", log.String())
	}
	if n := lines("nothing%d.m3u8", 5); n != 0 {
		t.Errorf("that there is nothing at an address was told %d times:\n%s", n, log.String())
	}
}
