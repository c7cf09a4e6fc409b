package proxy

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"manifold/explain"
	"manifold/origin"
)

// TestExplainNamesTheReference: whichever playlist is asked for first, the
// explanation of a media playlist names the rendition on which breaks are
// snapped.
func TestExplainNamesTheReference(t *testing.T) {
	for _, order := range [][]string{{"master.m3u8", "audio/index.m3u8", "v360/index.m3u8"}, {"v360/index.m3u8", "audio/index.m3u8", "master.m3u8"}} {
		s := newStage(t, nil)
		s.publish("/live/audio/index.m3u8", strings.ReplaceAll(mediaPlaylist, "2.000", "1.984"))
		explained := func(path string) string {
			got, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example/news/" + path, Device: "conservative"})
			if err != nil || got.Status != 200 {
				t.Fatalf("%s: %v, %+v", path, err, got)
			}
			for _, e := range got.Trace.Entries {
				if e.Reason == explain.CompileTogether {
					return fmt.Sprint(e.Subject, e.Facts)
				}
			}
			return ""
		}
		for i, path := range order {
			if got := explained(path); path == "master.m3u8" && got != "" || i == 0 && got != "" {
				t.Errorf("%s: %s", path, got)
			}
		}
		for _, path := range order {
			want := "v360/index.m3u8[{known 2} {of 2}]"
			if path == "master.m3u8" {
				want = ""
			}
			if got := explained(path); got != want {
				t.Errorf("%s: got %s, want %s", path, got, want)
			}
		}
	}
}

// TestSiblingsGoWithTheirTemplates: nothing is kept of what the shield let go
// of, and there is a bound.
func TestSiblingsGoWithTheirTemplates(t *testing.T) {
	s := newStage(t, nil)
	group := s.proxy.current.Load().channels["news"].group
	var known siblings
	compile := known.compiler(group, "https://origin.example/live/")
	document := func(path, body string) any {
		c, err := compile(origin.Document{Path: path, Body: []byte(body)})
		if err != nil || c.Cost < int64(len(body)) {
			t.Fatalf("%s: %v, cost %d", path, err, c.Cost)
		}
		return c.Value
	}
	kept := []any{
		document("a%20b/master.m3u8", multivariant+"#EXT-X-STREAM-INF:BANDWIDTH=1\nhttps://elsewhere.example/x.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=1280x720\n../v720.m3u8?q=1\n"),
		document("a%20b/v360/index.m3u8", mediaPlaylist), document("v720.m3u8", mediaPlaylist), document("manifest.mpd", mpd),
	}
	for path, want := range map[string]string{"a%20b/v360/index.m3u8": "../v720.m3u8 2/4", "v720.m3u8": "../v720.m3u8 2/4", "a%20b/audio/index.m3u8": "../v720.m3u8 2/4", "other.m3u8": ""} {
		name, n, all, ok := known.reference(group, path)
		if got := fmt.Sprintf("%s %d/%d", name, n, all); ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %s, %v, want %s", path, got, ok, want)
		}
	}
	runtime.KeepAlive(kept)
	kept = nil
	runtime.GC()
	if name, _, _, ok := known.reference(group, "v720.m3u8"); ok {
		t.Errorf("%s is kept", name)
	}
	for i := range fewPlaces {
		document(fmt.Sprintf("%d.m3u8", i), mediaPlaylist)
	}
	if known.places[place{weak.Make(group), "v720.m3u8"}] != nil || len(known.places) > fewPlaces {
		t.Errorf("%d places", len(known.places))
	}
}
