//go:build accept

package e2e

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manifold/bench/result"
)

// crowd is a live stream for many, whose manifests name each viewer: segments
// of four seconds in HLS and DASH, and steering.
func crowd(slower func() time.Duration) http.Handler {
	const each = 4 * time.Second
	epoch := time.Now().Add(-time.Hour)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(time.Since(epoch)/each) - 1
		_, rest, _ := strings.Cut(r.URL.Path[1:], "/")
		id, file, _ := strings.Cut(rest, "/")
		var b bytes.Buffer
		switch {
		case file == "master.m3u8":
			fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"steer\",PATHWAY-ID=\"a\"\n")
			for i, k := range []int{800, 2000, 5000} {
				fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d000,CODECS=\"avc1.4d401e,mp4a.40.2\",PATHWAY-ID=\"a\"\nv%d.m3u8\n", k, i)
			}
		case strings.HasSuffix(file, ".m3u8"):
			fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"i.mp4\"\n", n-5)
			for i := n - 5; i <= n; i++ {
				fmt.Fprintf(&b, "#EXTINF:4.000,\nhttps://cdn.example/%s/%d.m4s\n", id, i)
			}
		case file == "manifest.mpd":
			fmt.Fprintf(&b, `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="%s" minimumUpdatePeriod="PT4S" timeShiftBufferDepth="PT24S" suggestedPresentationDelay="PT12S"><BaseURL>https://cdn.example/%s/</BaseURL><Period id="1" start="PT0S">`,
				epoch.UTC().Format(time.RFC3339Nano), id)
			for _, kind := range []string{"video", "audio"} {
				fmt.Fprintf(&b, `<AdaptationSet contentType="%s"><SegmentTemplate timescale="1000" media="$RepresentationID$/$Time$.m4s" initialization="i.mp4"><SegmentTimeline><S t="%d" d="4000" r="5"/></SegmentTimeline></SegmentTemplate><Representation id="1" bandwidth="800000"/></AdaptationSet>`, kind, (n-5)*4000)
			}
			b.WriteString("</Period></MPD>")
		default:
			fmt.Fprintf(&b, `{"VERSION":1,"TTL":15,"RELOAD-URI":"http://%s%s","PATHWAY-PRIORITY":["a"]}`, r.Host, r.URL.Path)
		}
		if slower != nil {
			wait := time.NewTimer(slower())
			defer wait.Stop()
			<-wait.C
		}
		_, _ = w.Write(b.Bytes())
	})
}

// benchRun runs `manifold bench run` as a process of its own, on one core.
func benchRun(t *testing.T, bin, text string) *result.Run {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "scenario.yml"), filepath.Join(dir, "run.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "bench", "run", file, "-q", "-o", out, "--report", evidence(t, "bench-run.html"))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := result.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func buildManifold(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "manifold")
	if out, err := exec.Command("go", "build", "-o", bin, "manifold/cmd/manifold").CombinedOutput(); err != nil {
		t.Fatalf("cannot build: %v\n%s", err, out)
	}
	return bin
}

// Five thousand live viewers on one core, five times: the generator keeps up,
// and says the same each time.
func TestAcceptFiveThousandViewers(t *testing.T) {
	s := httptest.NewServer(crowd(nil))
	defer s.Close()
	run := benchRun(t, buildManifold(t), `
name: five thousand viewers
url: `+s.URL+`/live/{viewer}/master.m3u8
for: 60s
warmup: 30s
rounds: 5
arrivals: [{pattern: constant, viewers: 5000, for: 25s}]
audience:
  - {name: web, device: hlsjs, share: 70, bandwidth: 8M}
  - {name: dash, device: dashjs, share: 30, bandwidth: 8M, url: "`+s.URL+`/live/{viewer}/manifest.mpd"}
`)
	for i, r := range run.Rounds {
		p50, _ := r.Figure("manifest.p50")
		p99, _ := r.Figure("manifest.p99")
		rate, _ := r.Figure("requests")
		t.Logf("measured: 5,000 viewers on one core, round %d: %.0f requests/s, manifests %.2f ms at p50 and %.1f ms at p99, %.0f %% of the core, late by %s at p99",
			i+1, rate, 1000*p50, 1000*p99, 100*r.Generator.CPUMean, r.Generator.Lag.At(.99))
		if len(r.Generator.Saturated) > 0 || r.Viewers.Most != 5000 || r.Viewers.Started != 5000 || r.Generator.Processors != 1 {
			t.Errorf("round %d: saturated %v, %+v on %d processors", i+1, r.Generator.Saturated, r.Viewers, r.Generator.Processors)
		}
		if e, _ := r.Figure("errors"); e > 0 {
			t.Errorf("round %d: errors %v", i+1, e)
		}
	}
	for _, name := range []string{"requests", "startup.p50", "startup.p95", "bitrate"} {
		stable(t, run, name)
	}
}

// stable wants the rounds' figures within a tenth of their mean.
func stable(t *testing.T, run *result.Run, name string) {
	t.Helper()
	mean, off := 0.0, 0.0
	for _, r := range run.Rounds {
		v, _ := r.Figure(name)
		mean += v / float64(len(run.Rounds))
	}
	for _, r := range run.Rounds {
		v, _ := r.Figure(name)
		off = max(off, math.Abs(v-mean)/mean)
	}
	t.Logf("measured: %s over %d rounds: %.1f %% at most from their mean", name, len(run.Rounds), 100*off)
	if off > .1 || math.IsNaN(off) {
		t.Errorf("%s differs by %.1f %% from its mean", name, 100*off)
	}
}

// A real target slowed by a tenth is called slower in nine of ten comparisons,
// an equal one in none.
func TestAcceptCompare(t *testing.T) {
	bin := buildManifold(t)
	once := func(d time.Duration) *result.Run {
		s := httptest.NewServer(crowd(func() time.Duration { return d }))
		defer s.Close()
		return benchRun(t, bin, "url: "+s.URL+"/live/{viewer}/master.m3u8\nname: compare\nfor: 8s\nwarmup: 2s\nrounds: 4\narrivals: [{pattern: constant, viewers: 200, for: 2s}]\naudience: [{device: hlsjs}]\n")
	}
	slower, equal := 0, 0
	a := once(20 * time.Millisecond)
	for range 10 {
		b, c := once(22*time.Millisecond), once(20*time.Millisecond)
		if result.Compare(a, b).Opinion == result.Slower {
			slower++
		}
		if x := result.Compare(a, c); x.Failed() {
			t.Logf("equal: %+v", x.Lines)
		} else {
			equal++
		}
		a = c
	}
	t.Logf("measured: a real target slowed by 10 %% was called slower in %d of 10 comparisons, an equal one in %d", slower, 10-equal)
	if slower < 9 || equal < 10 {
		t.Errorf("slower in %d of 10, equal runs called slower in %d", slower, 10-equal)
	}
}
