package probe

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"manifold/internal/testkit/bubble"
	"manifold/steering"
)

// What is believed after each result: + good, ~ lagging, s slow, - failed; and
// h healthy, g degraded, d down.
func TestBelief(t *testing.T) {
	for name, c := range map[string]struct {
		target        Target
		results, says string
	}{
		"down and up":              {Target{}, "+-+--+-+++---", "hhhhdddddhhdd"},
		"slow answers":             {Target{}, "+ss+s+++", "hhgggggh"},
		"between the thresholds":   {Target{}, "~~~ss~~~+~+++", "hhhhggggggggh"},
		"slow and failing":         {Target{}, "s-s-s", "hgggg"},
		"slow after it was down":   {Target{}, "--sss+++", "hdddgggh"},
		"down while degraded":      {Target{}, "ss--+++", "hggdddh"},
		"now and then":             {Target{DownIn: 3}, "-+-+-+-+++", "hhhhhhgggh"},
		"seldom":                   {Target{DownIn: 3}, "-++++-++++-++++-", "hhhhhhhhhhhhhhhh"},
		"it takes its time":        {Target{CoolDown: 5 * time.Second}, "--+++++++", "hdddddhhh"},
		"worse needs no cool-down": {Target{CoolDown: time.Hour}, "ss--+++++", "hggdddddd"},
	} {
		target := c.target.withDefaults()
		var b belief
		now := time.Unix(0, 0)
		var says strings.Builder
		for _, r := range c.results {
			now = now.Add(time.Second)
			before := b.health
			if changed := b.count(&target, map[rune]result{'+': good, '~': lagging, 's': slow, '-': failed}[r], now); changed != (b.health != before) {
				t.Errorf("%s: changed %v from %v to %v", name, changed, before, b.health)
			}
			says.WriteByte("hgd"[b.health])
		}
		if says.String() != c.says {
			t.Errorf("%s: after %s believed %s, want %s", name, c.results, says.String(), c.says)
		}
	}
}

func TestJudge(t *testing.T) {
	target := Target{Slow: time.Second}
	for took, want := range map[time.Duration]result{0: good, 800 * time.Millisecond: good, 801 * time.Millisecond: lagging, time.Second: lagging, 1001 * time.Millisecond: slow} {
		if got := target.judge(took, nil); got != want {
			t.Errorf("%v is %d, want %d", took, got, want)
		}
	}
	if target.judge(0, errors.New("refused")) != failed || (&Target{}).judge(time.Hour, nil) != good {
		t.Error("a failure, or an answer that nobody waits for, is misjudged")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRun lets a CDN fail between the 10th and the 20th second and looks at
// when that is believed.
func TestRun(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		began := time.Now()
		var asked atomic.Int64
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			asked.Add(1)
			status := 403
			switch since := time.Since(began); {
			case since >= 10*time.Second && since < 15*time.Second:
				return nil, errors.New("connection refused")
			case since >= 15*time.Second && since < 20*time.Second:
				status = 503
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("x"))}, nil
		})
		type change struct {
			health steering.Health
			at     time.Duration
		}
		var changes []change
		p := &Prober{Transport: transport, Changed: func(_ *Target, h steering.Health, cause error) {
			if (cause == nil) != (h == steering.Healthy) {
				t.Errorf("%v because of %v", h, cause)
			}
			changes = append(changes, change{h, time.Since(began)})
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		p.Run(ctx, []Target{{ID: "alpha", URL: "http://alpha.example/", Every: time.Second}})
		want := []change{{steering.Down, 11 * time.Second}, {steering.Healthy, 22 * time.Second}}
		if len(changes) != 2 || changes[0] != want[0] || changes[1] != want[1] {
			t.Errorf("changes %v, want %v", changes, want)
		}
		if n := asked.Load(); n < 39 || n > 41 {
			t.Errorf("asked %d times in 40 s", n)
		}
	})
}

// TestSlowAnswers: a CDN that takes long is degraded, not down, and the cause
// says so.
func TestSlowAnswers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		began := time.Now()
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			if since := time.Since(began); since >= 5*time.Second && since < 10*time.Second {
				<-time.After(600 * time.Millisecond)
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(""))}, nil
		})
		var said []string
		p := &Prober{Transport: transport, Changed: func(_ *Target, h steering.Health, cause error) {
			text := h.String()
			if cause != nil {
				text += ": " + cause.Error()
			}
			said = append(said, text)
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		p.Run(ctx, []Target{{ID: "alpha", URL: "http://alpha.example/", Every: time.Second, Slow: 500 * time.Millisecond}})
		if len(said) != 2 || said[0] != "degraded: alpha answers slowly or not always: the last time after 600ms" || said[1] != "healthy" {
			t.Errorf("%q", said)
		}
	})
}
