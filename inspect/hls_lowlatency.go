package inspect

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Low latency: rfc8216bis, sections 4.4.3.7, 4.4.3.8, 4.4.4.9, 4.4.5.3 and
// 4.4.5.4.

// partState follows the parts of the segment that has not ended.
type partState struct {
	target time.Duration
	count  int
	open   time.Duration // the parts since the last URI line
	// waiting is the part before, which may be short if it is the segment's
	// last, or if the next one is a gap.
	waiting     time.Duration
	waitingLine int
	number      int // parts in this segment
}

func (r *mediaReader) lowLatency(l *line, all []attribute) {
	p := &r.parts
	here := at{l.number, l.indent + 1, ""}
	switch l.tag {
	case "EXT-X-PART-INF":
		r.partInf = l.number
		p.target, _ = seconds(valueOf(all, "PART-TARGET"))
	case "EXT-X-SERVER-CONTROL":
		r.control, r.controls = all, l.number
	case "EXT-X-PART":
		r.part(l, all)
	case "EXT-X-PRELOAD-HINT":
		kind := valueOf(all, "TYPE")
		r.host(valueOf(all, "URI"))
		if r.hints.add(kind); r.hintAt[kind] > 0 {
			r.add(here, hlsRule(Warning, "6.2.6", "keep one of each type"), "", "a second EXT-X-PRELOAD-HINT of TYPE="+short(kind))
		}
		r.hintAt[kind] = l.number
	case "EXT-X-RENDITION-REPORT":
		if r.m.LowLatency == nil {
			r.m.LowLatency = &LowLatency{}
		}
		r.m.LowLatency.Reports++
		uri := valueOf(all, "URI")
		if u, err := url.Parse(uri); err == nil && u.IsAbs() {
			r.add(here, hlsRule(Error, "4.4.5.4", "write it relative to this playlist"), "", "URI of EXT-X-RENDITION-REPORT is absolute")
		}
	}
}

// part checks an EXT-X-PART.
func (r *mediaReader) part(l *line, all []attribute) {
	p := &r.parts
	here := at{l.number, l.indent + 1, ""}
	r.host(valueOf(all, "URI"))
	d, _ := seconds(valueOf(all, "DURATION"))
	gap := valueOf(all, "GAP") == "YES"
	if p.waitingLine > 0 && !gap {
		r.add(at{p.waitingLine, 1, ""}, hlsRule(Error, "4.4.4.9", "cut parts of equal length, or lower PART-TARGET"), "short part",
			fmt.Sprintf("a part of %s is shorter than 85 %% of PART-TARGET", span(p.waiting)))
	}
	p.waitingLine = 0
	p.count++
	p.number++
	p.open += d
	if p.target == 0 {
		return
	}
	if d > p.target+time.Microsecond {
		r.add(here, hlsRule(Error, "4.4.4.9", "cut shorter parts, or raise PART-TARGET"), "long part", fmt.Sprintf("a part of %s is longer than PART-TARGET", span(d)))
	}
	if d < p.target*85/100-time.Microsecond && valueOf(all, "INDEPENDENT") != "YES" && !gap {
		p.waiting, p.waitingLine = d, l.number
	}
}

// late tells a tag that has to stand before the first part of its segment.
func (p *partState) late(r *mediaReader, l *line) {
	if p.number > 0 {
		r.add(at{l.number, 1, ""}, hlsRule(Error, "4.4.4.9", "move it before them"), "", l.tag+" stands behind parts of the segment that it applies to")
	}
}

// close ends a segment.
func (p *partState) close(r *mediaReader, d time.Duration) {
	if p.number > 0 && d > 0 && (p.open-d).Abs() > max(p.target, 100*time.Millisecond) {
		r.add(at{r.segment.extinf, 1, ""}, hlsRule(Warning, "4.4.4.9", "list the parts that it is made of"), "parts sum",
			fmt.Sprintf("the parts of a segment of %s make %s", span(d), span(p.open)))
	}
	p.open, p.number, p.waitingLine = 0, 0, 0
}

