package result

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	r := made(rand.New(rand.NewPCG(1, 1)), 3, 5*time.Millisecond, .02)
	r.Format, r.Name, r.Thresholds = Format, "evening", []Verdict{{Threshold: "errors < 1%", Shown: "0 %", Held: true}}
	r.Rounds[0].Viewers.Why = map[string]int{"status 404": 2}
	r.Rounds[0].Requests[0].Errors, r.Rounds[0].Requests[0].Said = 3, map[string]int64{"200": 1997, "503": 3}
	r.Rounds[1].Generator.Saturated = []string{"late"}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"playlist.p50", "manifest.p99", "playlist.max", "playlist.mean", "errors", "requests"} {
		want, _ := r.All().Figure(name)
		if have, ok := got.All().Figure(name); !ok || have != want {
			t.Errorf("%s is %v after a round trip, was %v", name, have, want)
		}
	}
	var text strings.Builder
	if err := got.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SATURATED: late", "2 × status 404", "playlist: 1,997 × 200, 3 × 503", "held    errors < 1% (it is 0 %)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, text.String())
		}
	}
	if !got.Saturated() || got.Failed() {
		t.Error("saturated and failed are mixed up")
	}
	var empty Run
	if err := empty.WriteText(&text); err != nil {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", `{"format":"manifold-bench-run/1"}`, `{"format":"manifold-bench-run/1","rounds":[null]}`, `{"format":"manifold-bench-run/1","rounds":[{"requests":[null]}]}`,
		`{"format":"manifold-bench-run/1","rounds":[{"quality":{"startup":{"hdr":"!"}}}]}`, `{"format":"manifold-bench-run/1","rounds":[{"quality":{"startup":{"hdr":"AAAA"}}}]}`} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h, empty Histogram
	if empty.Count() != 0 || empty.At(.5) != 0 || empty.Max() != 0 || empty.Mean() != 0 {
		t.Error("an empty histogram has values")
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	for share, want := range map[float64]time.Duration{.5: 500 * time.Millisecond, .99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.At(share); (got - want).Abs() > want/500 {
			t.Errorf("at %v: %s, want %s", share, got, want)
		}
	}
	c := h.Clone()
	c.AddEvery(10*time.Second, time.Second) // and nine that could not be made
	if c.Count() != 1010 || h.Count() != 1000 {
		t.Errorf("%d and %d", c.Count(), h.Count())
	}
	c.Add(-time.Second)
	c.Add(24 * time.Hour)
	if c.Count() != 1012 {
		t.Error("what is out of range is not counted")
	}
	c.Reset()
	if c.Count() != 0 {
		t.Error("not empty")
	}
}

func TestThresholds(t *testing.T) {
	round := made(rand.New(rand.NewPCG(1, 1)), 1, 5*time.Millisecond, 0).Rounds[0]
	for text, held := range map[string]bool{"manifest.p50 < 6ms": true, "playlist.p50<4ms": false, "errors <= 0": true, "requests > 99": true, "viewers >= 10": false, "manifest.p99 < 1 s": true} {
		th, wrong, _ := ParseThreshold(text)
		if wrong != "" {
			t.Errorf("%s: %s", text, wrong)
		}
		if v := th.Judge(round); v.Held != held || v.Missing {
			t.Errorf("%s: %+v", text, v)
		}
	}
	for _, text := range []string{"", "p99", "manifest.p99 = 1ms", "manifest.p98 < 1ms", "errors < x%", "manifest.p99 < 5", "bitrate > fast"} {
		if _, wrong, hint := ParseThreshold(text); wrong == "" || hint == "" {
			t.Errorf("%q: %q, %q", text, wrong, hint)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(1234567), "1,234,567"}, {Count(-1000), "-1,000"}, {Count(999), "999"}, {Seconds.Show(0.0123), "12.3 ms"}, {Seconds.Show(2), "2.00 s"}, {Duration(1500), "1.50 µs"},
		{Share.Show(0.123), "12.3 %"}, {Bits.Show(2.5e6), "2.50 Mbit/s"}, {Number.Show(12345), "12,345"}, {Share.Show(0.00001), "0.001 %"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for text, want := range map[string]float64{"800k": 8e5, "2.5M": 2.5e6, "1G": 1e9, "12": 12} {
		if got, err := ParseBits(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
