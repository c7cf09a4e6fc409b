package probe

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCounter(t *testing.T) {
	c := counter{up: true, downIn: 2, upIn: 3}
	var changes []int
	for i, r := range "+-+--+-+++---" {
		if c.count(r == '+') {
			changes = append(changes, i)
		}
	}
	if len(changes) != 3 || changes[0] != 4 || changes[1] != 9 || changes[2] != 11 || c.up {
		t.Errorf("changes at %v, up %v", changes, c.up)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRun lets a CDN fail between the 10th and the 20th second and looks at
// when that is believed.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
			up bool
			at time.Duration
		}
		var changes []change
		p := &Prober{Transport: transport, Changed: func(_ *Target, up bool, _ error) {
			changes = append(changes, change{up, time.Since(began)})
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		p.Run(ctx, []Target{{ID: "alpha", URL: "http://alpha.example/", Every: time.Second}})
		want := []change{{false, 11 * time.Second}, {true, 22 * time.Second}}
		if len(changes) != 2 || changes[0] != want[0] || changes[1] != want[1] {
			t.Errorf("changes %v, want %v", changes, want)
		}
		if n := asked.Load(); n < 39 || n > 41 {
			t.Errorf("asked %d times in 40 s", n)
		}
	})
}
