package read

import (
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"manifold/bench/finding"
)

// tag reads one tag of a media playlist; what it does not know it leaves, as
// RFC 8216, section 6.3.1 wants.
func (r *mediaReader) tag(l finding.Line, tag, value string, hasValue bool) {
	m := r.m
	list := func() attrs {
		a := parseAttrs(value, l, &r.p)
		r.vars.expandAll(a, l, &r.p)
		return a
	}
	switch tag {
	case "#EXTM3U":
		if l.Number != 1 {
			r.p.add("hls-syntax", l, "#EXTM3U stands again")
		}
	case "#EXT-X-VERSION":
		r.once(tag, l)
		m.Version = int(min(r.number(tag, value, l), 1000))
	case "#EXT-X-TARGETDURATION":
		r.once(tag, l)
		m.TargetLine = l
		n := r.number(tag, value, l)
		if n == 0 || n > 1e9 {
			r.p.add("hls-syntax", l, "a target duration of %s s", value)
			n = min(n, 1e9)
		}
		m.Target = time.Duration(n) * time.Second
	case "#EXT-X-MEDIA-SEQUENCE":
		r.once(tag, l)
		r.early(tag, l)
		m.Sequence, m.SequenceLine = r.number(tag, value, l), l
		if m.Sequence > 1<<63 {
			r.p.add("hls-syntax", l, "a media sequence number near its end")
			m.Sequence = 0
		}
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		r.once(tag, l)
		r.early(tag, l)
		if r.dsn > 0 {
			r.p.add("hls-syntax", l, "%s must stand before the first EXT-X-DISCONTINUITY", tag)
		}
		m.DiscSequence, m.HasDiscSeq, m.DiscSeqLine = r.number(tag, value, l), true, l
	case "#EXT-X-PLAYLIST-TYPE":
		r.once(tag, l)
		if value != "VOD" && value != "EVENT" {
			r.p.add("hls-syntax", l, "%q is no playlist type", value)
		}
		m.Type = value
	case "#EXT-X-ENDLIST":
		r.once(tag, l)
		m.Ended = true
	case "#EXT-X-I-FRAMES-ONLY":
		m.IFramesOnly = true
	case "#EXT-X-PART-INF":
		r.once(tag, l)
		m.PartTarget, m.PartTargetLine = r.seconds("PART-TARGET", list().get("PART-TARGET"), l), l
	case "#EXT-X-SERVER-CONTROL":
		r.once(tag, l)
		r.control(l, list())
	case "#EXT-X-DEFINE":
		a := parseAttrs(value, l, &r.p)
		r.vars.define(a, l, &r.p)
	case "#EXTINF":
		r.inf(l, value)
	case "#EXT-X-DISCONTINUITY":
		r.block(l)
		r.next.Discontinuity = true
		r.dsn++
		if len(m.Parts) > 0 {
			r.p.add("hls-syntax", l, "EXT-X-DISCONTINUITY stands after the first part of its segment")
		}
	case "#EXT-X-BYTERANGE":
		r.block(l)
		rg, hasOffset, ok := byteRange(value)
		if !ok {
			r.p.add("hls-syntax", l, "%q is no byte range", value)
		}
		if !hasOffset {
			rg.Offset = noOffset
		}
		r.next.Range = &rg
	case "#EXT-X-PROGRAM-DATE-TIME":
		r.block(l)
		t, ok := date(value)
		if !ok {
			r.p.add("hls-syntax", l, "%q is no date", value)
		}
		r.next.Date, r.next.DateLine = t, l
	case "#EXT-X-GAP":
		r.block(l)
		r.next.Gap = true
	case "#EXT-X-MAP":
		r.block(l)
		r.mapTag(l, list())
	case "#EXT-X-KEY":
		r.block(l)
		r.key(l, list())
	case "#EXT-X-PART":
		r.block(l)
		r.part(l, list())
	case "#EXT-X-PRELOAD-HINT":
		r.hint(l, list())
	case "#EXT-X-RENDITION-REPORT":
		r.report(l, list())
	case "#EXT-X-DATERANGE":
		r.dateRange(l, list())
	case "#EXT-X-SKIP":
		r.once(tag, l)
		r.early(tag, l)
		m.HasSkip = true
		m.Skipped = min(r.number("SKIPPED-SEGMENTS", list().get("SKIPPED-SEGMENTS"), l), 1<<40)
	case "#EXT-X-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-CONTENT-STEERING":
		r.p.add("hls-syntax", l, "%s belongs to multivariant playlists", tag)
	}
	if hasValue && flags[tag] {
		r.p.add("hls-syntax", l, "%s takes no value", tag)
	}
}

