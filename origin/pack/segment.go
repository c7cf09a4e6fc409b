package pack

import (
	"fmt"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// segment is what is kept of a finished segment: its times in ticks of the
// track's timescale from the beginning of the run, and its size in bytes.
type segment struct {
	start, duration uint64
	size            int
}

func (s segment) end() uint64 { return s.start + s.duration }

// encodeSegment writes samples as one CMAF segment of one fragment.
func encodeSegment(number int64, trackID uint32, samples []mp4.FullSample) ([]byte, error) {
	frag, err := mp4.CreateFragment(uint32(number), trackID)
	if err != nil {
		return nil, fmt.Errorf("cannot make segment %d: %w", number, err)
	}
	for _, s := range samples {
		frag.AddFullSample(s)
	}
	seg := mp4.NewMediaSegment()
	seg.EncOptimize = mp4.OptimizeTrun
	seg.AddFragment(frag)
	sw := bits.NewFixedSliceWriter(int(seg.Size())) // an upper bound: optimising makes it smaller
	if err := seg.EncodeSW(sw); err != nil {
		return nil, fmt.Errorf("cannot make segment %d: %w", number, err)
	}
	return sw.Bytes(), nil
}

// cutter sorts the samples of one track into the intervals of the grid.
type cutter struct {
	cfg       *Config
	kind      Kind
	timescale uint32
	index     int64  // the interval being filled
	next      uint64 // where the next sample must begin
	samples   []mp4.FullSample
	bytes     int
}

// maxSegment bounds the bytes of one segment.
const maxSegment = 256 << 20

// add takes the next sample. Where it begins a new interval the samples of
// the one before are returned.
func (c *cutter) add(s mp4.FullSample) (done []mp4.FullSample, err error) {
	if s.Dur == 0 {
		return nil, fmt.Errorf("the sample at %d has no duration", s.DecodeTime)
	}
	first := len(c.samples) == 0
	if first && c.index == 0 {
		if s.DecodeTime >= c.cfg.boundary(1, c.timescale) {
			return nil, fmt.Errorf("the track begins at %d/%d s, not at 0", s.DecodeTime, c.timescale)
		}
	} else if s.DecodeTime != c.next {
		return nil, fmt.Errorf("the track's time jumps from %d to %d (of %d a second)", c.next, s.DecodeTime, c.timescale)
	}
	if s.DecodeTime >= c.cfg.boundary(c.index+1, c.timescale) {
		if s.DecodeTime >= c.cfg.boundary(c.index+2, c.timescale) {
			return nil, fmt.Errorf("the segment at %d/%d s has no sample", s.DecodeTime, c.timescale)
		}
		done = c.take()
		first = true
	}
	if first && c.kind == Video && !isSync(s) {
		return nil, fmt.Errorf("the segment at %d/%d s does not begin with a key frame", s.DecodeTime, c.timescale)
	}
	if c.bytes += len(s.Data); c.bytes > maxSegment {
		return nil, fmt.Errorf("the segment at %d/%d s is larger than %d bytes", s.DecodeTime, c.timescale, maxSegment)
	}
	c.next = s.DecodeTime + uint64(s.Dur)
	c.samples = append(c.samples, s)
	return done, nil
}

// take ends the interval being filled and gives its samples.
func (c *cutter) take() []mp4.FullSample {
	done := c.samples
	c.samples, c.bytes = nil, 0
	c.index++
	return done
}

// isSync tells whether decoding can begin at s (sample_is_non_sync_sample of
// ISO/IEC 14496-12, section 8.8.3.1).
func isSync(s mp4.FullSample) bool { return !mp4.DecodeSampleFlags(s.Flags).SampleIsNonSync }
