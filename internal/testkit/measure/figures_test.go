package measure

import (
	"strings"
	"testing"
)

func TestFigures(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Time(12.34), "12.3 ns"}, {Time(999_500), "1000 µs"}, {Time(1.5e6), "1.50 ms"}, {Time(4321), "4.32 µs"},
		{Ratio(1. / 120), "1/120"}, {Ratio(1.249), "1.25"}, {Ratio(0), "0.00"},
		{Digits(123.4), "123"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if m := Median([]float64{9, 1, 5}); m != 5 {
		t.Errorf("median of three: %v", m)
	}
	if m := Median([]float64{9, 1, 5, 7}); m != 6 {
		t.Errorf("median of four: %v", m)
	}
	if c := Conditions("x/y"); !strings.Contains(c, "with `go test ./x/y") {
		t.Error(c)
	}
}

func TestCPUGrowsWithWork(t *testing.T) {
	before := CPU()
	sum := 0
	for i := range 50_000_000 {
		sum += i & 7
	}
	if used := CPU() - before; used <= 0 {
		t.Errorf("%v for a sum of %d", used, sum)
	}
}
