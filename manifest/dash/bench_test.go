package dash

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/zencoder/go-dash/v3/mpd"

	"manifold/manifest"
)

// liveMPD is a live MPD with timelines of n segments whose lengths alternate,
// so that no S@r shortens them, in four video rungs and two languages.
func liveMPD(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="2024-01-01T00:00:00Z" publishTime="2024-01-01T01:00:00Z" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT2H" minBufferTime="PT2S" maxSegmentDuration="PT4S">
  <Period id="1" start="PT0S">
`)
	for set := range 3 {
		kind := "audio"
		if set == 0 {
			kind = "video"
		}
		fmt.Fprintf(&b, `    <AdaptationSet id="%d" contentType="%s" mimeType="%s/mp4" lang="en" segmentAlignment="true" startWithSAP="1">
      <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Time$.m4s">
        <SegmentTimeline>
          <S t="81809280000" d="191488"/>
`, set, kind, kind)
		for i := range n - 1 {
			fmt.Fprintf(&b, "          <S d=\"%d\"/>\n", 191488+i%2*1024)
		}
		b.WriteString("        </SegmentTimeline>\n      </SegmentTemplate>\n")
		for rep := range 4 {
			fmt.Fprintf(&b, `      <Representation id="s%dr%d" bandwidth="%d" width="640" height="360" codecs="avc1.4d401e"/>
`, set, rep, 800000*(rep+1))
		}
		b.WriteString("    </AdaptationSet>\n")
	}
	b.WriteString("  </Period>\n</MPD>\n")
	return b.Bytes()
}

func benchSources(b *testing.B) map[string][]byte {
	multi, err := os.ReadFile("testdata/corpus/live-multi-period.mpd")
	if err != nil {
		b.Fatal(err)
	}
	return map[string][]byte{"multi-period": multi, "live-timeline-30": liveMPD(30), "live-timeline-1800": liveMPD(1800)}
}

func BenchmarkCompile(b *testing.B) {
	for name, src := range benchSources(b) {
		b.Run(name+"/manifold", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(src); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/go-dash", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			text := string(src)
			for b.Loop() {
				if _, err := mpd.ReadFromString(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRender is one answer from a template, beside decoding, replacing
// the BaseURLs and encoding with a library, and beside a copy of the output.
func BenchmarkRender(b *testing.B) {
	plan := &manifest.Plan{Shape: shapes["steered"], Path: "vod/manifest.mpd", Values: values}
	for name, src := range benchSources(b) {
		tmpl := compile(b, src)
		out := tmpl.Append(nil, plan)
		b.Run(name+"/manifold", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			dst := make([]byte, 0, 2*len(out))
			for b.Loop() {
				dst = tmpl.Append(dst[:0], plan)
			}
		})
		b.Run(name+"/gzip", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			dst := make([]byte, 0, 2*len(out))
			for b.Loop() {
				dst = tmpl.AppendGzip(dst[:0], plan)
			}
		})
		b.Run(name+"/memcpy", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			dst := make([]byte, len(out))
			for b.Loop() {
				copy(dst, out)
			}
		})
		b.Run(name+"/go-dash", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			text := string(src)
			for b.Loop() {
				m, err := mpd.ReadFromString(text)
				if err != nil {
					b.Fatal(err)
				}
				m.BaseURL = []string{"https://alpha.example/live/vod/", "https://beta.example/live/vod/"}
				if _, err := m.WriteToString(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSpecialise(b *testing.B) {
	for name, src := range benchSources(b) {
		tmpl := compile(b, src)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tmpl.render(&manifest.Plan{Shape: shapes["steered"], Path: "vod/manifest.mpd"}, lengths)
			}
		})
	}
}
