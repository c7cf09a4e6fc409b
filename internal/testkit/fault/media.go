package fault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"strings"

	"github.com/Eyevinn/mp4ff/mp4"
)

// key opens the encrypted content.
var key = []byte("sixteen octets ..")[:16]

// initOf is an initialisation section: content has track 1, advertisements
// track 2, so that a segment in the wrong place shows.
func initOf(rendition string, ad bool) ([]byte, error) {
	kind := "video"
	if rendition[0] == 'a' {
		kind = "audio"
	}
	in := mp4.CreateEmptyInit()
	trak := in.AddEmptyTrack(timescale, kind, "und")
	if ad {
		trak.Tkhd.TrackID, in.Moov.Mvex.Trex.TrackID = 2, 2
	}
	var b bytes.Buffer
	err := in.Encode(&b)
	return b.Bytes(), err
}

// segmentOf is segment n, or its part k where that is not negative: 25 samples
// a second.
func segmentOf(n, k int) ([]byte, error) {
	track, start := uint32(1), uint64(n)*2*timescale
	if isAd(n) {
		track, start = 2, uint64(n%cycle-content)*2*timescale
	}
	samples := 50
	if k >= 0 {
		// Half a second is twelve and a half pictures: they take turns.
		samples = 12 + k%2
		for i := range k {
			start += uint64(12+i%2) * 3600
		}
	}
	seg := mp4.NewMediaSegment()
	frag, err := mp4.CreateFragment(uint32(n+1), track)
	if err != nil {
		return nil, err
	}
	seg.AddFragment(frag)
	for i := range samples {
		frag.AddFullSample(mp4.FullSample{Sample: mp4.Sample{Flags: mp4.SyncSampleFlags, Dur: 3600, Size: 20},
			DecodeTime: start + uint64(i)*3600, Data: bytes.Repeat([]byte{byte(n)}, 20)})
	}
	var b bytes.Buffer
	err = seg.Encode(&b)
	return b.Bytes(), err
}

// encrypt closes bytes with AES-128 as RFC 8216, section 4.3.2.4 wants it.
func encrypt(b []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(b)%aes.BlockSize
	b = append(b, bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := make([]byte, aes.BlockSize)
	iv[15] = 7
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(b, b)
	return b, nil
}

// media finds the bytes of a path below /media/; n is the segment's number, or
// -1.
func (s *Stream) media(file string, hls bool) (b []byte, n int, err error) {
	rendition, name, _ := strings.Cut(file, "/")
	n = -1
	switch {
	case file == "key":
		return key, n, nil
	case rendition == "" || name == "":
		return nil, n, fmt.Errorf("no such file")
	case name == "init.mp4", name == "ad.init.mp4":
		b, err = initOf(rendition, name == "ad.init.mp4")
		return b, n, err
	}
	k := -1
	if _, err := fmt.Sscanf(name, "%d.%d.m4s", &n, &k); err != nil {
		k = -1
		if _, err := fmt.Sscanf(name, "%d.m4s", &n); err != nil {
			return nil, -1, fmt.Errorf("no such file")
		}
	}
	b, err = segmentOf(n, k)
	if err == nil && s.cfg.Encrypted && hls && !isAd(n) {
		b, err = encrypt(b)
	}
	return b, n, err
}
