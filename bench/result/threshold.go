package result

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Threshold is what a figure must be.
type Threshold struct {
	Name  string
	Op    string // <, <=, >, >=
	Limit float64
	Text  string
}

var form = regexp.MustCompile(`^\s*([a-z0-9_.]+)\s*(<=|>=|<|>)\s*(\S.*?)\s*$`)

// ParseThreshold reads "manifest.p99 < 200ms", "errors <= 0.1%". The hint of a
// failure names the figures there are.
func ParseThreshold(text string) (t Threshold, wrong, hint string) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return t, fmt.Sprintf("%q is no threshold", text), `write "FIGURE < LIMIT", as "manifest.p99 < 200ms"`
	}
	t = Threshold{Name: m[1], Op: m[2], Text: strings.Join(strings.Fields(text), " ")}
	unit, ok := UnitOf(t.Name)
	if !ok {
		return t, fmt.Sprintf("there is no figure %q", t.Name), t.Name
	}
	limit := m[3]
	var err error
	switch unit {
	case Seconds:
		var d time.Duration
		if d, err = time.ParseDuration(strings.ReplaceAll(limit, " ", "")); err == nil {
			t.Limit = d.Seconds()
		}
		hint = "write it like 200ms or 1.5s"
	case Share:
		percent, is := strings.CutSuffix(strings.ReplaceAll(limit, " ", ""), "%")
		if t.Limit, err = strconv.ParseFloat(percent, 64); is {
			t.Limit /= 100
		}
		hint = "write it like 0.1%"
	case Bits:
		t.Limit, err = ParseBits(limit)
		hint = "write it like 2.5M"
	default:
		t.Limit, err = strconv.ParseFloat(limit, 64)
		hint = "write it in digits"
	}
	if err != nil {
		return t, fmt.Sprintf("%q is no limit for %s", limit, t.Name), hint
	}
	return t, "", ""
}

// ParseBits reads a rate in bits/s: 800k, 2.5M, 1G.
func ParseBits(text string) (float64, error) {
	number, unit := text, 1.0
	if n := len(text); n > 0 {
		if f, ok := map[byte]float64{'k': 1e3, 'K': 1e3, 'M': 1e6, 'G': 1e9}[text[n-1]]; ok {
			number, unit = text[:n-1], f
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*unit < 1e15) {
		return 0, fmt.Errorf("%q is no rate", text)
	}
	return v * unit, nil
}

// Judge tells whether the rounds taken together hold a threshold. What could
// not be measured does not hold.
func (t Threshold) Judge(all *Round) Verdict {
	unit, _ := UnitOf(t.Name)
	v, ok := all.Figure(t.Name)
	out := Verdict{Threshold: t.Text, Value: v, Shown: unit.Show(v)}
	if !ok {
		out.Missing, out.Shown = true, "nothing was measured"
		return out
	}
	switch t.Op {
	case "<":
		out.Held = v < t.Limit
	case "<=":
		out.Held = v <= t.Limit
	case ">":
		out.Held = v > t.Limit
	case ">=":
		out.Held = v >= t.Limit
	}
	return out
}
