package hls

import (
	"bytes"
	"testing"

	"manifold/internal/testkit/sample"
	"manifold/manifest"
)

// A media playlist is shared by those with the same token; what names a
// session is not shared.
func TestShared(t *testing.T) {
	media, err := Compile(sample.Playlist(6, true))
	if err != nil {
		t.Fatal(err)
	}
	multivariant, err := Compile([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/index.m3u8\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{
		Path:   "v/index.m3u8",
		Values: [][]byte{[]byte("session"), []byte("token=1")},
		Shape: &manifest.Shape{
			Prefix: "/news", Source: "https://origin.example/",
			Pathways:    []manifest.Pathway{{ID: "a", Base: "https://a.example/", Token: manifest.InQuery}},
			SlotLengths: []int{7, 7},
		},
	}
	if media.Shared(nil, false) != nil || media.Shared(plan, false) != nil {
		t.Error("shared before anybody came twice")
	}
	plan.Values[0] = []byte("another")
	if got, want := media.Shared(plan, false), media.Append(nil, plan); !bytes.Equal(got, want) {
		t.Errorf("shared %q, want %q", got, want)
	}
	for range 3 {
		if got := multivariant.Shared(plan, false); got != nil {
			t.Errorf("a playlist with sessions in it is shared: %q", got)
		}
	}
}
