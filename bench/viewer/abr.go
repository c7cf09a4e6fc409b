package viewer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Situation is what rate adaptation decides from.
type Situation struct {
	// Rates are the qualities in bits/s, ascending: at their peaks, and on
	// average. Loaded tells whose playlists need not be fetched first.
	Peaks, Averages []float64
	Loaded          func(i int) bool
	// Current is the quality taken last, -1 at the beginning; First is the one
	// that the manifest lists first.
	Current, First int
	Buffer, Each   time.Duration
	Goal           time.Duration
	Live           bool
	// Throughput is in bits/s, FirstByte how long an answer takes to begin, List
	// how long a playlist takes to come.
	Throughput      float64
	FirstByte, List time.Duration
}

// ABR chooses a quality.
type ABR interface {
	Choose(s *Situation) int
}

// NewABR gives an adaptation by its name: throughput, bola, lowest, highest, or
// fixed:BITS for the highest of at most so many bits/s.
func NewABR(name string) (ABR, error) {
	switch name {
	case "throughput":
		return throughput{}, nil
	case "bola":
		return bola{}, nil
	case "lowest":
		return fixed(0), nil
	case "highest":
		return fixed(math.Inf(1)), nil
	}
	if text, ok := strings.CutPrefix(name, "fixed:"); ok {
		if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 {
			return fixed(n), nil
		}
	}
	return nil, fmt.Errorf("%q is no rate adaptation: throughput, bola, lowest, highest or fixed:BITS", name)
}

// fixed takes the highest quality of at most so many bits/s.
type fixed float64

func (f fixed) Choose(s *Situation) int {
	best := 0
	for i, r := range s.Peaks {
		if r <= float64(f) {
			best = i
		}
	}
	return best
}

// careful is the share of the throughput that may be used going up.
const careful = 0.7

// throughput takes the highest quality that can be had in the time that the
// buffer leaves; upwards it is more careful than downwards. This is how hls.js
// does it, as far as it was observed.
type throughput struct{}

func (throughput) Choose(s *Situation) int {
	const (
		down, up = 0.95, careful
		starve   = 4 * time.Second
	)
	if s.Current < 0 {
		if best := s.best(s.Throughput, s.Buffer/2+starve, 1, 1, true); best >= 0 {
			return best
		}
		return s.First
	}
	if s.Buffer > 0 {
		if best := s.best(s.Throughput, s.Buffer, down, up, s.Buffer < 2*s.Each); best >= 0 {
			return best
		}
	}
	wait := starve
	if s.Each > 0 {
		wait = min(s.Each, starve)
	}
	if best := s.best(s.Throughput, s.Buffer+wait, down, up, true); best >= 0 {
		return best
	}
	return 0
}

// best is the highest quality that comes within a time, or -1.
func (s *Situation) best(bits float64, within time.Duration, down, up float64, peak bool) int {
	for i := len(s.Peaks) - 1; i >= 0; i-- {
		have := bits * down
		if i > s.Current {
			have = bits * up
		}
		rate := s.Peaks[i]
		if !peak && s.Averages[i] > 0 {
			rate = s.Averages[i]
		}
		if have < rate {
			continue
		}
		if s.Live || s.fetch(i, have, rate) < within {
			return i
		}
	}
	return -1
}

// fetch is how long a segment takes to come.
func (s *Situation) fetch(i int, have, rate float64) time.Duration {
	each := s.Each
	if each <= 0 {
		each = time.Second
	}
	d := s.FirstByte + time.Duration(rate*each.Seconds()/have*float64(time.Second))
	if s.Live || s.Loaded == nil || !s.Loaded(i) {
		d += s.FirstByte + s.List
	}
	return d
}

// bola is BOLA-BASIC (Spiteri, Urgaonkar, Sitaraman: BOLA: Near-Optimal Bitrate
// Adaptation for Online Videos, section 4), with throughput deciding while the
// buffer is short, as dash.js combines the two.
type bola struct{}

func (bola) Choose(s *Situation) int {
	const least = 10.0 // seconds of buffer below which throughput decides
	if s.Current < 0 || s.Buffer.Seconds() < min(least, s.Goal.Seconds()/2) {
		return throughput{}.Choose(s)
	}
	goal := max(s.Goal.Seconds(), 2*least)
	top := math.Log(s.Peaks[len(s.Peaks)-1]/s.Peaks[0]) + 1
	gp := (top - 1) / (goal/least - 1)
	vp := least / max(gp, 1e-9)
	if gp <= 0 { // one quality, or all of one rate
		return len(s.Peaks) - 1
	}
	best, most := 0, math.Inf(-1)
	for i, r := range s.Peaks {
		utility := math.Log(r/s.Peaks[0]) + 1
		if score := (vp*(utility+gp-1) - s.Buffer.Seconds()) / r; score >= most {
			best, most = i, score
		}
	}
	// Higher than the network carries is never begun, only kept.
	if best > s.Current {
		if carried := (fixed(s.Throughput)).Choose(s); best > carried {
			best = max(carried, s.Current)
		}
	}
	return best
}
