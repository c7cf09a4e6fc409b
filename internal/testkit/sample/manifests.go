package sample

import (
	"bytes"
	"fmt"
	"strings"
)

// Playlist is a media playlist as a packager writes it, of 4 s segments: with
// an initialisation section, and closed where it is VOD.
func Playlist(segments int, vod bool) []byte {
	var b bytes.Buffer
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n")
	first := 0
	if vod {
		b.WriteString("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n")
	} else {
		first = 7213
		fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	}
	b.WriteString("#EXT-X-MAP:URI=\"init.mp4\"\n")
	for i := first; i < first+segments; i++ {
		fmt.Fprintf(&b, "#EXTINF:4.000,\nseg_%05d.m4s\n", i)
	}
	if vod {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.Bytes()
}

// MPD is a live MPD with segment timelines of 4 s segments: four video and two
// audio Representations a period.
func MPD(periods, segments int) []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"")
	b.WriteString(" type=\"dynamic\" availabilityStartTime=\"2026-01-01T00:00:00Z\" publishTime=\"2026-01-02T03:04:05Z\" minimumUpdatePeriod=\"PT4S\"")
	fmt.Fprintf(&b, " timeShiftBufferDepth=\"PT%dS\" minBufferTime=\"PT8S\">\n", periods*segments*4)
	b.WriteString("\t<BaseURL>./</BaseURL>\n")
	for p := range periods {
		fmt.Fprintf(&b, "\t<Period id=\"p%d\" start=\"PT%dS\">\n", p, p*segments*4)
		b.WriteString("\t\t<AdaptationSet id=\"0\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">\n")
		timeline(&b, p, segments, 90000, func(int) int { return 360000 })
		for _, h := range []int{360, 480, 720, 1080} {
			fmt.Fprintf(&b, "\t\t\t<Representation id=\"v%d\" bandwidth=\"%d\" codecs=\"avc1.64001f\" width=\"%d\" height=\"%d\" frameRate=\"25\"/>\n", h, h*5000, h*16/9, h)
		}
		b.WriteString("\t\t</AdaptationSet>\n")
		for i, lang := range []string{"en", "de"} {
			fmt.Fprintf(&b, "\t\t<AdaptationSet id=\"%d\" contentType=\"audio\" mimeType=\"audio/mp4\" lang=\"%s\" segmentAlignment=\"true\" startWithSAP=\"1\">\n", i+1, lang)
			// AAC frames do not divide four seconds: lengths alternate.
			timeline(&b, p, segments, 48000, func(k int) int { return 191488 + 1024*(k%2) })
			fmt.Fprintf(&b, "\t\t\t<Representation id=\"a-%s\" bandwidth=\"128000\" codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\"/>\n\t\t</AdaptationSet>\n", lang)
		}
		b.WriteString("\t</Period>\n")
	}
	b.WriteString("\t<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"https://time.example/\"/>\n")
	b.WriteString("</MPD>\n")
	return []byte(b.String())
}

func timeline(b *strings.Builder, period, segments, scale int, length func(int) int) {
	fmt.Fprintf(b, "\t\t\t<SegmentTemplate timescale=\"%d\" initialization=\"$RepresentationID$/init.mp4\" media=\"$RepresentationID$/$Time$.m4s\">\n\t\t\t\t<SegmentTimeline>\n", scale)
	t := period * segments * 4 * scale
	for k := range segments {
		fmt.Fprintf(b, "\t\t\t\t\t<S t=\"%d\" d=\"%d\"/>\n", t, length(k))
		t += length(k)
	}
	b.WriteString("\t\t\t\t</SegmentTimeline>\n\t\t\t</SegmentTemplate>\n")
}
