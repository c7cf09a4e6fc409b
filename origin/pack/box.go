package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Bounds of the top-level boxes that are read (ISO/IEC 14496-12).
const (
	maxHeaderBox = 1 << 20  // ftyp, moov, moof
	maxMdat      = 64 << 20 // one fragment's samples
	maxOther     = 1 << 20  // what is skipped: free, styp, sidx, prft, emsg, mfra
)

// boxReader reads a stream of top-level boxes.
type boxReader struct {
	r      *bufio.Reader
	offset int64
}

func newBoxReader(r io.Reader) *boxReader { return &boxReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next reads the next box whole, with its header, skipping those that are
// not of the wanted types. io.EOF only at a box's beginning.
func (b *boxReader) next(wanted ...string) (typ string, box []byte, err error) {
	for {
		header, err := b.r.Peek(8)
		if err == io.EOF && len(header) == 0 {
			return "", nil, io.EOF
		}
		if err != nil {
			return "", nil, fmt.Errorf("cannot read box at byte %d: %w", b.offset, noEOF(err))
		}
		size := uint64(binary.BigEndian.Uint32(header))
		typ := string(header[4:8])
		if size == 1 {
			if header, err = b.r.Peek(16); err != nil {
				return "", nil, fmt.Errorf("cannot read box %q at byte %d: %w", typ, b.offset, noEOF(err))
			}
			size = binary.BigEndian.Uint64(header[8:])
		}
		keep := false
		for _, w := range wanted {
			keep = keep || w == typ
		}
		limit := uint64(maxOther)
		switch {
		case typ == "mdat":
			limit = maxMdat
		case keep:
			limit = maxHeaderBox
		}
		if size < uint64(len(header)) || size > limit {
			return "", nil, fmt.Errorf("cannot read box %q at byte %d: its size %d is not between %d and %d", typ, b.offset, size, len(header), limit)
		}
		if !keep {
			if _, err := b.r.Discard(int(size)); err != nil {
				return "", nil, fmt.Errorf("cannot read box %q at byte %d: %w", typ, b.offset, noEOF(err))
			}
			b.offset += int64(size)
			continue
		}
		// Room is made as bytes come, not as the header says.
		var content bytes.Buffer
		content.Grow(int(min(size, 64<<10)))
		if _, err := io.CopyN(&content, b.r, int64(size)); err != nil {
			return "", nil, fmt.Errorf("cannot read box %q at byte %d: %w", typ, b.offset, noEOF(err))
		}
		b.offset += int64(size)
		return typ, content.Bytes(), nil
	}
}

// noEOF makes an end where something must be an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// init reads the beginning of a track: ftyp and moov. raw is both as they came.
func (b *boxReader) init() (raw []byte, moov *mp4.MoovBox, err error) {
	for _, want := range []string{"ftyp", "moov"} {
		typ, box, err := b.next("ftyp", "moov", "moof", "mdat")
		if err != nil {
			return nil, nil, fmt.Errorf("cannot read header of track: %w", noEOF(err))
		}
		if typ != want {
			return nil, nil, fmt.Errorf("cannot read header of track: box %q where %q must be", typ, want)
		}
		raw = append(raw, box...)
		if want == "moov" {
			parsed, err := decode(box)
			if err != nil {
				return nil, nil, fmt.Errorf("cannot read header of track: %w", noEOF(err))
			}
			moov, _ = parsed.(*mp4.MoovBox)
		}
	}
	return raw, moov, nil
}

// fragment reads the samples of the next movie fragment. io.EOF at the end.
func (b *boxReader) fragment(trex *mp4.TrexBox) ([]mp4.FullSample, error) {
	at := b.offset
	typ, moof, err := b.next("moof", "mdat")
	if err != nil {
		return nil, err
	}
	if typ != "moof" {
		return nil, fmt.Errorf("cannot read fragment at byte %d: %q where moof must be", at, typ)
	}
	typ, mdat, err := b.next("moof", "mdat")
	if err == nil && typ != "mdat" {
		err = fmt.Errorf("%q where mdat must be", typ)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read fragment at byte %d: %w", at, noEOF(err))
	}
	samples, err := samplesOf(moof, mdat, trex)
	if err != nil {
		return nil, fmt.Errorf("cannot read fragment at byte %d: %w", at, noEOF(err))
	}
	return samples, nil
}

// decode parses one box. mp4ff indexes into what it read without looking in
// places, hence the recover.
func decode(box []byte) (parsed mp4.Box, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed box: %v", r)
		}
	}()
	return mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(box))
}

// maxSamples bounds the samples of one track run; a run without fields of its
// own costs no bytes for a sample, so that the box's size bounds nothing.
const maxSamples = 100_000

// checkRuns looks at the track runs in the inside of a moof or traf.
func checkRuns(boxes []byte, depth int) error {
	for len(boxes) >= 8 {
		size := uint64(binary.BigEndian.Uint32(boxes))
		if size < 8 || size > uint64(len(boxes)) {
			return fmt.Errorf("box %q of %d bytes in %d bytes", boxes[4:8], size, len(boxes))
		}
		inside := boxes[8:size]
		switch string(boxes[4:8]) {
		case "traf":
			if depth == 0 {
				if err := checkRuns(inside, 1); err != nil {
					return err
				}
			}
		case "trun":
			if len(inside) < 8 || binary.BigEndian.Uint32(inside[4:]) > maxSamples {
				return fmt.Errorf("a track run has more than %d samples", maxSamples)
			}
		}
		boxes = boxes[size:]
	}
	return nil
}

func samplesOf(moof, mdat []byte, trex *mp4.TrexBox) (samples []mp4.FullSample, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed fragment: %v", r)
		}
	}()
	if err := checkRuns(moof[8:], 0); err != nil {
		return nil, err
	}
	file, err := mp4.DecodeFileSR(bits.NewFixedSliceReader(append(moof, mdat...)))
	if err != nil {
		return nil, err
	}
	if len(file.Segments) != 1 || len(file.Segments[0].Fragments) != 1 {
		return nil, fmt.Errorf("not one fragment")
	}
	f := file.Segments[0].Fragments[0]
	if len(f.Moof.Trafs) != 1 || f.Moof.Traf.Tfhd == nil || f.Moof.Traf.Tfdt == nil {
		return nil, fmt.Errorf("not one track with a decode time")
	}
	samples, err = f.GetFullSamples(trex)
	if err == nil && len(samples) == 0 {
		err = fmt.Errorf("no samples of track %d", trex.TrackID)
	}
	return samples, err
}