// flags are the tags without a value.
var flags = map[string]bool{"#EXTM3U": true, "#EXT-X-ENDLIST": true, "#EXT-X-DISCONTINUITY": true, "#EXT-X-GAP": true,
	"#EXT-X-I-FRAMES-ONLY": true, "#EXT-X-INDEPENDENT-SEGMENTS": true}

func (r *mediaReader) inf(l finding.Line, value string) {
	r.block(l)
	if r.hasInf {
		r.p.add("hls-syntax", l, "#EXTINF stands twice before a URI")
	}
	d, _, comma := strings.Cut(value, ",")
	if !comma {
		r.p.add("hls-syntax", l, "#EXTINF without a comma after the duration")
	}
	r.next.Duration = r.seconds("#EXTINF", d, l)
	r.next.Inf, r.hasInf = l, true
	if r.m.Version < 3 && strings.Contains(d, ".") {
		r.p.add("hls-version", l, "a fractional duration needs EXT-X-VERSION 3, this is %d", r.m.Version)
	}
}

func (r *mediaReader) control(l finding.Line, a attrs) {
	c := &ServerControl{}
	for _, x := range a {
		switch x.name {
		case "CAN-SKIP-UNTIL":
			c.CanSkipUntil = r.seconds(x.name, x.value, l)
		case "HOLD-BACK":
			c.HoldBack = r.seconds(x.name, x.value, l)
		case "PART-HOLD-BACK":
			c.PartHoldBack = r.seconds(x.name, x.value, l)
		case "CAN-BLOCK-RELOAD":
			c.CanBlockReload = x.value == "YES"
		case "CAN-SKIP-DATERANGES":
			c.CanSkipDateRanges = x.value == "YES"
		}
	}
	r.m.Control, r.m.ControlLine = c, l
}

func (r *mediaReader) mapTag(l finding.Line, a attrs) {
	mp := &Map{URI: a.get("URI"), Line: l, Keys: r.keys}
	if mp.URI == "" {
		r.p.add("hls-syntax", l, "EXT-X-MAP without URI")
	}
	if x, ok := a.find("BYTERANGE"); ok {
		rg, hasOffset, good := byteRange(x.value)
		if !good || !hasOffset {
			r.p.add("hls-syntax", l, "%q is no byte range with an offset", x.value)
		}
		mp.Range = &rg
	}
	if len(r.m.Parts) > 0 {
		r.p.add("hls-syntax", l, "EXT-X-MAP stands after the first part of its segment")
	}
	r.mapping, r.next.MapStated = mp, true
}

var hexIV = regexp.MustCompile(`^0[xX][0-9A-Fa-f]{1,32}$`)

func (r *mediaReader) key(l finding.Line, a attrs) {
	k := Key{Method: a.get("METHOD"), URI: a.get("URI"), IV: a.get("IV"), Format: a.get("KEYFORMAT"), Line: l}
	if k.Format == "" {
		k.Format = "identity"
	}
	switch k.Method {
	case "":
		r.p.add("hls-syntax", l, "EXT-X-KEY without METHOD")
	case "NONE":
		if len(a) > 1 {
			r.p.add("hls-syntax", l, "EXT-X-KEY with METHOD=NONE takes no other attribute")
		}
	default:
		if k.URI == "" {
			r.p.add("hls-syntax", l, "EXT-X-KEY without URI")
		}
	}
	if k.IV != "" && !hexIV.MatchString(k.IV) {
		r.p.add("hls-syntax", l, "%q is no IV of up to 128 bits", k.IV)
		k.IV = ""
	}
	if len(r.m.Parts) > 0 {
		r.p.add("hls-syntax", l, "EXT-X-KEY stands after the first part of its segment")
	}
	if k.Method == "NONE" {
		r.keys = []Key{k}
	} else {
		// Keys of one place differ in KEYFORMAT; a key at a new place replaces
		// the one of its format, and METHOD=NONE.
		kept := make([]Key, 0, len(r.keys)+1)
		for _, had := range r.keys {
			if had.Method != "NONE" && had.Format != k.Format && len(kept) < 16 {
				kept = append(kept, had)
			}
		}
		r.keys = append(kept, k)
	}
	r.next.KeyStated = true
}

