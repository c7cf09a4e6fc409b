package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	grafov "github.com/grafov/m3u8"
	"github.com/zencoder/go-dash/v3/mpd"
)

// Opinion is what another library makes of the same manifest, as far as it
// keeps what it reads. grafov/m3u8 knows no steering, variables, parts or date
// ranges, zencoder/go-dash no service locations and no events.
type Opinion struct {
	// Reader is the library: "grafov/m3u8" or "zencoder/go-dash".
	Reader string `json:"reader"`
	// Failed says why it could not read the manifest, or "".
	Failed string `json:"failed,omitempty"`
	// Reads is what it found; Differs is where that is not what we found.
	Reads   string   `json:"reads,omitempty"`
	Differs []string `json:"differs,omitempty"`
}

const (
	grafovName   = "grafov/m3u8"
	zencoderName = "zencoder/go-dash"
)

// maxPairs bounds the variants times the renditions of a playlist that is given
// to grafov/m3u8, which makes a list of each pair.
const maxPairs = 1 << 18

// recovered runs a library that may panic.
func recovered(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s panics: %v", what, r)
		}
	}()
	return f()
}

// grafovMedia reads a media playlist. The kind is told, not guessed:
// grafov/m3u8 takes the last tag's.
func grafovMedia(src []byte) (list *grafov.MediaPlaylist, err error) {
	err = recovered(grafovName, func() (err error) {
		if list, err = grafov.NewMediaPlaylist(0, 1024); err != nil {
			return err
		}
		return list.DecodeFrom(bytes.NewReader(src), false)
	})
	return list, err
}

// grafovMaster reads a multivariant playlist.
func grafovMaster(src []byte) (list *grafov.MasterPlaylist, err error) {
	if n := bytes.Count(src, []byte("-STREAM-INF")) * bytes.Count(src, []byte("#EXT-X-MEDIA:")); n > maxPairs {
		return nil, errors.New("too many variants and renditions for it")
	}
	err = recovered(grafovName, func() error {
		list = grafov.NewMasterPlaylist()
		return list.DecodeFrom(bytes.NewReader(src), false)
	})
	return list, err
}

// zencoderMPD reads an MPD.
func zencoderMPD(src []byte) (doc *mpd.MPD, err error) {
	err = recovered(zencoderName, func() (err error) {
		doc, err = mpd.Read(bytes.NewReader(bytes.TrimPrefix(src, []byte("\ufeff"))))
		return err
	})
	return doc, err
}

// near tells that two durations are the same but for the rounding of floats.
func near(a, b time.Duration) bool { return (a - b).Abs() <= time.Millisecond }

// differences collects where two readings differ.
type differences []string

func (d *differences) ints(what string, ours, theirs int) {
	if ours != theirs {
		*d = append(*d, fmt.Sprintf("%s: %d here, %d there", what, ours, theirs))
	}
}

func (d *differences) spans(what string, ours, theirs time.Duration) {
	if !near(ours, theirs) {
		*d = append(*d, fmt.Sprintf("%s: %s here, %s there", what, span(ours), span(theirs)))
	}
}
