package manifest

import (
	"bytes"
	"fmt"
	"testing"
)

// What the first compressed render of a form costs: making the twin, and
// verifying it.
func BenchmarkGzipTwin(b *testing.B) {
	for _, segments := range []int{6, 500, 5000} {
		b.Run(fmt.Sprint("playlist", segments), func(b *testing.B) {
			build := NewBuilder([]int{0, 120}, 0)
			mediaPlaylist(build, segments, 1)
			f := build.Form()
			b.ReportAllocs()
			b.SetBytes(int64(f.Size()))
			for b.Loop() {
				f.makeGzip()
			}
		})
	}
}

// What values of other lengths than declared cost.
func BenchmarkGzipWithoutTwin(b *testing.B) {
	for _, segments := range []int{6, 500} {
		b.Run(fmt.Sprint("playlist", segments), func(b *testing.B) {
			build := NewBuilder([]int{0, 0}, 0)
			mediaPlaylist(build, segments, 1)
			f := build.Form()
			values := [][]byte{nil, bytes.Repeat([]byte("0123456789"), 12)}
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = f.AppendGzip(dst[:0], values)
			}
		})
	}
}
