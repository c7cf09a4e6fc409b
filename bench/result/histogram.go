package result

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram holds durations from 1 µs to 10 minutes, with three digits. The
// zero Histogram is empty and ready.
type Histogram struct{ h *hdrhistogram.Histogram }

const longest = int64(10 * time.Minute / time.Microsecond)

func (h *Histogram) open() *hdrhistogram.Histogram {
	if h.h == nil {
		h.h = hdrhistogram.New(1, longest, 3)
	}
	return h.h
}

func micros(d time.Duration) int64 {
	return min(max(d.Microseconds(), 1), longest)
}

// Add records a duration.
func (h *Histogram) Add(d time.Duration) { _ = h.open().RecordValue(micros(d)) } // in range, so without error

// AddEvery records one of what is done every so often: where it took longer
// than that, also those that could not be begun meanwhile (coordinated
// omission).
func (h *Histogram) AddEvery(d, every time.Duration) {
	if every < time.Millisecond {
		h.Add(d)
		return
	}
	_ = h.open().RecordCorrectedValue(micros(d), micros(every))
}

// Merge adds all of another.
func (h *Histogram) Merge(other *Histogram) {
	if other.h != nil {
		h.open().Merge(other.h)
	}
}

// Count is how many were recorded.
func (h *Histogram) Count() int64 {
	if h.h == nil {
		return 0
	}
	return h.h.TotalCount()
}

// At is the value that a share of 0 to 1 does not exceed.
func (h *Histogram) At(share float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.ValueAtQuantile(share*100)) * time.Microsecond
}

// Mean is the mean, Max the largest.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Mean() * float64(time.Microsecond))
}

// Max is the largest value.
func (h *Histogram) Max() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Max()) * time.Microsecond
}

// Reset empties it.
func (h *Histogram) Reset() {
	if h.h != nil {
		h.h.Reset()
	}
}

// Clone is a copy of its own.
func (h *Histogram) Clone() Histogram {
	var c Histogram
	c.Merge(h)
	return c
}

type jsonHistogram struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99.9_ms"`
	Max   float64 `json:"max_ms"`
	// HDR is the whole of it, as HdrHistogram's compressed form V2 in base64.
	HDR string `json:"hdr,omitempty"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// MarshalJSON writes the usual figures, and all of it for machines.
func (h Histogram) MarshalJSON() ([]byte, error) {
	j := jsonHistogram{Count: h.Count(), Mean: ms(h.Mean()), P50: ms(h.At(.5)), P90: ms(h.At(.9)), P95: ms(h.At(.95)), P99: ms(h.At(.99)), P999: ms(h.At(.999)), Max: ms(h.Max())}
	if j.Count > 0 {
		// The library's Encode is base64 of the compressed form already.
		raw, err := h.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("cannot write a histogram: %w", err)
		}
		j.HDR = string(raw)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads it.
func (h *Histogram) UnmarshalJSON(raw []byte) error {
	var j jsonHistogram
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	h.h = nil
	if j.HDR == "" {
		return nil
	}
	const largest = 256 << 10
	if len(j.HDR) > largest {
		return fmt.Errorf("cannot read a histogram: it has %d bytes, more than %d", len(j.HDR), largest)
	}
	if _, err := base64.StdEncoding.DecodeString(j.HDR); err != nil {
		return fmt.Errorf("cannot read a histogram: %w", err)
	}
	d, err := hdrhistogram.Decode([]byte(j.HDR))
	if err != nil {
		return fmt.Errorf("cannot read a histogram: %w", err)
	}
	if d.TotalCount() > 0 && (d.HighestTrackableValue() != longest || d.SignificantFigures() != 3) {
		return fmt.Errorf("cannot read a histogram: it is not one of ours")
	}
	h.open().Merge(d)
	return nil
}
