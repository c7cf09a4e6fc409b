package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/steering"
)

// A live media playlist of six segments of two seconds, the newest of which
// ends now, by dates that are ahead of the clock.
func (s *stage) livePlaylist(ahead time.Duration) string {
	last := s.now.Unix() / 2
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"init.mp4\"\n", last-6)
	for n := last - 6; n < last; n++ {
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:2,\nseg%d.m4s\n", time.Unix(2*n, 0).UTC().Add(ahead).Format(time.RFC3339), n)
	}
	fmt.Fprintf(&b, "#EXT-X-PART:DURATION=1,URI=\"seg%d.0.m4s\"\n", last)
	return b.String()
}

// aloft is a player that does not steer, at the media playlist of a session that
// was sent to alpha.
func (s *stage) aloft(channel string) (media string) {
	s.t.Helper()
	for i := 0; ; i++ {
		entry := "/" + channel + "/master.m3u8?device=conservative&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint(i)})
		for line := range strings.Lines(s.get(entry).ok(s.t).body) {
			if strings.Contains(line, "/alpha/v360/") {
				return strings.TrimSpace(line)
			}
		}
	}
}

// aground is a player whose session began at a media playlist, sent to alpha.
func (s *stage) aground(channel string) (media string) {
	s.t.Helper()
	for i := 0; ; i++ {
		res := s.get("/" + channel + "/v360/index.m3u8?device=hlsjs&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint(i)}))
		if to := res.header["Location"]; strings.Contains(to, "/alpha/") {
			return to
		}
	}
}

// outside is a player that asks at the entry again and again, sent to alpha.
func (s *stage) outside(channel string) (media string) {
	s.t.Helper()
	for i := 0; ; i++ {
		media = "/" + channel + "/v360/index.m3u8?device=conservative&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint(i)})
		if strings.Contains(s.get(media).ok(s.t).body, "https://a.example/") {
			return media
		}
	}
}

// withoutQuery is the URLs of a playlist by their file names.
func withoutQuery(body string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if _, uri, ok := strings.Cut(line, `URI="`); ok {
			line = strings.TrimSuffix(uri, `"`)
		}
		if line != "" && line[0] != '#' {
			line, _, _ = strings.Cut(line, "?")
			all[line[strings.LastIndexByte(line, '/')+1:]] = line
		}
	}
	return all
}

// A drain moves those who do not steer with the segments to come, and lets them
// come back in the same way: nothing that was listed is listed elsewhere later.
func TestDrainLeavesWhatWasListed(t *testing.T) {
	for name, c := range map[string]struct {
		ahead time.Duration // of the clock, by the dates
		enter func(s *stage, channel string) string
	}{
		"at the time":           {0, (*stage).aloft},
		"behind":                {-20 * time.Second, (*stage).aloft},
		"ahead":                 {2 * time.Second, (*stage).aloft},
		"from a media playlist": {0, (*stage).aground},
		"always at the entry":   {0, (*stage).outside},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, nil)
			s.now = s.now.Truncate(2 * time.Second)
			reload := func(media string) map[string]string {
				t.Helper()
				s.publish("/live/v360/index.m3u8", s.livePlaylist(c.ahead))
				return withoutQuery(s.get(media).ok(t).body)
			}
			s.publish("/live/v360/index.m3u8", s.livePlaylist(c.ahead))
			media := c.enter(s, "news")
			listed := map[string]string{}
			hosts := map[string][]int{} // by the numbers of what they have
			for n := range 60 {
				switch n {
				case 10, 13, 20: // again while what was listed is listed, and in place of itself
					if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "ops", Why: "test", Since: s.now}); err != nil {
						t.Fatal(err)
					}
				case 12, 41:
					if err := s.proxy.Conditions().SetDrain("public", "alpha", nil); err != nil {
						t.Fatal(err)
					}
				}
				for name, url := range reload(media) {
					if name == "init.mp4" {
						continue
					}
					if before, ok := listed[name]; ok && before != url {
						t.Fatalf("reload %d: %s was %s", n, url, before)
					}
					listed[name] = url
				}
				host := strings.Split(listed[fmt.Sprintf("seg%d.m4s", s.now.Unix()/2-1)], "/")[2]
				hosts[host] = append(hosts[host], n)
				s.now = s.now.Add(2 * time.Second)
			}
			away := 0
			for host, reloads := range hosts {
				if host == "a.example" {
					continue
				}
				away += len(reloads)
				if first := reloads[0]; first < 10 || first > 22 {
					t.Errorf("the first segment of %s came in reload %d, the drain in 10", host, first)
				}
			}
			if len(hosts) != 2 || away < 28 || away > 32 {
				t.Errorf("drained for 30 segments, the newest was at %v", hosts)
			}
		})
	}
}

