package inspect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Media segments and the tags that apply to them: rfc8216bis, section 4.4.4.

// keyState is the encryption in force.
type keyState struct {
	mapAt int // the line of the first EXT-X-MAP
	iv    bool
	aes   bool // METHOD=AES-128 is in force
}

// segmentTag takes a tag that applies to the next segment, or from it on.
func (r *mediaReader) segmentTag(l *line, all []attribute) {
	s := &r.segment
	here := at{l.number, l.indent + 1, ""}
	switch l.tag {
	case "EXTINF":
		r.extinf(l)
	case "EXT-X-BYTERANGE":
		r.m.ByteRanges++
		s.ranged, s.open = true, !strings.Contains(l.value, "@")
	case "EXT-X-DISCONTINUITY":
		r.discos++
		s.disco = l.number
		r.parts.late(r, l)
	case "EXT-X-KEY":
		r.key(l, all)
		r.parts.late(r, l)
	case "EXT-X-MAP":
		r.m.Maps++
		if r.keyed.mapAt == 0 {
			r.keyed.mapAt = l.number
		}
		r.host(valueOf(all, "URI"))
		if v := valueOf(all, "BYTERANGE"); v != "" && !strings.Contains(v, "@") {
			r.add(here, hlsRule(Error, "4.4.4.5", "write <length>@<offset>"), "", "BYTERANGE of EXT-X-MAP has no offset")
		}
		if r.keyed.aes && !r.keyed.iv {
			r.add(here, hlsRule(Error, "4.4.4.5", "add IV to the EXT-X-KEY before it"), "", "an EXT-X-MAP under AES-128 without an IV")
		}
		r.parts.late(r, l)
	case "EXT-X-PROGRAM-DATE-TIME":
		r.dated = true
		if t, _, ok := parseDate(l.value); ok {
			s.date, s.dateLine = t, l.number
		}
		r.parts.late(r, l)
	}
}

// extinf checks the duration: sections 4.4.4.1 and 4.4.3.1.
func (r *mediaReader) extinf(l *line) {
	s := &r.segment
	here := at{l.number, l.column, ""}
	if s.extinf > 0 {
		r.add(here, hlsRule(Error, "4.4.4.1", "remove one"), "", fmt.Sprintf("a second EXTINF for one segment; the first is on line %d", s.extinf))
	}
	text, _, comma := strings.Cut(l.value, ",")
	if !comma {
		r.add(here, hlsRule(Error, "4.4.4.1", "write #EXTINF:<duration>,"), "", "EXTINF has no comma behind the duration")
	}
	s.extinf, s.duration = l.number, 0
	d, ok := seconds(text)
	if !ok || text[0] == '-' {
		r.add(here, hlsRule(Error, "4.4.4.1", "write seconds, as in #EXTINF:4.004,"), "", "EXTINF is not a duration: "+strconv.Quote(short(text)))
		return
	}
	if strings.Contains(text, ".") {
		r.versions.need(3, "a decimal EXTINF", l.number)
	}
	if s.duration = d; d == 0 {
		r.add(here, hlsRule(Warning, "4.4.4.1", "leave the segment out"), "", "a segment of no duration")
	}
}

// uri takes a URI line.
func (r *mediaReader) uri(l *line) {
	s := &r.segment
	here := at{l.number, 1, ""}
	r.host(l.text)
	if s.extinf == 0 {
		r.add(here, hlsRule(Error, "4.4.4.1", "write #EXTINF:<duration>, before it"), "", "a segment without EXTINF")
	} else if whole := int64(math.Round(s.duration.Seconds())); r.target > 0 && whole > r.target {
		// Rounding and comparing as 4.4.3.1 has it: 10.4 s are within 10 s.
		r.add(at{s.extinf, 1, ""}, hlsRule(Error, "4.4.3.1", "raise EXT-X-TARGETDURATION, or cut shorter segments"), "target",
			fmt.Sprintf("a segment of %s is longer than the target duration of %d s", span(s.duration), r.target))
	}
	if s.open && (!s.last || s.lastURI != l.text) {
		r.add(here, hlsRule(Error, "4.4.4.2", "write <length>@<offset>"), "", "a byte range without an offset does not follow one of the same resource")
	}
	r.date(s)
	r.parts.close(r, s.duration)
	r.count++
	r.segment = segmentState{lastURI: l.text, last: s.ranged}
}

// overlap is by how much dates may go astray: sub-second corrections of a
// drifting clock are allowed (section 6.2.1).
const overlap = time.Second

