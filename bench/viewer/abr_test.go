package viewer

import (
	"testing"
	"time"
)

func TestABR(t *testing.T) {
	rates := []float64{400e3, 1e6, 3e6, 6e6}
	for _, c := range []struct {
		abr        string
		current    int
		buffer     time.Duration
		throughput float64
		want       int
	}{
		{"lowest", 2, 30 * time.Second, 1e9, 0}, {"highest", 0, 0, 1, 3}, {"fixed:2000000", 0, 0, 1, 1}, {"fixed:1", 3, 0, 1, 0},
		{"throughput", -1, 0, 500e3, 0}, {"throughput", -1, 0, 20e6, 3},
		{"throughput", 0, 20 * time.Second, 1.3e6, 0}, // a third more than the next is not enough to go up
		{"throughput", 0, 20 * time.Second, 1.5e6, 1},
		{"throughput", 1, 20 * time.Second, 1.1e6, 1}, // but to stay
		{"throughput", 2, 20 * time.Second, 1.1e6, 1},
		{"throughput", 3, 500 * time.Millisecond, 100e3, 0},
		{"bola", -1, 0, 20e6, 3}, {"bola", 1, 5 * time.Second, 500e3, 0},
		{"bola", 0, 29 * time.Second, 20e6, 3}, {"bola", 2, 11 * time.Second, 20e6, 1}, {"bola", 2, 16 * time.Second, 20e6, 2},
		{"bola", 0, 29 * time.Second, 1.2e6, 1}, // no higher than the network carries
	} {
		a, err := NewABR(c.abr)
		if err != nil {
			t.Fatal(err)
		}
		s := Situation{Peaks: rates, Averages: make([]float64, 4), Loaded: func(int) bool { return true }, Current: c.current, First: 1, Buffer: c.buffer,
			Each: 2 * time.Second, Goal: 30 * time.Second, Throughput: c.throughput, FirstByte: 50 * time.Millisecond}
		if got := a.Choose(&s); got != c.want {
			t.Errorf("%s at %d with %s and %.1f Mbit/s: %d, want %d", c.abr, c.current, c.buffer, c.throughput/1e6, got, c.want)
		}
	}
	for _, name := range []string{"", "best", "fixed:", "fixed:-1", "fixed:x"} {
		if _, err := NewABR(name); err == nil {
			t.Errorf("%q is a rate adaptation", name)
		}
	}
	for _, p := range Profiles {
		if _, err := NewABR(p.ABR); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestEstimate(t *testing.T) {
	e := newEstimate(500_000)
	if e.known() || e.throughput() != 500_000 {
		t.Errorf("before any sample: %v", e.throughput())
	}
	for range 10 {
		e.sample(250_000, time.Second)
	}
	if got := e.throughput(); got < 1.99e6 || got > 2.01e6 {
		t.Errorf("2 Mbit/s are taken for %.0f", got)
	}
	e.sample(25_000, time.Second)
	e.sample(25_000, time.Second)
	if got := e.throughput(); got > 1.5e6 {
		t.Errorf("slower for two seconds: still %.0f", got)
	}
}

func TestLink(t *testing.T) {
	l := Link{Trace: Trace{{time.Second, 8000}, {time.Second, 0}}, Trip: 100 * time.Millisecond, Began: epoch}
	first, done := l.Send(epoch, 1400) // 900 bytes, a second of nothing, 500 bytes
	if first.Sub(epoch) != 100*time.Millisecond || done.Sub(epoch) != 2500*time.Millisecond {
		t.Errorf("from %s to %s", first.Sub(epoch), done.Sub(epoch))
	}
	for at, want := range map[time.Duration]int64{0: 0, 600 * time.Millisecond: 500, 1500 * time.Millisecond: 900, 2250 * time.Millisecond: 1150, time.Hour: 1400} {
		if got := l.Arrived(first, epoch.Add(at), 1400); got != want {
			t.Errorf("after %s %d bytes have come, want %d", at, got, want)
		}
	}
	if second, _ := l.Send(epoch, 1); second != done {
		t.Errorf("the next answer begins at %s", second.Sub(epoch))
	}
	l.Release(epoch.Add(time.Second))
	if second, _ := l.Send(epoch.Add(time.Second), 1); second.Sub(epoch) != 1100*time.Millisecond {
		t.Errorf("after one was broken off the next begins at %s", second.Sub(epoch))
	}
	if _, done := (&Link{}).Send(epoch, 1<<40); done != epoch {
		t.Error("a network without a trace has no end to its speed")
	}
	dead := Link{Trace: Trace{{time.Nanosecond, 0}}, Began: epoch}
	if _, done := dead.Send(epoch, 1); done.Before(epoch) {
		t.Error("a dead network went back in time")
	}
}
