package pack

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/aac"
	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/mp4"
)

// format is what a manifest says of a track's samples.
type format struct {
	timescale uint32
	codecs    string // RFC 6381
	width     int    // video
	height    int
	rate      int // audio: samples a second
	channels  int
}

// formatOf reads the format of a track from its moov.
func formatOf(moov *mp4.MoovBox, kind Kind) (f format, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed sample description: %v", r)
		}
	}()
	if moov == nil || len(moov.Traks) != 1 || moov.Mvex == nil || moov.Mvex.Trex == nil {
		return f, errors.New("not a fragmented file of one track")
	}
	f.timescale = moov.Trak.Mdia.Mdhd.Timescale
	if f.timescale == 0 || f.timescale > 1_000_000_000 {
		return f, fmt.Errorf("timescale %d", f.timescale)
	}
	stsd := moov.Trak.Mdia.Minf.Stbl.Stsd
	switch kind {
	case Video:
		err = f.avc(stsd)
	default:
		err = f.aac(stsd)
	}
	return f, err
}

func (f *format) avc(stsd *mp4.StsdBox) error {
	if stsd.AvcX == nil || stsd.AvcX.Type() != "avc1" || len(stsd.AvcX.AvcC.SPSnalus) == 0 {
		return fmt.Errorf("video is %s, not H.264 with its parameter sets in the header (avc1)", entries(stsd))
	}
	sps, err := avc.ParseSPSNALUnit(stsd.AvcX.AvcC.SPSnalus[0], false)
	if err != nil {
		return fmt.Errorf("H.264 parameter set: %w", noEOF(err))
	}
	f.codecs = avc.CodecString("avc1", sps)
	f.width, f.height = int(stsd.AvcX.Width), int(stsd.AvcX.Height)
	return nil
}

func (f *format) aac(stsd *mp4.StsdBox) error {
	if stsd.Mp4a == nil || stsd.Mp4a.Esds == nil {
		return fmt.Errorf("audio is %s, not AAC (mp4a)", entries(stsd))
	}
	config := stsd.Mp4a.Esds.DecConfigDescriptor.DecSpecificInfo.DecConfig
	asc, err := aac.DecodeAudioSpecificConfig(bytes.NewReader(config))
	if err != nil {
		return fmt.Errorf("AAC configuration: %w", noEOF(err))
	}
	f.codecs = fmt.Sprintf("mp4a.40.%d", asc.ObjectType)
	f.rate, f.channels = asc.SamplingFrequency, int(asc.ChannelConfiguration)
	return nil
}

func entries(stsd *mp4.StsdBox) string {
	if len(stsd.Children) == 0 {
		return "nothing"
	}
	return stsd.Children[0].Type()
}
