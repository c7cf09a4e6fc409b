package e2e

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"manifold/internal/testkit/browser"
)

// Players of years ago, which know nothing of steering, play what their
// profiles are given, and from one CDN.
func (s *stage) oldPlayers(t *testing.T, b *browser.Browser) {
	for _, c := range []struct {
		player       browser.Player
		device, file string
	}{
		{browser.HLSJSOld, "hlsjs-old", "master.m3u8"},
		{browser.DashJSOld, "dashjs-old", "manifest.mpd"},
		{browser.ShakaOld, "shaka-old", "manifest.mpd"},
		{browser.ShakaOld, "shaka-old", "master.m3u8"},
	} {
		t.Run(c.device+" "+c.file, func(t *testing.T) {
			t.Parallel()
			p := b.For(t).Play(browser.Play{
				Player: c.player, URL: entry(s.base(true), "/vod/"+c.file, c.device, s.token(t, "")), Buffer: 8 * time.Second, Lowest: true,
			})
			p.WaitPlayed(6*time.Second, time.Minute)
			r := p.Report()
			if len(r.Failures) != 0 {
				t.Errorf("%v", r.Failures)
			}
			hosts := map[string]int{}
			for _, res := range p.Resources() {
				u, err := url.Parse(res.URL)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(u.Path, "/.manifold/steer/") {
					t.Errorf("asked the steering server: %s", res.URL)
				}
				if strings.HasSuffix(u.Path, ".m4s") {
					hosts[u.Host]++
				}
			}
			if len(hosts) != 1 {
				t.Errorf("segments came from %v, want one CDN", hosts)
			}
		})
	}
}

// So do programs that are not browsers, known by their User-Agent: mpv, and
// FFmpeg's own demuxers.
func (s *stage) programs(t *testing.T) {
	s.awaitWindow(t, 12*time.Second)
	var running sync.WaitGroup
	for _, path := range []string{"/vod/master.m3u8", "/vod/manifest.mpd", "/live/master.m3u8"} {
		address := s.base(false) + path + "?token=" + s.token(t, "")
		for _, command := range [][]string{
			{"mpv", "--no-config", "--vo=null", "--ao=null", "--length=4", address},
			{"ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-i", address, "-t", "4", "-f", "null", "-"},
		} {
			running.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
				text := string(out)
				if err != nil || command[0] == "mpv" && !strings.Contains(text, "End of file") || command[0] == "ffmpeg" && text != "" {
					t.Errorf("%s at %s: %v\n%s", command[0], path, err, text)
				}
			})
		}
	}
	running.Wait()
}
