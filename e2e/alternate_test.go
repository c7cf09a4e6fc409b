package e2e

import (
	"bufio"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"manifold/cmd/wire"
	"manifold/internal/testkit/alternate"
	"manifold/internal/testkit/browser"
)

// segment is the length of a segment, and the target duration, of the demo.
const segment = 2 * time.Second

// Two edges with the same keys serve one session in turns, request by request:
// no sticky load balancer is needed. Both are as fresh as half a target
// duration behind the origin allows, and playback does not notice.
func (s *stage) twoEdges(t *testing.T) {
	second := s.startEdge(t, s.demo)
	balancer, err := alternate.New("http://"+s.edge.PlainAddr().String(), "http://"+second.PlainAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(balancer)
	defer front.Close()
	base := strings.Replace(front.URL, "127.0.0.1", "localhost", 1)

	b := browser.Start(t, browser.Options{})
	v := s.watch(t, b, liveProgramme, watching{player: browser.HLSJS, device: "hlsjs", file: "master.m3u8", base: base})
	v.WaitPlaying(60 * time.Second)
	s.freshness(t, []*wire.Edge{s.edge, second}, 16*time.Second)
	v.WaitPlayed(10*time.Second, 60*time.Second)

	unbroken(t, v.Playback)
	answered := map[int]int{}
	for _, e := range balancer.Log() {
		answered[e.Backend]++
		if e.Status != 200 && e.Method != "OPTIONS" {
			t.Errorf("edge %d answered %s %s with %d", e.Backend, e.Method, e.Path, e.Status)
		}
	}
	if d := answered[0] - answered[1]; d < -1 || d > 1 || answered[0] < 5 {
		t.Errorf("answers by edge: %v, want as many of each", answered)
	}
	segments := 0
	for _, r := range v.Resources() {
		if strings.HasPrefix(r.URL, "http://localhost:") && r.Status != 0 {
			segments++
			if r.Protocol != "http/1.1" {
				t.Errorf("%s over %q, want http/1.1", r.URL, r.Protocol)
			}
		}
	}
	if segments == 0 {
		t.Error("nothing was fetched")
	}
}

// playlist is a media playlist, as far as freshness goes.
type playlist struct {
	names []string // of the segments, without the CDN and its token
}

// segments reads a media playlist.
func segments(text string) playlist {
	var p playlist
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		line, _, _ = strings.Cut(line, "?")
		p.names = append(p.names, line[strings.LastIndexByte(line, '/')+1:])
	}
	return p
}

// last is the number of the newest segment.
func (p playlist) last(t *testing.T) int {
	t.Helper()
	if len(p.names) == 0 {
		t.Fatal("the playlist lists no segment")
	}
	name, _, _ := strings.Cut(p.names[len(p.names)-1], ".")
	n, err := strconv.Atoi(name)
	if err != nil {
		t.Fatalf("segment %q has no number", name)
	}
	return n
}

// freshness watches the origin's live playlist closely, and asks each edge as
// rarely as a player does. An edge that provably lacked a segment for longer
// than half a target duration after the origin had it is too old; two edges
// may differ by one segment. How long a question takes on a busy machine makes
// no difference to either.
func (s *stage) freshness(t *testing.T, edges []*wire.Edge, d time.Duration) {
	t.Helper()
	token := s.token(t, random())
	origin := s.demo.OriginURL() + "live/v144/index.m3u8"
	var urls []string
	for _, e := range edges {
		urls = append(urls, entry("http://"+e.PlainAddr().String(), "/live/v144/index.m3u8", "conservative", token))
	}
	published := map[int]time.Time{} // when the origin had been seen with it
	behind := make([]time.Duration, len(urls))
	asked, next := 0, time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		newest := segments(get(t, origin)).last(t)
		if _, known := published[newest]; !known {
			published[newest] = time.Now()
		}
		now := time.Now()
		if now.Before(next) {
			continue
		}
		next = now.Add(segment * 9 / 10) // at another time of the segment each time
		asked++
		last := make([]int, len(urls))
		for i, url := range urls {
			at := time.Now()
			last[i] = segments(get(t, url)).last(t)
			if since, known := published[last[i]+1]; known {
				behind[i] = max(behind[i], at.Sub(since))
			}
		}
		if apart := last[1] - last[0]; (apart < -1 || apart > 1) && time.Since(now) < segment {
			t.Errorf("the edges are %d segments apart: %v", apart, last)
		}
	}
	t.Logf("%d segments published, edges asked %d times; behind the origin at most %v", len(published), asked, behind)
	if len(published) < 3 {
		t.Errorf("the origin published %d segments in %v", len(published), d)
	}
	for i, b := range behind {
		if b > segment/2 {
			t.Errorf("edge %d was %v behind the origin, want at most %v", i, b, segment/2)
		}
	}
}