// finishLowLatency checks the parameters against each other.
func (r *mediaReader) finishLowLatency() {
	p, m := &r.parts, r.m
	if p.count > 0 && r.partInf == 0 {
		r.add(at{1, 1, ""}, hlsRule(Error, "4.4.3.7", "add #EXT-X-PART-INF:PART-TARGET=<seconds>"), "", "EXT-X-PART without EXT-X-PART-INF")
	}
	if r.endList > 0 && len(r.hints.list) > 0 {
		r.add(at{r.endList, 1, ""}, hlsRule(Error, "4.4.5.3", "remove it"), "", "EXT-X-PRELOAD-HINT in a playlist with EXT-X-ENDLIST")
	}
	if p.count > 0 && m.IFramesOnly {
		r.add(at{1, 1, ""}, hlsRule(Warning, "4.4.4.9", "remove them"), "", "parts in an I-frame playlist")
	}
	if r.partInf == 0 && r.controls == 0 && p.count == 0 {
		return
	}
	if m.LowLatency == nil {
		m.LowLatency = &LowLatency{}
	}
	ll := m.LowLatency
	get := func(name string) Seconds {
		d, _ := seconds(valueOf(r.control, name))
		return Seconds(d)
	}
	ll.PartTarget, ll.Parts, ll.Hints = Seconds(p.target), p.count, r.hints.list
	ll.HoldBack, ll.PartHoldBack, ll.SkipUntil = get("HOLD-BACK"), get("PART-HOLD-BACK"), get("CAN-SKIP-UNTIL")
	ll.BlockingReload = valueOf(r.control, "CAN-BLOCK-RELOAD") == "YES"
	r.serverControl(ll)
}

func (r *mediaReader) serverControl(ll *LowLatency) {
	m := r.m
	here := at{max(r.controls, r.partInf), 1, ""}
	least := func(name string, have Seconds, times int, of Seconds, what string, g Grade) {
		if have > 0 && of > 0 && have+Seconds(time.Millisecond) < Seconds(times)*of {
			r.add(here, hlsRule(g, "4.4.3.8", "raise it to "+decimal(Seconds(times)*of)), "", fmt.Sprintf("%s=%s is less than %d times %s (%s)", name, decimal(have), times, what, decimal(of)))
		}
	}
	least("HOLD-BACK", ll.HoldBack, 3, m.Target, "the target duration", Error)
	least("CAN-SKIP-UNTIL", ll.SkipUntil, 6, m.Target, "the target duration", Error)
	if ll.PartHoldBack+Seconds(time.Millisecond) < 2*ll.PartTarget {
		least("PART-HOLD-BACK", ll.PartHoldBack, 2, ll.PartTarget, "PART-TARGET", Error)
	} else {
		least("PART-HOLD-BACK", ll.PartHoldBack, 3, ll.PartTarget, "PART-TARGET", Warning)
	}
	if r.partInf > 0 && ll.PartHoldBack == 0 {
		r.add(here, hlsRule(Error, "4.4.3.8", "add it to EXT-X-SERVER-CONTROL, three times PART-TARGET or more"), "", "EXT-X-PART-INF without PART-HOLD-BACK")
	}
	if find(r.control, "CAN-SKIP-DATERANGES") != nil && ll.SkipUntil == 0 {
		r.add(here, hlsRule(Error, "4.4.3.8", "add CAN-SKIP-UNTIL"), "", "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL")
	}
	if m.Live && ll.Parts > 0 && !ll.BlockingReload {
		r.add(here, hlsRule(Warning, "6.2.5.2", "add CAN-BLOCK-RELOAD=YES, if the server can"), "", "parts without CAN-BLOCK-RELOAD: players have to poll for each")
	}
}

// decimal shows a number of seconds as playlists write it.
func decimal(s Seconds) string {
	text := strconv.FormatFloat(time.Duration(s).Seconds(), 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