// Where the dates say nothing of when segments were published, a drain moves
// all at once; so does it a programme on demand.
func TestDrainWithoutDates(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"undated":        func(p string) string { return strings.ReplaceAll(p, "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-OTHER") },
		"of another day": func(p string) string { return strings.ReplaceAll(p, "2026-11-23", "2026-11-22") },
		"on demand":      func(p string) string { return p + "#EXT-X-ENDLIST\n" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, nil)
			s.publish("/live/v360/index.m3u8", change(s.livePlaylist(0)))
			media := s.aloft("news")
			if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "ops", Why: "test", Since: s.now}); err != nil {
				t.Fatal(err)
			}
			for _, url := range withoutQuery(s.get(media).ok(t).body) {
				if strings.Contains(url, "a.example") {
					t.Errorf("still at the drained CDN: %s", url)
				}
			}
		})
	}
}

// A drain moves nobody to a CDN that is no better: where all others fail or are
// drained as well, players stay.
func TestDrainWithNowhereToGo(t *testing.T) {
	for name, others := range map[string]func(s *stage, id string) error{
		"down": func(s *stage, id string) error {
			return s.proxy.Conditions().SetHealth("public", id, steering.Down, "test")
		},
		"drained": func(s *stage, id string) error {
			return s.proxy.Conditions().SetDrain("public", id, &Drain{Who: "ops", Why: "test", Since: s.now})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, nil)
			s.now = s.now.Truncate(2 * time.Second)
			s.publish("/live/v360/index.m3u8", s.livePlaylist(0))
			media := s.aloft("news")
			for _, p := range s.proxy.Conditions().Status() {
				if p.Set != "public" || p.ID == "alpha" {
					continue
				}
				if err := others(s, p.ID); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "ops", Why: "test", Since: s.now}); err != nil {
				t.Fatal(err)
			}
			for n := range 12 {
				s.now = s.now.Add(2 * time.Second)
				s.publish("/live/v360/index.m3u8", s.livePlaylist(0))
				for _, url := range withoutQuery(s.get(media).ok(t).body) {
					if !strings.HasPrefix(url, "https://a.example/") {
						t.Fatalf("reload %d lists %s", n, url)
					}
				}
			}
		})
	}
}

// Segments that were published while a CDN was drained are not fetched from one
// that has failed since.
func TestDrainIsOverAndTheOtherFails(t *testing.T) {
	s := newStage(t, nil)
	s.now = s.now.Truncate(2 * time.Second)
	s.publish("/live/v360/index.m3u8", s.livePlaylist(0))
	media := s.aloft("news")
	reload := func() (elsewhere int) {
		t.Helper()
		s.now = s.now.Add(2 * time.Second)
		s.publish("/live/v360/index.m3u8", s.livePlaylist(0))
		for _, url := range withoutQuery(s.get(media).ok(t).body) {
			if !strings.HasPrefix(url, "https://a.example/") {
				elsewhere++
			}
		}
		return elsewhere
	}
	if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "ops", Why: "test", Since: s.now}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		reload()
	}
	if err := s.proxy.Conditions().SetDrain("public", "alpha", nil); err != nil {
		t.Fatal(err)
	}
	if reload() == 0 {
		t.Fatal("nobody was moved")
	}
	for _, p := range s.proxy.Conditions().Status() {
		if p.Set != "public" || p.ID == "alpha" {
			continue
		}
		if err := s.proxy.Conditions().SetHealth("public", p.ID, steering.Down, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if n := reload(); n != 0 {
		t.Fatalf("%d segments of a CDN that is down", n)
	}
}
