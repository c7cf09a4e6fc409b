package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// size shows a number of bytes.
func size(n int) string {
	switch {
	case n >= 1e7:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.2f MB", float64(n)/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n >= 1e3:
		return fmt.Sprintf("%.2f kB", float64(n)/1e3)
	}
	return strconv.Itoa(n) + " B"
}

// span shows a time span: "850 µs", "4.004 s", "2 m 30 s", "3 h 5 m", "2 d 4 h".
func span(d time.Duration) string {
	if d < 0 {
		return "-" + span(d.Abs())
	}
	switch {
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 2*time.Minute:
		return decimal(Seconds(d)) + " s"
	case d < 2*time.Hour:
		return two(d.Round(time.Second), time.Minute, "m", time.Second, "s")
	case d < 48*time.Hour:
		return two(d.Round(time.Minute), time.Hour, "h", time.Minute, "m")
	}
	return two(d.Round(time.Hour), 24*time.Hour, "d", time.Hour, "h")
}

func two(d, a time.Duration, nameA string, b time.Duration, nameB string) string {
	s := fmt.Sprintf("%d %s", d/a, nameA)
	if rest := d % a / b; rest > 0 {
		s += fmt.Sprintf(" %d %s", rest, nameB)
	}
	return s
}

// spanOf is span for what reports hold.
func spanOf(s Seconds) string { return span(time.Duration(s)) }

// bitrate shows bits per second.
func bitrate(n int) string {
	switch {
	case n == 0:
		return ""
	case n >= 1e6:
		return fmt.Sprintf("%.2f Mb/s", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kb/s", float64(n)/1e3)
}

// stamp shows a time on a timeline: "45.5 s", then "1:01:30", "473:26:00.500".
func stamp(s Seconds) string {
	d := time.Duration(s)
	if d.Abs() < 2*time.Minute {
		return span(d)
	}
	sign := ""
	if d < 0 {
		sign, d = "-", d.Abs()
	}
	d = d.Round(time.Millisecond)
	text := fmt.Sprintf("%s%d:%02d:%02d.%03d", sign, d/time.Hour, d/time.Minute%60, d/time.Second%60, d/time.Millisecond%1000)
	return strings.TrimSuffix(text, ".000")
}

// clock shows a date in UTC.
func clock(t *time.Time) string {
	if t == nil {
		return ""
	}
	text := t.UTC().Format("2006-01-02 15:04:05.000")
	return strings.TrimSuffix(text, ".000") + " UTC"
}

// number counts things: "1 segment", "3 segments".
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
