package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"manifold/bench/load"
	"manifold/bench/scenario"
	benchviewer "manifold/bench/viewer"
	"manifold/internal/testkit/browser"
	"manifold/internal/testkit/bubble"
	"manifold/internal/testkit/fault"
	"manifold/internal/testkit/shape"
)

// agreement is a network to play over.
type agreement struct {
	name  string
	trace []shape.Step
}

// agreeShort is what `make e2e` looks at; `make accept` has more.
var agreeShort = agreement{"too slow for every quality", []shape.Step{{For: time.Hour, Bits: 130_000}}}

// The model of hls.js and hls.js itself, over the same network: start-up and
// the time in which the picture stood still differ by at most a fifth.
func TestAgreeHLSJS(t *testing.T) { agree(t, 12*time.Second, agreeShort) }

func agree(t *testing.T, media time.Duration, list ...agreement) {
	b := browser.Start(t, browser.Options{Timeout: 2 * time.Minute})
	dir := t.TempDir()
	encodeLadder(t, dir, media)
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			network := &shape.Server{Dir: dir, Trace: a.trace, Trip: 20 * time.Millisecond}
			s := httptest.NewServer(network)
			defer s.Close()
			p := b.For(t).Play(browser.Play{Player: browser.HLSJS, URL: s.URL + "/real/master.m3u8", Gap: 150 * time.Millisecond})
			p.WaitEnded(3 * time.Minute)
			real := p.Stop()
			stood := time.Duration(0)
			for _, g := range real.Gaps {
				stood += g.Lost
			}
			model := modelled(t, network)
			t.Logf("the model: %+v, hls.js: %+v", model, real.Gaps)
			t.Logf("measured: %s: start-up hls.js %.2f s, model %.2f s; stood hls.js %.2f s in %d, model %.2f s in %d", a.name,
				real.Startup.Seconds(), model.Startup.Seconds(), stood.Seconds(), len(real.Gaps), model.Stood.Seconds(), model.Stalls)
			if model.State != benchviewer.Ended || !real.Ended {
				t.Errorf("the model %s, hls.js ended: %v", model.State, real.Ended)
			}
			near(t, "start-up", real.Startup, model.Startup)
			near(t, "stood still", stood, model.Stood)
		})
	}
}

// near wants two times within a fifth of the real one; below half a second
// they need only be so both.
func near(t *testing.T, what string, real, model time.Duration) {
	t.Helper()
	const none = 500 * time.Millisecond
	if real < none && model < none {
		return
	}
	if off := math.Abs(float64(model-real)) / float64(real); off > 0.2 {
		t.Errorf("%s: hls.js %s, the model %s: %.0f %% off", what, real, model, 100*off)
	}
}

// modelled plays once with the model, which fetches all of its media over the
// same network, on a simulated clock.
func modelled(t *testing.T, network http.Handler) (out benchviewer.Outcome) {
	s, err := scenario.Parse("agree.yml", []byte(`
url: http://network.test/model/master.m3u8
for: 5m
media: 100%
arrivals: [{pattern: constant, viewers: 1, for: 10ms}]
audience: [{device: hlsjs, bandwidth: 1G, round_trip: 1ms, session: none}]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	bubble.Test(t, func(t *testing.T) {
		if _, err := load.Run(t.Context(), s, load.Options{Transport: fault.Transport{Handler: network}, Each: func(_ int, o *benchviewer.Outcome) { out = *o }}); err != nil {
			t.Fatal(err)
		}
	})
	return out
}

// encodeLadder writes three qualities of HLS, of 250, 600 and 1200 kbit/s:
// noise, so that they are as large as they say.
func encodeLadder(t *testing.T, dir string, length time.Duration) {
	t.Helper()
	var split, maps, streams []string
	for i, rate := range []int{210, 540, 1120} {
		split = append(split, fmt.Sprintf("[v%d]", i))
		maps = append(maps, fmt.Sprintf("-map [v%d] -map 1:a -b:v:%d %dk -maxrate:v:%d %dk -minrate:v:%d %dk -bufsize:v:%d %dk", i, i, rate, i, rate, i, rate, i, rate))
		streams = append(streams, fmt.Sprintf("v:%d,a:%d", i, i))
	}
	args := strings.Fields("-hide_banner -loglevel error -nostdin -f lavfi -i testsrc2=size=256x144:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000")
	args = append(args, "-t", fmt.Sprint(length.Seconds()), "-filter_complex", "[0:v]noise=alls=40:allf=t,split=3"+strings.Join(split, ""))
	args = append(args, strings.Fields(strings.Join(maps, " ")+" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -x264-params nal-hrd=cbr -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -b:a 32k "+
		"-f hls -hls_segment_type fmp4 -hls_time 2 -hls_playlist_type vod -master_pl_name master.m3u8 -hls_segment_filename v%v_%d.m4s -hls_fmp4_init_filename init_%v.mp4")...)
	args = append(args, "-var_stream_map", strings.Join(streams, " "), "v%v.m3u8")
	cmd := exec.Command("ffmpeg", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(&ffmpegError{err, string(out)})
	}
}
