package e2e

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	benchclient "manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/watch"
	"manifold/cmd/wire"
	"manifold/demo"
)

// judgeTime is how long the judge watches in `make test`; `make accept` gives
// it five minutes (judge_accept_test.go).
const judgeTime = 20 * time.Second

// ffmpegKnown are findings on FFmpeg's own output that their clause confirms.
var ffmpegKnown = map[finding.ID]string{
	"dash-segment-too-long": "FFmpeg's DASH muxer says maxSegmentDuration from -seg_duration; AAC segments are up to one frame longer (2.005 s of 2 s)",
}

// demoKnown are findings on the edge's own output that are meant.
var demoKnown = map[finding.ID]string{
	"hls-segment-moved": "players without steering are moved off a CDN that is down inside their playlist: there is no other way for them",
}

// The judge finds nothing in what nginx serves of FFmpeg's own HLS and DASH
// muxers, live and VOD, but for what is known; nor in what an edge makes of it.
func TestJudgeFFmpeg(t *testing.T) { judgeFFmpeg(t, judgeTime) }

// Nor in the demo's edge, HLS and DASH, live and VOD, while one CDN goes down
// and comes back and another is drained.
func TestJudgeDemo(t *testing.T) { judgeDemo(t, judgeTime) }

// judged watches an address and returns what was found.
func judged(t *testing.T, address string, d time.Duration, insecure bool, known map[finding.ID]string) *finding.Report {
	t.Helper()
	cfg := benchclient.Config{Insecure: insecure}
	one, err := benchclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	cfg.UserAgent = "another viewer"
	two, err := benchclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	r, err := watch.Run(t.Context(), watch.Config{URL: address, For: d, Fetcher: one.Viewer(0), Second: two.Viewer(0), Client: one.String(), Known: known})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// passes fails the test for anything but notes, and what is known.
func passes(t *testing.T, r *finding.Report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if _, warnings, _, _ := r.Counts(); r.Failed() || warnings > 0 {
		t.Errorf("findings:\n%s", text.String())
	}
	if r.SegmentsSeen == 0 || r.SegmentsFetched == 0 {
		t.Errorf("%d segments seen and %d fetched:\n%s", r.SegmentsSeen, r.SegmentsFetched, text.String())
	}
}

// An edge with the cookbook's first configuration, in front of somebody else's
// origin: what viewers get through it is as clean as what the origin serves.
func judgeFFmpeg(t *testing.T, d time.Duration) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's worker may be another user
		t.Fatal(err)
	}
	servers, requests := startNginx(t, dir, 3)
	live := (d + 40*time.Second).Seconds()
	encode(t, dir, true, live, "live/hls/master.m3u8", "-f hls -hls_time 2 -hls_list_size 6 -hls_flags delete_segments+program_date_time -hls_delete_threshold 6 -master_pl_name master.m3u8 live/hls/v.m3u8")
	encode(t, dir, true, live, "live/dash/manifest.mpd", "-f dash -seg_duration 2 -window_size 6 -extra_window_size 6 -streaming 0 live/dash/manifest.mpd")
	encode(t, dir, false, 20, "live/vod/master.m3u8", "-f hls -hls_segment_type fmp4 -hls_time 2 -hls_playlist_type vod -master_pl_name master.m3u8 live/vod/v.m3u8")
	encode(t, dir, false, 20, "live/vod/manifest.mpd", "-f dash -seg_duration 2 live/vod/manifest.mpd")
	edge := startCookbook(t, servers)
	var watching sync.WaitGroup
	reports := make(map[string]*finding.Report)
	var mu sync.Mutex
	for _, path := range []string{"hls/master.m3u8", "dash/manifest.mpd", "vod/master.m3u8", "vod/manifest.mpd"} {
		for name, base := range map[string]string{"nginx": servers[0] + "/live/", "edge": edge + "/news/"} {
			watching.Go(func() {
				r := judged(t, base+path+"?device="+deviceFor(path), d, false, ffmpegKnown)
				mu.Lock()
				defer mu.Unlock()
				reports[name+"/"+path] = r
			})
		}
	}
	watching.Wait()
	for name, r := range reports {
		t.Run(name, func(t *testing.T) { passes(t, r) })
	}
	for i, name := range []string{"cdn-a", "cdn-b"} {
		if asked := requests(i + 1); !strings.Contains(asked, ".ts") && !strings.Contains(asked, ".m4s") {
			t.Errorf("%s was asked for no segment:\n%s", name, asked)
		}
	}
}

// deviceFor is the profile of a player that plays what path names.
func deviceFor(path string) string {
	if strings.HasSuffix(path, ".mpd") {
		return "dashjs"
	}
	return "hlsjs"
}

