package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A short stream as common packagers write it: H.264 in two heights and AAC,
// 2 s CMAF segments, the same files for HLS (master.m3u8) and DASH (manifest.mpd).
// 8 s are a whole number of AAC frames: of 6 s FFmpeg makes a last audio segment
// of 5 ms, which hls.js and dash.js never fetch, and so never end.
const vodSeconds = 8

var makeVOD = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "manifold-vod-")
	if err != nil {
		return "", err
	}
	args := strings.Fields(`-hide_banner -loglevel error -nostdin -t 8
		-f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000
		-filter_complex [0:v]split[a][b];[b]scale=160:90[c] -map [a] -map [c] -map 1:a -t 8
		-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 -b:v:0 300k -b:v:1 80k -c:a aac -b:a 64k
		-f dash -seg_duration 2 -use_template 1 -use_timeline 1 -hls_playlist 1 -hls_master_name master.m3u8
		-adaptation_sets`)
	args = append(args, "id=0,streams=v id=1,streams=a", filepath.Join(dir, "manifest.mpd"))
	out, err := exec.Command("ffmpeg", args...).CombinedOutput()
	if err != nil {
		return dir, &ffmpegError{err, string(out)}
	}
	return dir, nil
})

type ffmpegError struct {
	err error
	out string
}

func (e *ffmpegError) Error() string {
	return "cannot make the test stream with ffmpeg (`make e2e` installs it): " + e.err.Error() + "\n" + e.out
}

// vod is the folder of the stream, made once for all tests of the package.
func vod(t *testing.T) string {
	t.Helper()
	dir, err := makeVOD()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := makeVOD(); dir != "" && strings.Contains(dir, "manifold-vod-") {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}
