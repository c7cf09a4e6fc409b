package hls

import (
	"bytes"
	"fmt"
	"testing"

	eyevinn "github.com/Eyevinn/hls-m3u8/m3u8"
	grafov "github.com/grafov/m3u8"

	"manifold/manifest"
)

// vod makes a media playlist of n segments, as FFmpeg writes it.
func vod(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n" +
		"#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"init.mp4\"\n")
	for i := range n {
		fmt.Fprintf(&b, "#EXTINF:6.000000,\nsegment_%05d.m4s\n", i)
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return b.Bytes()
}

// live makes a live window of n segments.
func live(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7794\n" +
		"#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2024-03-01T10:00:00.000Z\n")
	for i := range n {
		fmt.Fprintf(&b, "#EXTINF:4.000000,\nsegment_%05d.m4s\n", 7794+i)
	}
	return b.Bytes()
}

var benchmarks = []struct {
	name string
	src  []byte
}{{"Live6", live(6)}, {"VOD500", vod(500)}, {"VOD5000", vod(5000)}}

// BenchmarkCompile puts Compile beside what decodes the same playlist
// elsewhere.
func BenchmarkCompile(b *testing.B) {
	for _, c := range benchmarks {
		b.Run(c.name+"/manifold", func(b *testing.B) {
			b.SetBytes(int64(len(c.src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(c.src); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/grafov", func(b *testing.B) {
			b.SetBytes(int64(len(c.src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := grafov.DecodeFrom(bytes.NewReader(c.src), false); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/eyevinn", func(b *testing.B) {
			b.SetBytes(int64(len(c.src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := eyevinn.DecodeFrom(bytes.NewReader(c.src), false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSpecialise is what the first viewer of a shape waits for.
func BenchmarkSpecialise(b *testing.B) {
	for _, c := range benchmarks {
		tmpl, err := Compile(c.src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tmpl.Specialise(shapes["single"], "v720/index.m3u8")
			}
		})
	}
}

// BenchmarkRender puts a personal render beside a copy of its output.
func BenchmarkRender(b *testing.B) {
	for _, c := range benchmarks {
		tmpl, err := Compile(c.src)
		if err != nil {
			b.Fatal(err)
		}
		plan := &manifest.Plan{Shape: shapes["single"], Path: "v720/index.m3u8", Values: values}
		out := tmpl.Append(nil, plan)
		dst := make([]byte, 0, len(out))
		b.Run(c.name+"/manifold", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				dst = tmpl.Append(dst[:0], plan)
			}
		})
		b.Run(c.name+"/memcpy", func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			for b.Loop() {
				dst = append(dst[:0], out...)
			}
		})
		b.Run(c.name+"/gzip", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = tmpl.AppendGzip(dst[:0], plan)
			}
		})
		b.Run(c.name+"/grafov", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list, _, err := grafov.DecodeFrom(bytes.NewReader(c.src), false)
				if err != nil {
					b.Fatal(err)
				}
				media := list.(*grafov.MediaPlaylist)
				for _, s := range media.Segments {
					if s != nil {
						s.URI = "https://alpha.example/live/v720/" + s.URI + "?" + tokenA
					}
				}
				dst = append(dst[:0], media.Encode().Bytes()...)
			}
		})
	}
}
