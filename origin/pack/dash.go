package pack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DASH as in ISO/IEC 23009-1: a dynamic MPD with one Period a run,
// SegmentTimeline and $Number$.

// availabilityStart is where the Periods of a live MPD count from.
const availabilityStart = "1970-01-01T00:00:00Z"

func (p *Packager) mpd() []byte {
	runs := make([]*Run, 0, len(p.runs))
	for _, r := range p.runs {
		if r.listed > r.dropped {
			runs = append(runs, r)
		}
	}
	b := make([]byte, 0, 8<<10)
	b = append(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""...)
	longest := p.longest(runs)
	switch {
	case !p.cfg.Live:
		b = append(b, ` type="static"`...)
		b = attr(b, "mediaPresentationDuration", seconds(p.length(runs)))
	case p.finished: // the Periods stay where they were; players notice the change of type and play to the end
		b = append(b, ` type="static"`...)
		b = p.appendClock(b)
		last := runs[len(runs)-1]
		b = attr(b, "mediaPresentationDuration", seconds(sinceEpoch(last.anchor)+last.media()))
	default:
		b = append(b, ` type="dynamic"`...)
		b = p.appendClock(b)
		b = attr(b, "minimumUpdatePeriod", seconds(p.cfg.segment()))
		b = attr(b, "timeShiftBufferDepth", seconds(p.cfg.Window))
		b = attr(b, "suggestedPresentationDelay", seconds(p.cfg.Delay))
	}
	b = attr(b, "minBufferTime", seconds(p.cfg.segment()))
	b = attr(b, "maxSegmentDuration", seconds(longest))
	b = append(b, ">\n"...)
	for _, r := range runs {
		b = r.appendPeriod(b, r == runs[len(runs)-1])
	}
	if p.cfg.Live && !p.finished && p.cfg.Time != "-" {
		b = append(b, "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-xsdate:2014\" value=\""+p.cfg.Time+"\"/>\n"...)
	}
	if p.cfg.Live && !p.finished {
		// For players that reach the MPD and not the clock, within the age of the MPD.
		b = append(b, "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\""...)
		b = p.published.AppendFormat(b, "2006-01-02T15:04:05.000Z\"/>\n")
	}
	return append(b, "</MPD>\n"...)
}

// appendClock writes what ties a live MPD to the time of day.
func (p *Packager) appendClock(b []byte) []byte {
	b = attr(b, "availabilityStartTime", availabilityStart)
	return attr(b, "publishTime", p.published.Format("2006-01-02T15:04:05.000Z"))
}

// longest is the longest segment a presentation has or may have.
func (p *Packager) longest(runs []*Run) time.Duration {
	longest := p.cfg.segment()
	for _, r := range runs {
		for _, t := range r.tracks {
			if p.cfg.Live && t.cfg.Kind == Audio { // one frame more, whenever it comes
				longest = max(longest, p.cfg.segment()+mediaTime(2048, t.format.timescale))
				continue
			}
			for _, s := range t.segments {
				longest = max(longest, extinf(s, t.format.timescale))
			}
		}
	}
	return longest
}

// length is the media time of a VOD presentation.
func (p *Packager) length(runs []*Run) time.Duration {
	if len(runs) == 0 {
		return 0
	}
	return runs[0].media()
}

func (r *Run) appendPeriod(b []byte, last bool) []byte {
	b = append(b, "  <Period id=\"p"+r.version+"\" start=\""...)
	if r.p.cfg.Live {
		b = append(b, seconds(sinceEpoch(r.anchor))...)
	} else {
		b = append(b, "PT0S"...)
	}
	b = append(b, '"')
	if !last {
		b = attr(b, "duration", seconds(r.media()))
	}
	b = append(b, ">\n"...)
	id := 1
	b = r.appendVideo(b, id)
	audio := 0
	for _, t := range r.tracks {
		switch t.cfg.Kind {
		case Audio:
			id++
			role := "main"
			if audio++; audio > 1 {
				role = "alternate"
			}
			b = r.appendAudio(b, t, id, role)
		case Text:
			id++
			b = r.appendText(b, t, id)
		}
	}
	return append(b, "  </Period>\n"...)
}

