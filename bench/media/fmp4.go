package media

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// maxBox bounds the boxes that are decoded.
const maxBox = 4 << 20

// Init is an initialisation section.
type Init struct{ Tracks []InitTrack }

// InitTrack is a track as moov declares it.
type InitTrack struct {
	ID, Timescale, DefaultDuration uint32
	Handler                        string // vide, soun, text …
}

// Track finds a track by its id, or nil.
func (i *Init) Track(id uint32) *InitTrack {
	for k := range i.Tracks {
		if i.Tracks[k].ID == id {
			return &i.Tracks[k]
		}
	}
	return nil
}

// Fragment is what one track has in a segment.
type Fragment struct {
	Track uint32
	// Start is the first decode time, Duration the sum of the samples', in the
	// track's timescale.
	Start, Duration uint64
	Samples         int
}

// TruncatedError says that a segment ends too soon.
type TruncatedError struct{ Said string }

func (e *TruncatedError) Error() string { return e.Said }

// box is one top-level box: its body may lie beyond what was kept.
type box struct {
	kind  string
	start int64
	size  int64
	data  []byte // the whole box, or nil
}

// boxes walks the top level of kept bytes of a resource of total bytes.
func boxes(kept []byte, total int64) ([]box, error) {
	var out []box
	for at := int64(0); at < total; {
		if at+8 > int64(len(kept)) {
			if int64(len(kept)) == total {
				return out, &TruncatedError{fmt.Sprintf("%d bytes are left after the last box: not a whole header", total-at)}
			}
			return out, nil // beyond what was kept
		}
		size := int64(binary.BigEndian.Uint32(kept[at:]))
		kind := string(kept[at+4 : at+8])
		header := int64(8)
		switch {
		case size == 1 && at+16 <= int64(len(kept)):
			n := binary.BigEndian.Uint64(kept[at+8:])
			if n > 1<<62 {
				return out, fmt.Errorf("box %q says it has %d bytes", kind, n)
			}
			size, header = int64(n), 16
		case size == 0:
			size = total - at
		}
		if size < header {
			return out, fmt.Errorf("box %q says it has %d bytes", kind, size)
		}
		if at+size > total {
			return out, &TruncatedError{fmt.Sprintf("box %s at %d has %d bytes, the resource ends after %d of them", kind, at, size, total-at)}
		}
		b := box{kind: kind, start: at, size: size}
		if at+size <= int64(len(kept)) {
			b.data = kept[at : at+size]
		}
		if len(out) < 10_000 {
			out = append(out, b)
		}
		at += size
	}
	return out, nil
}

func decode(b box) (out mp4.Box, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot read box %s: %v", b.kind, r)
		}
	}()
	if b.data == nil || b.size > maxBox {
		return nil, fmt.Errorf("box %s of %d bytes is too large to read", b.kind, b.size)
	}
	return mp4.DecodeBoxSR(uint64(b.start), bits.NewFixedSliceReader(b.data))
}

// ParseInit reads an initialisation section.
func ParseInit(b []byte) (*Init, error) {
	list, err := boxes(b, int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.kind == "moof" || x.kind == "mdat" && x.size > 8 {
			return nil, fmt.Errorf("it holds a %s box: it is a media segment", x.kind)
		}
	}
	for _, x := range list {
		if x.kind != "moov" {
			continue
		}
		decoded, err := decode(x)
		if err != nil {
			return nil, err
		}
		return tracks(decoded.(*mp4.MoovBox))
	}
	return nil, errors.New("it has no moov box")
}

func tracks(moov *mp4.MoovBox) (init *Init, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot read moov: %v", r)
		}
	}()
	init = &Init{}
	for _, trak := range moov.Traks {
		if trak.Tkhd == nil || trak.Mdia == nil || trak.Mdia.Mdhd == nil {
			return nil, errors.New("a track without tkhd or mdhd")
		}
		t := InitTrack{ID: trak.Tkhd.TrackID, Timescale: trak.Mdia.Mdhd.Timescale}
		if trak.Mdia.Hdlr != nil {
			t.Handler = trak.Mdia.Hdlr.HandlerType
		}
		if moov.Mvex != nil {
			if trex, ok := moov.Mvex.GetTrex(t.ID); ok {
				t.DefaultDuration = trex.DefaultSampleDuration
			}
		}
		if t.Timescale == 0 {
			return nil, fmt.Errorf("track %d has timescale 0", t.ID)
		}
		init.Tracks = append(init.Tracks, t)
	}
	if len(init.Tracks) == 0 {
		return nil, errors.New("it has no track")
	}
	return init, nil
}

// ParseSegment reads a segment of total bytes of which kept are here. whole
// tells that no fragment lies beyond them. With a nil init samples that rely
// on defaults of moov count as lasting nothing.
func ParseSegment(kept []byte, total int64, init *Init) (list []Fragment, whole bool, err error) {
	found, err := boxes(kept, total)
	if err != nil {
		return nil, false, err
	}
	var end int64
	moofs := 0
	for _, b := range found {
		end = b.start + b.size
		if b.kind != "moof" {
			continue
		}
		moofs++
		decoded, err := decode(b)
		if err != nil {
			return nil, false, err
		}
		if list, err = fragments(list, decoded.(*mp4.MoofBox), init); err != nil {
			return nil, false, err
		}
	}
	if moofs == 0 && end >= total {
		return nil, false, errors.New("it has no moof box")
	}
	return list, end >= total, nil
}

func fragments(list []Fragment, moof *mp4.MoofBox, init *Init) (out []Fragment, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot read moof: %v", r)
		}
	}()
	for _, traf := range moof.Trafs {
		if traf.Tfhd == nil || traf.Tfdt == nil {
			return nil, errors.New("a traf without tfhd or tfdt")
		}
		f := Fragment{Track: traf.Tfhd.TrackID, Start: traf.Tfdt.BaseMediaDecodeTime()}
		length := uint32(0)
		if init != nil {
			if t := init.Track(f.Track); t != nil {
				length = t.DefaultDuration
			}
		}
		if traf.Tfhd.HasDefaultSampleDuration() {
			length = traf.Tfhd.DefaultSampleDuration
		}
		for _, trun := range traf.Truns {
			f.Duration += trun.Duration(length)
			f.Samples += int(trun.SampleCount())
		}
		joined := false
		for i := range list {
			if list[i].Track == f.Track {
				list[i].Duration += f.Duration
				list[i].Samples += f.Samples
				joined = true
			}
		}
		if !joined {
			list = append(list, f)
		}
	}
	return list, nil
}
