package hls

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"manifold/manifest"
)

// corpus gives the playlists of testdata/corpus by name. Those called
// ffmpeg-* were written by FFmpeg 5.1, the others by hand.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.m3u8")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d playlists in the corpus: %v", len(files), err)
	}
	all := make(map[string][]byte)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = src
	}
	return all
}

func TestIdentity(t *testing.T) {
	for name, src := range corpus(t) {
		tmpl, err := Compile(bytes.Clone(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, plan := range []*manifest.Plan{nil, {}, {Shape: &manifest.Shape{}}} {
			if got := tmpl.Append([]byte("before"), plan); !bytes.Equal(got, append([]byte("before"), src...)) {
				t.Errorf("%s: plan %v: got %q", name, plan, got)
			}
		}
		if !bytes.Equal(tmpl.Source(), src) {
			t.Errorf("%s: the source changed", name)
		}
		for range 2 {
			if got := gunzip(t, tmpl.AppendGzip(nil, nil)); !bytes.Equal(got, src) {
				t.Errorf("%s: gzip of the source gives %q", name, got)
			}
		}
		if tmpl.Cost() < int64(len(src)) {
			t.Errorf("%s: costs %d, is %d long", name, tmpl.Cost(), len(src))
		}
	}
}

// TestSpecialised renders the whole corpus for every shape: what comes out is
// a playlist of the same kind with the same segments, plain and compressed.
func TestSpecialised(t *testing.T) {
	for name, src := range corpus(t) {
		tmpl, err := Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for of, shape := range shapes {
			plan := &manifest.Plan{Shape: shape, Path: "v720/index.m3u8", Values: values}
			out := tmpl.Append(nil, plan)
			again, err := Compile(out)
			if err != nil {
				t.Errorf("%s for %s: %v\n%s", name, of, err, out)
				continue
			}
			want, got := *tmpl.Index(), *again.Index()
			if want.Kind == manifest.HLSMultivariant {
				if got.Variants < want.Variants/2 && shape.Filter == nil || got.Variants == 0 && want.Variants > 0 {
					t.Errorf("%s for %s: %d variants of %d", name, of, got.Variants, want.Variants)
				}
				got.Variants = want.Variants
			}
			if got != want {
				t.Errorf("%s for %s: index %+v, was %+v", name, of, got, want)
			}
			if packed := gunzip(t, tmpl.AppendGzip(nil, plan)); !bytes.Equal(packed, out) {
				t.Errorf("%s for %s: gzip differs", name, of)
			}
			if !bytes.Equal(tmpl.Source(), src) {
				t.Fatalf("%s for %s: the source changed", name, of)
			}
		}
	}
}

// TestCorpusCoversTags keeps the corpus whole: each tag the package knows, and
// each other one of the specification, stands in some playlist.
func TestCorpusCoversTags(t *testing.T) {
	var all []byte
	for _, src := range corpus(t) {
		all = append(append(all, src...), '\n')
	}
	names := []string{"EXTM3U", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START", "EXT-X-TILES", "EXT-X-IMAGES-ONLY", "EXT-X-ASSET", "EXT-X-ALLOW-CACHE"}
	for _, tg := range tags {
		if tg.name != "" {
			names = append(names, tg.name)
		}
	}
	for _, name := range names {
		if !bytes.Contains(all, []byte("\n#"+name+"\n")) && !bytes.Contains(all, []byte("\n#"+name+":")) && name != "EXTM3U" {
			t.Errorf("no playlist has %s", name)
		}
	}
}

func gunzip(t testing.TB, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
