package media

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
)

func initSection(t testing.TB) []byte {
	t.Helper()
	in := mp4.CreateEmptyInit()
	in.AddEmptyTrack(48000, "audio", "und")
	in.Moov.Mvex.Trex.DefaultSampleDuration = 1024
	var b bytes.Buffer
	if err := in.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func segment(t testing.TB, start uint64, samples int) []byte {
	t.Helper()
	seg := mp4.NewMediaSegment()
	frag, err := mp4.CreateFragment(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	seg.AddFragment(frag)
	for i := range samples {
		frag.AddFullSample(mp4.FullSample{Sample: mp4.Sample{Dur: 1024, Size: 4}, DecodeTime: start + uint64(i)*1024, Data: []byte("data")})
	}
	var b bytes.Buffer
	if err := seg.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFragments(t *testing.T) {
	in, err := ParseInit(initSection(t))
	if err != nil || len(in.Tracks) != 1 || in.Tracks[0].Timescale != 48000 || in.Track(1).DefaultDuration != 1024 || in.Track(2) != nil {
		t.Fatalf("%+v, %v", in, err)
	}
	// Two fragments, as low-latency segments have many.
	b := append(segment(t, 4096, 3), segment(t, 4096+3*1024, 2)...)
	list, whole, err := ParseSegment(b, int64(len(b)), in)
	if err != nil || !whole || len(list) != 1 || list[0] != (Fragment{Track: 1, Start: 4096, Duration: 5 * 1024, Samples: 5}) {
		t.Errorf("%+v, %v, %v", list, whole, err)
	}
	if _, whole, err := ParseSegment(b[:len(segment(t, 0, 3))-2], int64(len(b)), in); err != nil || whole {
		t.Errorf("kept in part: whole %v, %v", whole, err)
	}
	var short *TruncatedError
	for _, n := range []int{len(b) - 1, len(b) - 10, 4} {
		if _, _, err := ParseSegment(b[:n], int64(n), in); !errors.As(err, &short) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, _, err := ParseSegment(initSection(t), int64(len(initSection(t))), in); err == nil {
		t.Error("an initialisation passed as a segment")
	}
	if _, err := ParseInit(b); err == nil {
		t.Error("a segment passed as an initialisation")
	}
}

func TestSniff(t *testing.T) {
	ts := bytes.Repeat(append([]byte{0x47, 0x40, 0, 0x10}, make([]byte, 184)...), 2)
	for want, b := range map[Format][]byte{
		FMP4: segment(t, 0, 1), TS: ts, WebVTT: []byte("WEBVTT\n"), Packed: []byte("ID3\x04"), HTML: []byte(" <!DOCTYPE html>"),
		Text: []byte("not found"), None: nil, Noise: {0, 1, 2, 0xff, 0xfe}, Image: []byte("\x89PNG"), TTML: []byte(`<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml">`),
	} {
		if got := Sniff(b); got != want {
			t.Errorf("%.20q: %s, want %s", b, got, want)
		}
	}
	if HTML.Media() || !TS.Media() {
		t.Error("what is media")
	}
}

func TestTS(t *testing.T) {
	p := make([]byte, 188)
	copy(p, []byte{0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 0x05, 0xbf, 0x21})
	if err := CheckTS(p, 188); err != nil {
		t.Error(err)
	}
	if got := FirstPTS(p); len(got) != 1 || got[0x100] != 90000 {
		t.Errorf("times %v", got)
	}
	var short *TruncatedError
	if err := CheckTS(p[:100], 100); !errors.As(err, &short) {
		t.Errorf("%v", err)
	}
	if err := CheckTS(make([]byte, 188), 188); err == nil {
		t.Error("no sync byte passed")
	}
}

func TestAES(t *testing.T) {
	key, iv := []byte("0123456789abcdef"), IV("", 7)
	plain := []byte("WEBVTT and some more of it")
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{6}, 6)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	closed := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(closed, padded)
	if got, err := Decrypt(closed, true, key, iv); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Decrypt(closed[:20], false, key, iv); err != nil || !bytes.Equal(got, plain[:16]) {
		t.Errorf("in part: %q, %v", got, err)
	}
	var short *TruncatedError
	if _, err := Decrypt(closed[:20], true, key, iv); !errors.As(err, &short) {
		t.Errorf("%v", err)
	}
	if _, err := Decrypt(closed, true, []byte("fedcba9876543210"), iv); err == nil {
		t.Error("a wrong key passed")
	}
	if iv := IV("0x0102", 0); binary.BigEndian.Uint16(iv[14:]) != 0x0102 {
		t.Errorf("IV %x", iv)
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(segment(f, 1, 2))
	f.Add(initSection(f))
	f.Add([]byte("\x00\x00\x00\x00moof"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		in, _ := ParseInit(b)
		_, _, _ = ParseSegment(b, int64(len(b)), in)
		_, _, _ = ParseSegment(b, int64(len(b))+100, in)
		_ = CheckTS(b, int64(len(b)))
		FirstPTS(b)
	})
}
