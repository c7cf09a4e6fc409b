package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/bench/result"
)

func made(rounds, seconds int) *result.Run {
	r := &result.Run{Name: `evening <script>alert("x")</script>`, Version: "v1", Machine: "here", Connections: "h2, own", Began: time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC),
		Scenario: []string{"arrivals: ramp"}, Thresholds: []result.Verdict{{Threshold: "errors < 1%", Shown: "0.2 %", Held: true}, {Threshold: "manifest.p99 < 1ms", Shown: "9 ms"}}}
	for range rounds {
		c := &result.Class{Name: "playlist", Count: 1000, Errors: 2, Said: map[string]int64{"200": 998, "no answer in time": 2}}
		x := &result.Round{Seconds: float64(seconds), Requests: []*result.Class{c}, Viewers: result.Viewers{Arrived: 100, Most: 90, Why: map[string]int{"a <b>": 1}}}
		for i := range 1000 {
			c.Latency.Add(time.Duration(1+i) * 10 * time.Microsecond)
			x.Quality.Startup.Add(time.Duration(500+i) * time.Millisecond)
		}
		for i := range seconds {
			x.Series = append(x.Series, result.Second{At: float64(i + 1), Viewers: min(i, 90), Requests: int64(i), P50: 2, P99: 9 + math.Sin(float64(i)), Lag: .1, CPU: .3})
		}
		r.Rounds = append(r.Rounds, x)
	}
	return r
}

func written(t *testing.T, r *result.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page stands alone, shows what came from outside as text, and its plots
// are well-formed.
func TestPage(t *testing.T) {
	page := written(t, made(2, 60))
	for _, want := range []string{"No: 1 of 2 thresholds were not held.", "How many were watching?", "p99.9", "1,996 × 200", "&lt;script&gt;", "h2, own", `class="break"`, `<th scope="row">1</th><td>0</td>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if m := regexp.MustCompile(`(?i)<script|src=|href=|url\(|@import|<b>`).FindString(page); m != "" {
		t.Errorf("the page has %q: it must need nothing and run nothing", m)
	}
	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(plots) != 7 {
		t.Errorf("%d plots", len(plots))
	}
	for _, p := range plots {
		d := xml.NewDecoder(strings.NewReader(p))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, p)
			}
		}
		if strings.Contains(p, "NaN") || strings.Contains(p, "Inf") {
			t.Errorf("not a number in %.300s", p)
		}
	}
}

// A run of hours is no larger a page, an empty one is a page.
func TestSizes(t *testing.T) {
	if n := len(written(t, made(3, 20_000))); n > 300_000 {
		t.Errorf("%d bytes", n)
	}
	for _, r := range []*result.Run{{Rounds: []*result.Round{{}}}, {Broken: "interrupted"}, made(1, 1), made(1, 2)} {
		if page := written(t, r); !strings.Contains(page, "</html>") || strings.Contains(page, "NaN") {
			t.Errorf("an empty run: %.2000s", page)
		}
	}
	r := made(1, 10)
	r.Rounds[0].Generator.Saturated = []string{"too late"}
	if page := written(t, r); !strings.Contains(page, "The generator was saturated") || !strings.Contains(page, "Saturated: too late.") {
		t.Error("a saturated generator is not said")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		unit      result.Unit
		want      string
	}{{0, 5000, result.Number, "0 1,000 2,000 3,000 4,000 5,000"}, {0, 1, result.Share, "0 % 20 % 40 % 60 % 80 % 100 %"}, {0, 0.3, result.Number, "0.0 0.1 0.2 0.3"}, {5, 5, result.Number, "5.00 6.00"}} {
		var got []string
		for _, x := range linear(c.low, c.high, 5, c.unit) {
			got = append(got, x.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v to %v: %v, want %s", c.low, c.high, got, c.want)
		}
	}
}
