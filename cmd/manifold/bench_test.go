package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manifold/bench/load"
	"manifold/bench/result"
)

// A small VOD whose answers take a time, and every command of the load
// generator around it, with its exit code.
func TestBenchRun(t *testing.T) {
	slow := time.Duration(0)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := time.NewTimer(slow)
		defer wait.Stop()
		<-wait.C
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.1,\na.ts\n#EXTINF:0.1,\nb.ts\n#EXT-X-ENDLIST\n")
	}))
	defer s.Close()
	dir := folder(t, map[string]string{
		"good.yml":  "url: " + s.URL + "/x.m3u8\nfor: 3s\nrounds: 3\narrivals: [{pattern: constant, viewers: 20, for: 200ms}]\nthresholds: [errors <= 0%, started >= 100%]\n",
		"hard.yml":  "url: " + s.URL + "/x.m3u8\nfor: 3s\narrivals: [{pattern: constant, viewers: 2, for: 100ms}]\nthresholds: [manifest.p50 < 1us]\n",
		"bad.yml":   "url: x\narrivls: []\n",
		"text.json": "{}",
	})
	t.Chdir(dir)
	first := cli(t, "", "bench", "run", "good.yml", "-o", "a.json", "--report", "a.html", "-q")
	if first.code != 0 || !strings.Contains(first.out, "60 came") || !strings.Contains(first.out, "held    errors <= 0%") {
		t.Fatalf("%+v", first)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "a.html")); err != nil || !strings.Contains(string(page), "Yes: all 2 thresholds were held.") {
		t.Errorf("the report: %v, %.300s", err, page)
	}
	slow = 30 * time.Millisecond
	if second := cli(t, "", "bench", "run", "good.yml", "-o", "b.json", "--json"); second.code != 0 || !strings.HasPrefix(second.out, "{") {
		t.Errorf("%+v", second)
	}
	for _, c := range []struct {
		line     string
		code     int
		out, err string
	}{
		{"bench compare a.json b.json", exitThreshold, "B is slower than A.", "b.json is slower than a.json"},
		{"bench compare b.json a.json", 0, "B is faster than A.", ""},
		{"bench compare a.json a.json --json", 0, `"verdict": "no difference"`, ""},
		{"bench compare a.json none.json", exitUsage, "", "none.json: no such file"},
		{"bench compare a.json text.json", exitUsage, "", "its format is"},
		{"bench compare a.json", exitUsage, "", "accepts 2 arg"},
		{"bench run hard.yml -q", exitThreshold, "FAILED  manifest.p50 < 1us", "1 threshold not held"},
		{"bench run bad.yml", exitConfig, "", `bad.yml:2:1: arrivls: unknown key "arrivls"`},
		{"bench run none.yml", exitConfig, "", "no such file"},
		{"bench run", exitUsage, "", "accepts 1 arg"},
		{"bench run good.yml --url ftp://x", exitUsage, "", "no http or https address"},
		{"bench run --example", 0, "audience:", ""},
		{"bench report b.json", 0, "", ""},
		{"bench report none.json", exitUsage, "", "no such file"},
	} {
		got := cli(t, "", strings.Fields(c.line)...)
		if got.code != c.code || !strings.Contains(got.out, c.out) || !strings.Contains(got.err, c.err) {
			t.Errorf("%s: %d\n%s\n%s", c.line, got.code, got.out, got.err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "b.html")); err != nil {
		t.Error(err)
	}
}

// How a run goes: a line every ten seconds where there is no terminal, one that
// is written over where there is.
func TestMeter(t *testing.T) {
	var b strings.Builder
	m := &meter{w: &b}
	for at := time.Second; at <= 25*time.Second; at += time.Second {
		m.show(load.Status{Round: 1, Rounds: 2, At: at, For: 25 * time.Second, Warming: at < 5*time.Second, Saturated: at > 20*time.Second,
			Second: result.Second{Viewers: 5000, Requests: 1234, P50: 1.5, P99: 12, CPU: .4}})
	}
	m.end()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 || lines[0] != "round 1 of 2  ████████░░░░░░░░░░░░ 10s of 25s  viewers 5,000  requests 1,234/s  p50 1.50 ms  p99 12.0 ms  errors 0  stalled 0  cpu 40 %  late 0" ||
		!strings.HasSuffix(lines[2], "SATURATED") {
		t.Errorf("%s", b.String())
	}
	b.Reset()
	m = &meter{w: &b, terminal: true}
	m.show(load.Status{Round: 1, Rounds: 1, At: time.Second, For: time.Minute, Second: result.Second{Viewers: 10_000}})
	m.show(load.Status{Round: 1, Rounds: 1, At: 2 * time.Second, For: time.Minute, Second: result.Second{Viewers: 1}})
	m.end()
	if parts := strings.Split(b.String(), "\r"); len(parts) != 3 || len([]rune(parts[1])) != len([]rune(strings.TrimSuffix(parts[2], "\n"))) || !strings.HasSuffix(parts[2], "\n") {
		t.Errorf("%q", b.String())
	}
}
