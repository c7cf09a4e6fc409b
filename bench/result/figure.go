package result

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unit is what a figure is in.
type Unit string

// The units.
const (
	Seconds Unit = "s"
	Share   Unit = "%" // 0 to 1
	Number  Unit = ""
	Bits    Unit = "bit/s"
)

// Classes are the kinds of requests that figures are named by; manifest is
// entry, playlist and update together.
var Classes = []string{"entry", "playlist", "update", "manifest", "steering", "initialisation", "segment"}

// Points are the figures of a distribution.
var Points = []string{"mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "max"}

// singles are the figures without a distribution.
var singles = map[string]struct {
	unit Unit
	of   func(r *Round) (float64, bool)
}{
	"errors": {Share, func(r *Round) (float64, bool) {
		var n, bad int64
		for _, c := range r.Requests {
			n, bad = n+c.Count, bad+c.Errors
		}
		return ratio(float64(bad), float64(n))
	}},
	"stalled": {Share, func(r *Round) (float64, bool) {
		return ratio(r.Quality.Stood, r.Quality.Stood+r.Quality.Played)
	}},
	"failed": {Share, func(r *Round) (float64, bool) {
		return ratio(float64(r.Viewers.Failed), float64(r.Viewers.Arrived))
	}},
	"started": {Share, func(r *Round) (float64, bool) {
		return ratio(float64(r.Viewers.Started), float64(r.Viewers.Arrived))
	}},
	"viewers": {Number, func(r *Round) (float64, bool) { return float64(r.Viewers.Most), true }},
	"requests": {Number, func(r *Round) (float64, bool) {
		var n int64
		for _, c := range r.Requests {
			n += c.Count
		}
		return ratio(float64(n), r.Seconds)
	}},
	"bitrate": {Bits, func(r *Round) (float64, bool) { return r.Quality.Rate, r.Quality.Rate > 0 }},
}

func ratio(a, b float64) (float64, bool) {
	if b <= 0 {
		return 0, false
	}
	return a / b, true
}

// Names are the figures there are.
func Names() []string {
	var out []string
	for _, c := range append(slices.Clone(Classes), "startup", "lag") {
		for _, p := range Points {
			out = append(out, c+"."+p)
		}
	}
	for name := range singles {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// UnitOf is the unit of a figure; false where there is none of that name.
func UnitOf(name string) (Unit, bool) {
	if s, ok := singles[name]; ok {
		return s.unit, true
	}
	return Seconds, slices.Contains(Names(), name)
}

// Figure is a figure by its name, in its unit; false where there was nothing to
// measure.
func (r *Round) Figure(name string) (float64, bool) {
	if s, ok := singles[name]; ok {
		return s.of(r)
	}
	class, point, _ := strings.Cut(name, ".")
	h := r.histogram(class)
	if h == nil || h.Count() == 0 {
		return 0, false
	}
	return point1(h, point)
}

func point1(h *Histogram, point string) (float64, bool) {
	switch point {
	case "mean":
		return h.Mean().Seconds(), true
	case "max":
		return h.Max().Seconds(), true
	}
	p, err := strconv.ParseFloat(strings.TrimPrefix(point, "p"), 64)
	return h.At(p / 100).Seconds(), err == nil
}

func (r *Round) histogram(class string) *Histogram {
	switch class {
	case "startup":
		return &r.Quality.Startup
	case "lag":
		return &r.Generator.Lag
	case "manifest":
		var all Histogram
		for _, name := range []string{"entry", "playlist", "update"} {
			if c := r.Class(name); c != nil {
				all.Merge(&c.Latency)
			}
		}
		return &all
	}
	if c := r.Class(class); c != nil {
		return &c.Latency
	}
	return nil
}

// Show writes a figure as people read it.
func (u Unit) Show(v float64) string {
	switch u {
	case Seconds:
		return Duration(time.Duration(v * float64(time.Second)))
	case Share:
		return digits(v*100) + " %"
	case Bits:
		return digits(v/1e6) + " Mbit/s"
	}
	return digits(v)
}

// Duration writes a duration with three digits.
func Duration(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Millisecond:
		return digits(float64(d)/1e3) + " µs"
	case d < time.Second:
		return digits(float64(d)/1e6) + " ms"
	}
	return digits(d.Seconds()) + " s"
}

func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 1000 || v <= -1000:
		return Count(int64(v))
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v < 0.01 && v > -0.01:
		return fmt.Sprintf("%.2g", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// Count writes a whole number in groups of three.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	from := 0
	if n < 0 {
		from = 1
	}
	for i := len(s) - 3; i > from; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
