package measure

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Conditions says when, on what and by which command a table was measured,
// where pkg is the package's folder: "2026-01-02, go1.26, linux/amd64, 2
// processors (…), with `go test ./pkg -v -table`".
func Conditions(pkg string) string {
	return fmt.Sprintf("%s, %s, %s/%s, %d processors%s, with `go test %s`",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(),
		strings.Join(append([]string{"./" + pkg}, given()...), " "))
}

// given are the flags as the reader would type them.
func given() []string {
	var all []string
	flag.Visit(func(f *flag.Flag) {
		name := strings.TrimPrefix(f.Name, "test.")
		switch name {
		case "v", "table", "benchtime", "cpu", "round", "rounds", "match":
			if f.Value.String() == "true" {
				all = append(all, "-"+name)
			} else {
				all = append(all, "-"+name+"="+f.Value.String())
			}
		}
	})
	return all
}

// processor names the processor where the system tells.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return " (" + strings.TrimSpace(value) + ")"
		}
	}
	return ""
}

// Time writes nanoseconds in the unit that suits them.
func Time(ns float64) string {
	switch {
	case ns < 1e3:
		return Digits(ns) + " ns"
	case ns < 1e6:
		return Digits(ns/1e3) + " µs"
	}
	return Digits(ns/1e6) + " ms"
}

// Ratio writes a share as people do: 1/120, or 3.10.
func Ratio(r float64) string {
	if r > 0 && r < 0.5 {
		return fmt.Sprintf("1/%.0f", 1/r)
	}
	return Digits(r)
}

// Digits writes three digits.
func Digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// Median is the middle value, or the mean of the two in the middle; NaN-free
// values, at least one.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