// date follows the dates of the segments.
func (r *mediaReader) date(s *segmentState) {
	here := at{s.dateLine, 1, ""}
	switch {
	case s.dateLine == 0 && s.disco > 0 && r.dated:
		r.add(at{s.disco, 1, ""}, hlsRule(Warning, "6.2.1", "add one"), "", "a discontinuity without EXT-X-PROGRAM-DATE-TIME, in a playlist that has dates")
		r.lastDate = time.Time{}
	case s.dateLine > 0 && !r.lastDate.IsZero():
		if off := s.date.Sub(r.lastDate); off < -overlap {
			r.add(here, hlsRule(Error, "6.2.1", "date the segment behind the one before"), "back",
				fmt.Sprintf("EXT-X-PROGRAM-DATE-TIME goes back by %s: two segments have the same dates", span(-off)))
		} else if off > overlap && s.disco == 0 {
			r.add(here, hlsRule(Warning, "6.2.1", "add EXT-X-DISCONTINUITY, or gap segments for what is missing"), "jump",
				fmt.Sprintf("EXT-X-PROGRAM-DATE-TIME jumps by %s without a discontinuity", span(off)))
		}
	}
	if s.dateLine > 0 {
		r.lastDate = s.date
	}
	if !r.lastDate.IsZero() {
		r.lastDate = r.lastDate.Add(s.duration)
	}
}

// key checks EXT-X-KEY: section 4.4.4.4.
func (r *mediaReader) key(l *line, all []attribute) {
	r.checkKey(l, all)
	method := valueOf(all, "METHOD")
	r.keyed.aes, r.keyed.iv = method == "AES-128", find(all, "IV") != nil
	if uri := valueOf(all, "URI"); uri != "" {
		r.host(uri)
	}
	k := Key{Method: method, Format: keyFormat(valueOf(all, "KEYFORMAT")), URI: valueOf(all, "URI")}
	if method != "NONE" {
		r.keys[k]++
	}
}

// methods are what METHOD may be, and with which an IV is wrong.
var methods = map[string]bool{"NONE": true, "AES-128": false, "SAMPLE-AES": false, "SAMPLE-AES-CTR": true, "AES-256-GCM": true}

func (c *tagChecker) checkKey(l *line, all []attribute) {
	here := at{l.number, l.indent + 1, ""}
	method := valueOf(all, "METHOD")
	noIV, known := methods[method]
	iv := find(all, "IV")
	switch {
	case method == "":
		return
	case !known:
		c.add(here, hlsRule(Warning, "4.4.4.4", "use NONE, AES-128, SAMPLE-AES, SAMPLE-AES-CTR or AES-256-GCM"), "", l.tag+": no player knows METHOD="+short(method))
	case method == "NONE":
		if len(all) > 1 && l.tag == "EXT-X-KEY" {
			c.add(here, hlsRule(Error, "4.4.4.4", "remove them"), "", "EXT-X-KEY with METHOD=NONE has further attributes")
		}
		if l.tag == "EXT-X-SESSION-KEY" {
			c.add(here, hlsRule(Error, "4.4.6.5", "remove the tag"), "", "EXT-X-SESSION-KEY with METHOD=NONE")
		}
	case iv != nil && noIV:
		c.add(here, hlsRule(Error, "4.4.4.4", "remove it"), "", l.tag+": IV with METHOD="+method)
	case iv != nil && len(iv.value) != len("0x")+32 && matchesForm(formHex, iv.value):
		c.add(at{l.number, iv.column, ""}, hlsRule(Error, "4.4.4.4", "write 32 digits"), "", l.tag+": IV has not 128 bits")
	}
	if v := find(all, "KEYFORMATVERSIONS"); v != nil && strings.Trim(v.value, "0123456789/") != "" {
		c.add(at{l.number, v.column, ""}, hlsRule(Error, "4.4.4.4", "write numbers with / between them"), "", l.tag+": KEYFORMATVERSIONS is not a list of numbers")
	}
}

// keyFormats are the names by which people call key formats.
var keyFormats = map[string]string{
	"": "identity", "identity": "identity", "com.apple.streamingkeydelivery": "FairPlay", "com.microsoft.playready": "PlayReady",
	"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine", "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
	"com.widevine": "Widevine", "org.w3.clearkey": "ClearKey", "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e": "ClearKey",
	"urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b": "ClearKey", "urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2": "FairPlay",
	"urn:uuid:5e629af5-38da-4063-8977-97ffbd9902d4": "Marlin", "urn:uuid:3d5e6d35-9b9a-41e8-b843-dd3c6e72c42c": "ChinaDRM",
}

func keyFormat(format string) string {
	if name, ok := keyFormats[strings.ToLower(format)]; ok {
		return name
	}
	return format
}
