package dash

import (
	"math"
	"testing"
	"time"

	"manifold/manifest"
)

func TestIndex(t *testing.T) {
	all := corpus(t)
	for _, c := range []struct {
		name           string
		live           bool
		target, window time.Duration
		segments, reps int
	}{
		{"static-template-number", false, 4 * time.Second, 24 * time.Second, 6, 3},
		{"static-template-time", false, 4010666666, 24 * time.Second, 6, 3},
		{"static-timeline-repeat-to-end", false, 4 * time.Second, 24 * time.Second, 6, 2},
		{"static-timeline-repeat-to-next", false, 4 * time.Second, 24 * time.Second, 9, 2},
		{"static-timeline-gap", false, 4 * time.Second, 24 * time.Second, 4, 2},
		{"static-template-inherited", false, 4 * time.Second, 24 * time.Second, 6, 3},
		{"static-template-in-representation", false, 4 * time.Second, 24 * time.Second, 6, 2},
		{"static-multi-period", false, 4 * time.Second, 24 * time.Second, 6, 9},
		{"static-empty-period", false, 0, 24 * time.Second, 0, 0},
		{"ondemand-segmentbase", false, 0, time.Minute + time.Second/2, 1, 2},
		{"segmentlist", false, 8 * time.Second, 24 * time.Second, 3, 1},
		{"segmentlist-ranges", false, 8 * time.Second, 24 * time.Second, 3, 1},
		{"live-number", true, 2 * time.Second, time.Minute, 15, 3},
		{"live-timeline", true, 2 * time.Second, time.Minute, 15, 3},
		{"live-timeline-offset", true, 2 * time.Second, time.Minute, 30, 3},
		{"live-multi-period", true, 2 * time.Second, time.Minute, 12, 7},
		{"prefixed", true, 2 * time.Second, 0, 0, 1},
		{"xlink", false, 4 * time.Second, 24 * time.Second, 4, 3},
		{"no-children", false, 0, 0, 0, 0},
		{"ffmpeg-vod-timeline", false, 2 * time.Second, 12 * time.Second, 6, 2},
		{"ffmpeg-vod-number", false, 2 * time.Second, 12 * time.Second, 6, 2},
		{"ffmpeg-vod-list", false, 2 * time.Second, 12 * time.Second, 6, 2},
		{"ffmpeg-vod-single", false, 2 * time.Second, 12 * time.Second, 6, 2},
		{"ffmpeg-live-timeline", true, 2 * time.Second, 6 * time.Second, 2, 2},
		{"ffmpeg-live-low-latency", true, 2 * time.Second, 6 * time.Second, 3, 2},
		{"foreign-elements", false, 4 * time.Second, 24 * time.Second, 6, 2},
	} {
		want := manifest.Index{Kind: manifest.DASH, Live: c.live, Target: c.target, Window: c.window, Segments: c.segments, Variants: c.reps}
		if all[c.name] == nil {
			t.Fatalf("no %s in the corpus", c.name)
		}
		if got := *compile(t, all[c.name]).Index(); got != want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"PT2S":           2 * time.Second,
		"PT1H2M3.5S":     time.Hour + 2*time.Minute + 3500*time.Millisecond,
		"P1DT12H":        36 * time.Hour,
		"P1Y2M3D":        365*day + 60*day + 3*day,
		"PT0.000000001S": 1,
		"PT3600S":        time.Hour,
		"PT1M":           time.Minute,
		"P1M":            30 * day,
		" PT4S\n":        4 * time.Second,
		"PT.5S":          time.Second / 2,
		"PT0S":           0,
		"P0Y0M0DT0H0M2S": 2 * time.Second,
		"":               0,
		"P":              0,
		"PT":             0,
		"-PT2S":          0,
		"2S":             0,
		"PT2":            0,
		"PT2X":           0,
		"PT1.2.3S":       0,
		"P2S":            0,
		"PTS":            0,
		"PT99999999999H": math.MaxInt64,
		"PT1e9S":         0,
		"P1DT":           day,
	} {
		if got := duration([]byte(text)); got != want {
			t.Errorf("duration(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "42": 42, " 7 ": 7, "99999999999999999999999": math.MaxUint64, "18446744073709551599": 18446744073709551599} {
		if got, ok := number([]byte(text)); !ok || got != want {
			t.Errorf("number(%q) = %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", " ", "-1", "1.5", "x", "1x"} {
		if got, ok := number([]byte(text)); ok {
			t.Errorf("number(%q) = %d", text, got)
		}
	}
}
