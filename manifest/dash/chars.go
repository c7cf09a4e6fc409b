package dash

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Classes of bytes in XML 1.0 (section 2.3). Characters beyond ASCII are
// taken as name characters without asking further: the exact ranges decide
// nothing here.
const (
	classNameStart = 1 << iota
	className
	classSpace
)

var class = func() (t [256]uint8) {
	for c := 0; c < 256; c++ {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == ':', c >= 0x80:
			t[c] = classNameStart | className
		case '0' <= c && c <= '9', c == '-', c == '.':
			t[c] = className
		case c == ' ', c == '\t', c == '\n', c == '\r':
			t[c] = classSpace
		}
	}
	return t
}()

func isSpace(c byte) bool { return class[c]&classSpace != 0 }

// checkBytes refuses what is not UTF-8 or not an XML character anywhere in
// the source, so that the scanner need not look again.
func checkBytes(src []byte) *fault {
	if len(src) >= 2 {
		b0, b1 := src[0], src[1]
		if b0 == 0xfe && b1 == 0xff || b0 == 0xff && b1 == 0xfe || b0 == 0 && b1 == '<' || b0 == '<' && b1 == 0 {
			return &fault{0, "the MPD is in UTF-16 or UTF-32; publish it in UTF-8"}
		}
	}
	if !utf8.Valid(src) {
		at := 0
		for at < len(src) {
			r, n := utf8.DecodeRune(src[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		return &fault{at, "invalid UTF-8"}
	}
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(src); i += 8 {
		v := binary.LittleEndian.Uint64(src[i:])
		if (v-ones*0x20)&^v&highs == 0 {
			continue
		}
		if f := checkControls(src, i, i+8); f != nil {
			return f
		}
	}
	if f := checkControls(src, i, len(src)); f != nil {
		return f
	}
	// U+FFFE and U+FFFF are EF BF BE and EF BF BF.
	for i := 0; ; {
		j := bytes.Index(src[i:], []byte{0xef, 0xbf})
		if j < 0 {
			return nil
		}
		if i += j; src[i+2] >= 0xbe {
			return &fault{i, "a character that XML does not allow (U+FFFE or U+FFFF)"}
		}
		i += 3
	}
}

func checkControls(src []byte, from, to int) *fault {
	for i := from; i < to; i++ {
		if c := src[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return &fault{i, "a control character that XML does not allow"}
		}
	}
	return nil
}

// asciiSupersets are the encodings whose documents may be read as UTF-8 as
// long as they keep to ASCII.
var asciiSupersets = []string{"us-ascii", "ascii", "iso-8859-", "windows-125", "latin1"}

// checkEncoding compares the encoding that the XML declaration names with
// what the bytes are.
func checkEncoding(name string, src []byte) string {
	name = strings.ToLower(name)
	if name == "utf-8" || name == "utf8" {
		return ""
	}
	for _, known := range asciiSupersets {
		if strings.HasPrefix(name, known) {
			for _, c := range src {
				if c >= 0x80 {
					return "the MPD is in " + short(name) + "; publish it in UTF-8"
				}
			}
			return ""
		}
	}
	return "unknown encoding " + short(name) + "; publish the MPD in UTF-8"
}
