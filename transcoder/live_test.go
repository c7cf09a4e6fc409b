package transcoder

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// orphan tells the test binary to be a program that is killed (TestNoOrphan).
const orphan = "MANIFOLD_TEST_ORPHAN"

func TestMain(m *testing.M) {
	if os.Getenv(orphan) == "" {
		os.Exit(m.Run())
	}
	cfg := small("x")
	cfg.Live = true
	tr, err := New(context.Background(), cfg, newSink(), time.Now, quiet)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() { _ = tr.Run(context.Background()) }()
	<-tr.Ready()
	fmt.Println(tr.Status().PID)
	select {}
}

func segments(text string) int        { return strings.Count(text, "#EXTINF") }
func discontinuities(text string) int { return strings.Count(text, "#EXT-X-DISCONTINUITY\n") }

// Live in real time, through two deaths of the encoder, to a clean stop.
func TestLiveSurvivesItsEncoder(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	cfg := small("live/x")
	cfg.Live, cfg.RestartDelay = true, 50*time.Millisecond
	s := newSink()
	tr, err := New(context.Background(), cfg, s, time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() { done <- tr.Run(ctx) }()

	const list = "live/x/v180/index.m3u8"
	s.await(t, list, func(text string) bool { return segments(text) >= 3 })
	first := tr.Status()
	if first.State != Running || first.PID == 0 || first.Starts != 1 {
		t.Errorf("%+v", first)
	}
	checkIsolated(t, first)
	for death, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		if err := syscall.Kill(tr.Status().PID, signal); err != nil {
			t.Fatal(err)
		}
		s.await(t, list, func(text string) bool { return discontinuities(text) == death+1 })
	}
	s.await(t, "live/x/manifest.mpd", func(text string) bool { return strings.Count(text, "<Period ") == 3 })
	last := tr.Status()
	if last.Starts != 3 || last.State != Running || !strings.Contains(last.LastError, "FFmpeg ended") {
		t.Errorf("%+v", last)
	}
	edge := time.Since(last.Presentation.Edge)
	if edge < -time.Second || edge > 10*time.Second {
		t.Errorf("the live edge is %v old", edge)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("a clean stop: %v", err)
	}
	if err := syscall.Kill(last.PID, 0); err == nil {
		t.Errorf("FFmpeg (process %d) is still there", last.PID)
	}
	if st := tr.Status(); st.State != Stopped || st.PID != 0 {
		t.Errorf("%+v", st)
	}
	if strings.Contains(s.get(list), "ENDLIST") {
		t.Error("a stop is not the content's end")
	}
	for name, versions := range s.history {
		checkReloads(t, name, versions)
	}
}

// checkReloads follows a playlist: lines once written about a segment stay,
// only the oldest leave, and only new ones come.
func checkReloads(t *testing.T, name string, versions []string) {
	t.Helper()
	about := map[string]string{}
	sequence, target := 0, ""
	for _, text := range versions {
		number, block := 0, ""
		for line := range strings.Lines(text) {
			switch tag, value, _ := strings.Cut(strings.TrimSpace(line), ":"); {
			case tag == "#EXT-X-MEDIA-SEQUENCE":
				if number, _ = strconv.Atoi(value); number < sequence {
					t.Errorf("%s: sequence %d after %d", name, number, sequence)
				}
				sequence = number
			case tag == "#EXT-X-TARGETDURATION":
				if target != "" && target != value {
					t.Errorf("%s: target %s after %s", name, value, target)
				}
				target = value
			case tag == "#EXTINF" || tag == "#EXT-X-PROGRAM-DATE-TIME" || tag == "#EXT-X-DISCONTINUITY":
				block += line
			case !strings.HasPrefix(line, "#"):
				key := strconv.Itoa(number)
				if was, ok := about[key]; ok && was != block+line {
					t.Errorf("%s: segment %s was %q, is %q", name, key, was, block+line)
				}
				about[key] = block + line
				number++
				block = ""
			}
		}
	}
}

// checkIsolated tells whether the encoder has a network other than ours.
func checkIsolated(t *testing.T, st Status) {
	t.Helper()
	ours, err1 := os.Readlink("/proc/self/ns/net")
	theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", st.PID))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if (ours != theirs) != st.Tool.Isolated {
		t.Errorf("isolated: %v, our network %s, FFmpeg's %s", st.Tool.Isolated, ours, theirs)
	}
}

// Live content that ends says so.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	cfg := small("live/x")
	cfg.Live, cfg.Duration = true, 3500*time.Millisecond
	s := newSink()
	tr, err := New(context.Background(), cfg, s, time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	v := s.rendition(t, "live/x/v180/index.m3u8")
	if !v.endlisted || len(v.starts) != 4 || float64(v.end)/v.scale != 3.52 {
		t.Errorf("%d segments, %v s, ended %v", len(v.starts), float64(v.end)/v.scale, v.endlisted)
	}
	if text := s.get("live/x/manifest.mpd"); !strings.Contains(text, `type="static" availabilityStartTime`) || !strings.Contains(text, "mediaPresentationDuration") || strings.Contains(text, "minimumUpdatePeriod") {
		t.Errorf("MPD:\n%s", text)
	}
	if st := tr.Status(); st.State != Ended || !st.Presentation.Ended {
		t.Errorf("%+v", st)
	}
}

// No FFmpeg outlives this program, whatever happens to it.
func TestNoOrphan(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), orphan+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, numErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || numErr != nil {
		t.Fatalf("the program said %q, %v", line, err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 10_000); n != 1 || err != nil {
		t.Errorf("FFmpeg (process %d) is still there: %v", pid, err)
	}
}