func (r *mediaReader) part(l finding.Line, a attrs) {
	p := Part{URI: a.get("URI"), Independent: a.get("INDEPENDENT") == "YES", Gap: a.get("GAP") == "YES", Line: l}
	if p.URI == "" {
		r.p.add("hls-syntax", l, "EXT-X-PART without URI")
	}
	p.Duration = r.seconds("DURATION", a.get("DURATION"), l)
	if x, ok := a.find("BYTERANGE"); ok {
		rg, hasOffset, good := byteRange(x.value)
		if !good {
			r.p.add("hls-syntax", l, "%q is no byte range", x.value)
		}
		if !hasOffset {
			if n := len(r.m.Parts); n > 0 && r.m.Parts[n-1].Range != nil && r.m.Parts[n-1].URI == p.URI {
				rg.Offset = r.m.Parts[n-1].Range.Offset + r.m.Parts[n-1].Range.Length
			}
		}
		p.Range = &rg
	}
	if len(r.m.Parts) < 10_000 {
		r.m.Parts = append(r.m.Parts, p)
	}
}

func (r *mediaReader) hint(l finding.Line, a attrs) {
	h := Hint{Type: a.get("TYPE"), URI: a.get("URI"), Line: l}
	if h.URI == "" || h.Type != "PART" && h.Type != "MAP" {
		r.p.add("hls-syntax", l, "EXT-X-PRELOAD-HINT needs URI, and TYPE of PART or MAP")
	}
	if x, ok := a.find("BYTERANGE-START"); ok {
		h.Start = r.number(x.name, x.value, l)
	}
	if len(r.m.Hints) < MaxAttrs {
		r.m.Hints = append(r.m.Hints, h)
	}
}

func (r *mediaReader) report(l finding.Line, a attrs) {
	rep := RenditionReport{URI: a.get("URI"), LastPart: -1, Line: l}
	if strings.Contains(rep.URI, "://") || rep.URI == "" {
		r.p.add("hls-syntax", l, "EXT-X-RENDITION-REPORT needs a URI relative to the playlist")
	}
	if x, ok := a.find("LAST-MSN"); ok {
		rep.LastMSN = r.number(x.name, x.value, l)
	}
	if x, ok := a.find("LAST-PART"); ok {
		rep.LastPart = int(min(r.number(x.name, x.value, l), 1<<30))
	}
	if len(r.m.Reports) < maxVariants {
		r.m.Reports = append(r.m.Reports, rep)
	}
}

func (r *mediaReader) dateRange(l finding.Line, a attrs) {
	d := DateRange{ID: a.get("ID"), Attrs: map[string]string{}, Duration: -1, Line: l}
	if d.ID == "" {
		r.p.add("hls-daterange", l, "EXT-X-DATERANGE without ID")
	}
	for _, x := range a {
		d.Attrs[x.name] = x.value
		switch x.name {
		case "START-DATE", "END-DATE":
			t, ok := date(x.value)
			if !ok {
				r.p.add("hls-daterange", l, "%s of %s is no date: %q", x.name, d.ID, x.value)
			}
			if x.name == "START-DATE" {
				d.Start = t
			} else {
				d.End = t
			}
		case "DURATION", "PLANNED-DURATION":
			n, ok := seconds(x.value)
			if !ok {
				r.p.add("hls-daterange", l, "%s of %s is no number of seconds: %q", x.name, d.ID, x.value)
			}
			if x.name == "DURATION" {
				d.Duration = n
			}
		case "SCTE35-CMD", "SCTE35-OUT", "SCTE35-IN":
			if !hexSequence(x.value) {
				r.p.add("hls-daterange", l, "%s of %s is no hexadecimal sequence", x.name, d.ID)
			}
		case "END-ON-NEXT":
			if x.value != "YES" || a.get("CLASS") == "" || a.get("DURATION") != "" || a.get("END-DATE") != "" {
				r.p.add("hls-daterange", l, "END-ON-NEXT of %s must be YES, with CLASS and without DURATION and END-DATE", d.ID)
			}
		}
	}
	if len(r.m.DateRanges) < 10_000 {
		r.m.DateRanges = append(r.m.DateRanges, d)
	}
}

func hexSequence(s string) bool {
	if !strings.HasPrefix(s, "0x") && !strings.HasPrefix(s, "0X") || len(s) < 4 {
		return false
	}
	_, err := hex.DecodeString(s[2:] + strings.Repeat("0", len(s)%2))
	return err == nil
}