func (r *Run) appendVideo(b []byte, id int) []byte {
	var width, height int
	for _, t := range r.tracks {
		width, height = max(width, t.format.width), max(height, t.format.height)
	}
	reference := r.reference()
	b = fmt.Appendf(b, "    <AdaptationSet id=\"%d\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\" maxWidth=\"%d\" maxHeight=\"%d\" frameRate=\"%s\">\n",
		id, width, height, r.p.cfg.FrameRate)
	b = appendRole(b, "main")
	b = r.appendTemplate(b, reference)
	for _, t := range r.tracks {
		if t.cfg.Kind == Video {
			b = fmt.Appendf(b, "      <Representation id=\"%s\" codecs=\"%s\" bandwidth=\"%d\" width=\"%d\" height=\"%d\" sar=\"1:1\"/>\n",
				t.cfg.Name, t.format.codecs, r.p.rates(t).peak, t.format.width, t.format.height)
		}
	}
	return append(b, "    </AdaptationSet>\n"...)
}

func (r *Run) appendAudio(b []byte, t *timeline, id int, role string) []byte {
	b = fmt.Appendf(b, "    <AdaptationSet id=\"%d\" contentType=\"audio\" mimeType=\"audio/mp4\" lang=\"%s\" segmentAlignment=\"true\" startWithSAP=\"1\">\n", id, t.cfg.Language)
	b = fmt.Appendf(b, "      <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"%d\"/>\n", t.format.channels)
	b = appendLabel(b, t)
	b = appendRole(b, role)
	b = r.appendTemplate(b, t)
	b = fmt.Appendf(b, "      <Representation id=\"%s\" codecs=\"%s\" bandwidth=\"%d\" audioSamplingRate=\"%d\"/>\n",
		t.cfg.Name, t.format.codecs, r.p.rates(t).peak, t.format.rate)
	return append(b, "    </AdaptationSet>\n"...)
}

// textBandwidth is declared of live text, in bits a second.
const textBandwidth = 4000

func (r *Run) appendText(b []byte, t *timeline, id int) []byte {
	b = fmt.Appendf(b, "    <AdaptationSet id=\"%d\" contentType=\"text\" mimeType=\"application/mp4\" lang=\"%s\" segmentAlignment=\"true\" startWithSAP=\"1\">\n", id, t.cfg.Language)
	b = appendLabel(b, t)
	b = appendRole(b, "subtitle")
	b = r.appendTemplate(b, t)
	bandwidth := textBandwidth
	if !r.p.cfg.Live {
		bandwidth = r.p.rates(t).peak
	}
	b = fmt.Appendf(b, "      <Representation id=\"%s\" codecs=\"%s\" bandwidth=\"%d\"/>\n", t.cfg.Name, t.format.codecs, bandwidth)
	return append(b, "    </AdaptationSet>\n"...)
}

// appendTemplate writes the addresses and times of a track's segments. Equal
// durations in a row are one S element.
func (r *Run) appendTemplate(b []byte, t *timeline) []byte {
	b = fmt.Appendf(b, "      <SegmentTemplate timescale=\"%d\" initialization=\"$RepresentationID$/%s/init.mp4\" media=\"$RepresentationID$/%s/$Number$.m4s\" startNumber=\"%d\">\n        <SegmentTimeline>\n",
		t.format.timescale, r.version, r.version, r.first+int64(r.dropped))
	for i := r.dropped; i < r.listed; {
		s := t.at(i)
		n := 1
		for i+n < r.listed && t.at(i+n).duration == s.duration {
			n++
		}
		b = append(b, "          <S"...)
		if i == r.dropped {
			b = attr(b, "t", strconv.FormatUint(s.start, 10))
		}
		b = attr(b, "d", strconv.FormatUint(s.duration, 10))
		if n > 1 {
			b = attr(b, "r", strconv.Itoa(n-1))
		}
		b = append(b, "/>\n"...)
		i += n
	}
	return append(b, "        </SegmentTimeline>\n      </SegmentTemplate>\n"...)
}

func appendRole(b []byte, role string) []byte {
	return append(b, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\""+role+"\"/>\n"...)
}

func appendLabel(b []byte, t *timeline) []byte {
	return append(b, "      <Label>"+xmlText.Replace(t.cfg.Label)+"</Label>\n"...)
}

var xmlText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func attr(b []byte, name, value string) []byte {
	return append(b, " "+name+"=\""+value+"\""...)
}

// seconds writes an xs:duration to the microsecond, in seconds alone.
func seconds(d time.Duration) string {
	s := strconv.FormatInt(int64(d/time.Second), 10)
	if us := d % time.Second / time.Microsecond; us > 0 {
		s += strings.TrimRight(fmt.Sprintf(".%06d", us), "0")
	}
	return "PT" + s + "S"
}

func sinceEpoch(t time.Time) time.Duration { return t.Sub(time.Unix(0, 0)) }
