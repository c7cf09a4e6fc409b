package e2e

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"manifold/bench/load"
	"manifold/bench/report"
	"manifold/bench/scenario"
	"manifold/internal/testkit/browser"
	"manifold/internal/testkit/fault"

	"net/http"
)

// A short run over real sockets, and its report as a person reads it: in light
// and in dark, with the numbers behind the plots, and nothing asked of anybody.
func TestBenchReport(t *testing.T) {
	stream := fault.New(fault.Config{Now: time.Now, Epoch: time.Now().Add(-87 * time.Second), Steered: true})
	// The stream's hosts are names: everything is asked of this one server.
	var target *httptest.Server
	target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		stream.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(bytes.ReplaceAll(rec.Body.Bytes(), []byte("http://edge.test"), []byte(target.URL)))
	}))
	defer target.Close()
	s, err := scenario.Parse("report.yml", []byte(`
name: a short evening
url: `+target.URL+`/master.m3u8
for: 6s
rounds: 2
arrivals: [{pattern: ramp, viewers: 60, for: 3s}]
audience: [{device: hlsjs, share: 2}, {device: dashjs, url: `+target.URL+`/manifest.mpd}]
thresholds: [manifest.p99 < 10s, errors < 1%, steering.p99 < 1us]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := load.Run(t.Context(), s, load.Options{Version: "test", Machine: "this machine", CPU: load.CPU})
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := report.Write(&page, run); err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 16)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/report.html":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(page.Bytes())
		case "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
		default:
			asked <- r.URL.Path
		}
	}))
	defer pages.Close()
	b := browser.Start(t, browser.Options{})
	p := b.Open(pages.URL + "/report.html")
	browser.Eval[bool](p, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	accessible(t, p, "the report")
	if n := browser.Eval[int](p, `document.querySelectorAll("svg path.line").length`); n < 8 {
		t.Errorf("%d lines are drawn", n)
	}
	if n := browser.Eval[int](p, `[...document.querySelectorAll("svg path.line")].filter(e => e.getTotalLength() > 50 && getComputedStyle(e).stroke !== "none").length`); n < 6 {
		t.Errorf("%d lines are seen", n)
	}
	if text := browser.Eval[string](p, `document.querySelector(".verdict").textContent`); text != "No: 1 of 3 thresholds were not held." {
		t.Errorf("the verdict is %q", text)
	}
	if w := browser.Eval[int](p, `document.documentElement.scrollWidth - innerWidth`); w > 0 {
		t.Errorf("the page is %d pixels too wide", w)
	}
	for _, m := range p.Errors() {
		t.Errorf("console: %v", m)
	}
	p.ColorScheme("light")
	keepPicture(t, p, "bench-report-light.png")
	p.ColorScheme("dark")
	keepPicture(t, p, "bench-report-dark.png")
	close(asked)
	var list []string
	for path := range asked {
		list = append(list, path)
	}
	if len(list) > 0 {
		t.Errorf("the page asked for %s", strings.Join(list, ", "))
	}
}
