package inspect

import "fmt"

// versions finds the protocol version that a playlist needs (rfc8216bis,
// section 8), and what needs it.
type versions struct {
	declared, line int // EXT-X-VERSION; 1 and 0 without one
	needed         int
	what           string
	at             int
}

// newest is the version of rfc8216bis that section 8 ends with.
const newest = 13

func (v *versions) need(version int, what string, line int) {
	if version > v.needed {
		v.needed, v.what, v.at = version, what, line
	}
}

// tag notes what a tag needs.
func (v *versions) tag(l *line, all []attribute) {
	switch l.tag {
	case "EXT-X-BYTERANGE", "EXT-X-I-FRAMES-ONLY":
		v.need(4, l.tag, l.number)
	case "EXT-X-KEY", "EXT-X-SESSION-KEY":
		if find(all, "IV") != nil {
			v.need(2, "IV of "+l.tag, l.number)
		}
		if find(all, "KEYFORMAT") != nil || find(all, "KEYFORMATVERSIONS") != nil {
			v.need(5, "KEYFORMAT", l.number)
		}
		if valueOf(all, "METHOD") == "SAMPLE-AES" {
			v.need(5, "METHOD=SAMPLE-AES", l.number)
		}
	case "EXT-X-DEFINE":
		if find(all, "QUERYPARAM") != nil {
			v.need(11, "QUERYPARAM of EXT-X-DEFINE", l.number)
		}
		v.need(8, "EXT-X-DEFINE", l.number)
	case "EXT-X-SKIP":
		if find(all, "RECENTLY-REMOVED-DATERANGES") != nil {
			v.need(10, "EXT-X-SKIP with RECENTLY-REMOVED-DATERANGES", l.number)
		}
		v.need(9, "EXT-X-SKIP", l.number)
	case "EXT-X-MEDIA":
		if a := find(all, "INSTREAM-ID"); a != nil && valueOf(all, "TYPE") != "CLOSED-CAPTIONS" {
			v.need(13, "INSTREAM-ID of "+valueOf(all, "TYPE"), l.number)
		} else if a != nil && len(a.value) > 2 && a.value[:2] == "SE" {
			v.need(7, "INSTREAM-ID=\""+short(a.value)+"\"", l.number)
		}
	}
	for i := range all {
		if name := all[i].name; len(name) > 4 && name[:4] == "REQ-" {
			v.need(12, name, l.number)
		}
	}
}

// check compares what is needed with what is declared.
func (v *versions) check(f *findings) {
	switch {
	case v.declared > newest:
		f.add(at{v.line, 1, ""}, hlsRule(Warning, "8", fmt.Sprintf("the newest is %d", newest)), "", fmt.Sprintf("EXT-X-VERSION %d is not a version of the protocol", v.declared))
	case v.needed > v.declared:
		r := hlsRule(Error, "8", fmt.Sprintf("write #EXT-X-VERSION:%d", v.needed))
		f.add(at{max(v.line, 1), 1, ""}, r, "", fmt.Sprintf("the playlist says version %d, and %s on line %d needs %d", v.declared, v.what, v.at, v.needed))
	}
}
