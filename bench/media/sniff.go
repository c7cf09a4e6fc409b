package media

import (
	"bytes"
	"unicode/utf8"
)

// Format is what kind of media bytes are.
type Format string

// The formats that segments come in.
const (
	FMP4   Format = "fMP4"
	TS     Format = "MPEG-TS"
	WebVTT Format = "WebVTT"
	TTML   Format = "TTML"
	Packed Format = "packed audio"
	HTML   Format = "an HTML page"
	Text   Format = "text"
	Image  Format = "an image"
	None   Format = "nothing"
	Noise  Format = "bytes of no known format"
)

// Media tells whether a format is one that a segment may have.
func (f Format) Media() bool {
	switch f {
	case FMP4, TS, WebVTT, TTML, Packed, Image:
		return true
	}
	return false
}

// Sniff tells the format by the first bytes.
func Sniff(b []byte) Format {
	switch {
	case len(b) == 0:
		return None
	case len(b) >= 8 && boxName(b[4:8]):
		return FMP4
	case b[0] == 0x47 && (len(b) < 189 || b[188] == 0x47):
		return TS
	case bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), []byte("WEBVTT")):
		return WebVTT
	case bytes.HasPrefix(b, []byte("ID3")), b[0] == 0xff && len(b) > 1 && b[1]&0xf0 == 0xf0 || len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0, len(b) > 1 && b[0] == 0x0b && b[1] == 0x77:
		return Packed
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")), bytes.HasPrefix(b, []byte("\x89PNG")), bytes.HasPrefix(b, []byte("RIFF")):
		return Image
	}
	head := bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 1024)], " \t\r\n"))
	switch {
	case bytes.Contains(head, []byte("<tt ")) || bytes.Contains(head, []byte("<tt:tt")) || bytes.Contains(head, []byte("http://www.w3.org/ns/ttml")):
		return TTML
	case bytes.HasPrefix(head, []byte("<!doctype html")), bytes.HasPrefix(head, []byte("<html")):
		return HTML
	case utf8.Valid(b[:min(len(b), 256)]):
		return Text
	}
	return Noise
}

// boxName tells whether a segment or initialisation section may begin with
// this box.
func boxName(b []byte) bool {
	switch string(b) {
	case "ftyp", "styp", "moof", "moov", "sidx", "emsg", "prft", "free", "skip", "mdat":
		return true
	}
	return false
}