// startCookbook starts an edge from the first configuration of the cookbook;
// servers stand for its origin and its CDNs. It gives the edge's address.
func startCookbook(t *testing.T, servers []string) string {
	t.Helper()
	page, err := os.ReadFile("../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, ok := strings.Cut(text, "```")
	if lines := strings.Count(text, "\n"); !ok || lines >= 15 {
		t.Fatalf("the cookbook's first configuration has %d lines", lines)
	}
	for i, name := range []string{"https://origin.example", "https://cdn-a.example", "https://cdn-b.example"} {
		if !strings.Contains(text, name) {
			t.Fatalf("%s is not in\n%s", name, text)
		}
		text = strings.ReplaceAll(text, name, servers[i])
	}
	text = strings.Replace(text, `":8080"`, `"127.0.0.1:0"`, 1) + "admin: {address: \"127.0.0.1:0\"}\nshield: {allow_private: 127.0.0.1}\n"
	file := filepath.Join(t.TempDir(), "manifold.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := wire.StartEdge(file, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Cleanup(e.Close)
	return "http://" + e.PlainAddr().String()
}

// startNginx serves dir n times over, each with an address of its own, and gives
// those and what each was asked for so far.
func startNginx(t *testing.T, dir string, n int) (servers []string, requests func(int) string) {
	t.Helper()
	bin, err := exec.LookPath("nginx")
	if err != nil {
		bin = "/usr/sbin/nginx"
	}
	state := t.TempDir()
	log := func(i int) string { return filepath.Join(state, fmt.Sprintf("access-%d.log", i)) }
	var blocks strings.Builder
	var reserved []net.Listener // at the same time, so that all are different
	for i := range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		reserved = append(reserved, l)
		servers = append(servers, "http://"+l.Addr().String())
		fmt.Fprintf(&blocks, "\tserver { listen %s; root %s; access_log %s plain; }\n", l.Addr(), dir, log(i))
	}
	for _, l := range reserved {
		_ = l.Close()
	}
	conf := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
	log_format plain "$uri";
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; video/mp2t ts; video/mp4 mp4 m4s; }
%[2]s}
`, state, blocks.String())
	file := filepath.Join(state, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	running(t, exec.Command(bin, "-c", file), filepath.Join(state, "log"))
	await(t, "nginx", func() bool {
		res, err := http.Get(servers[n-1] + "/")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return true
	})
	return servers, func(i int) string {
		text, err := os.ReadFile(log(i))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
}

// encode runs FFmpeg in dir until the test ends or, where it is not live,
// until it is done; ready is the file that tells that there is something.
func encode(t *testing.T, dir string, live bool, seconds float64, ready, output string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(ready)), 0o755); err != nil {
		t.Fatal(err)
	}
	pace := ""
	if live {
		pace = "-re"
	}
	args := strings.Fields(fmt.Sprintf("-hide_banner -loglevel error -nostdin %[1]s -f lavfi -i testsrc2=size=320x180:rate=25 %[1]s -f lavfi -i sine=frequency=440:sample_rate=48000 -t %[2]g "+
		"-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -b:a 64k %[3]s", pace, seconds, output))
	cmd := exec.Command("ffmpeg", args...)
	cmd.Dir = dir
	if !live {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(&ffmpegError{err, string(out)})
		}
		return
	}
	running(t, cmd, filepath.Join(t.TempDir(), "ffmpeg.log"))
	await(t, ready, func() bool {
		_, err := os.Stat(filepath.Join(dir, ready))
		return err == nil
	})
}

// running starts a program and ends it with the test.
func running(t *testing.T, cmd *exec.Cmd, log string) {
	t.Helper()
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s (`make e2e` installs it): %v", cmd.Path, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = f.Close()
	})
}

// await looks until something is there.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s is not there", what)
		case <-tick.C:
		}
	}
}

func judgeDemo(t *testing.T, d time.Duration) {
	s := startStage(t)
	s.awaitWindow(t, 12*time.Second)
	reports := map[string]*finding.Report{}
	var (
		mu       sync.Mutex
		watching sync.WaitGroup
	)
	for _, c := range []struct{ path, device string }{
		{"/live/master.m3u8", "hlsjs"}, {"/live/master.m3u8", "conservative"}, {"/live/manifest.mpd", "dashjs"},
		{"/vod/master.m3u8", "hlsjs"}, {"/vod/manifest.mpd", "shaka"},
	} {
		address := entry(s.base(true), c.path, c.device, s.token(t, ""))
		watching.Go(func() {
			r := judged(t, address, d, true, demoKnown)
			mu.Lock()
			defer mu.Unlock()
			reports[c.device+c.path] = r
		})
	}
	// A probe comes to each CDN twice a second: they are the test's clock.
	s.probes(t, "gamma", int(d.Seconds()/2))
	if err := s.demo.CDN("alpha").SetFault(demo.Fault{Refuse: true}); err != nil {
		t.Fatal(err)
	}
	s.probes(t, "gamma", int(d.Seconds()/2))
	s.recover(t, "alpha")
	s.drain(t, "beta", true)
	s.probes(t, "gamma", int(d.Seconds()/4))
	s.drain(t, "beta", false)
	watching.Wait()
	for name, r := range reports {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) { passes(t, r) })
	}
}

// probes waits for n requests to a CDN.
func (s *stage) probes(t *testing.T, cdn string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for range n {
		if _, err := s.demo.CDN(cdn).Await(ctx, func(e demo.Entry) bool { return e.Path == "/" }); err != nil {
			t.Fatal(err)
		}
	}
}
