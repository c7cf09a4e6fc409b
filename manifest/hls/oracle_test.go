package hls

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	grafov "github.com/grafov/m3u8"

	"manifold/manifest"
)

// TestPairsAreReadLikeLines puts a comment between the lines of a playlist, so
// that they are read one by one, and compares.
func TestPairsAreReadLikeLines(t *testing.T) {
	sources := corpus(t)
	sources["vod"], sources["live"] = vod(300), live(6)
	for name, src := range sources {
		slow := bytes.ReplaceAll(src, []byte("\n#EXTINF"), []byte("\n#\n#EXTINF"))
		a, err := Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Compile(slow)
		if err != nil {
			t.Fatal(err)
		}
		if *a.Index() != *b.Index() || len(a.segments) != len(b.segments) {
			t.Errorf("%s: %+v and %+v", name, a.Index(), b.Index())
			continue
		}
		for i := range a.segments {
			s, z := a.segments[i], b.segments[i]
			m, n := a.marks[s.mark], b.marks[z.mark]
			if s.duration != z.duration || s.flags != z.flags || !bytes.Equal(a.src[m.from:m.to], b.src[n.from:n.to]) {
				t.Errorf("%s: segment %d: %+v and %+v", name, i, s, z)
			}
		}
	}
}

// decode reads a playlist with grafov/m3u8, which panics on some.
func decode(src []byte) (list grafov.Playlist, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	list, _, err = grafov.DecodeFrom(bytes.NewReader(src), false)
	return list, err
}

// TestSecondOpinion reads what is rendered with another library and compares
// what that keeps: the segments' number, durations and URLs, the variants and
// their groups. It must be able to read all of the corpus but a few.
func TestSecondOpinion(t *testing.T) {
	read, all := 0, 0
	sources := corpus(t)
	delete(sources, "media-blank-lines.m3u8")           // it takes a blank line for the URI
	delete(sources, "media-integer-durations.m3u8")     // it does not read a duration with spaces
	delete(sources, "multivariant-odd-attributes.m3u8") // it needs attributes
	for name, src := range sources {
		tmpl, err := Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{"single", "steered", "backup"} {
			all++
			shape := shapes[of]
			out := tmpl.Append(nil, &manifest.Plan{Shape: shape, Path: "v720/index.m3u8", Values: values})
			list, err := decode(out)
			if err != nil {
				continue
			}
			switch list := list.(type) {
			case *grafov.MediaPlaylist:
				if tmpl.Kind() == manifest.HLSMedia {
					compareMedia(t, name, of, tmpl, list)
					read++
				}
			case *grafov.MasterPlaylist:
				if tmpl.Kind() == manifest.HLSMultivariant {
					compareMaster(t, name, of, tmpl, list)
					read++
				}
			}
		}
	}
	if read*10 < all*7 {
		t.Errorf("%d of %d could be read", read, all)
	}
}

func compareMedia(t *testing.T, name, of string, tmpl *Template, list *grafov.MediaPlaylist) {
	if int(list.Count()) != tmpl.Index().Segments {
		// It knows no segment without EXTINF.
		if n := bytes.Count(tmpl.src, []byte("#EXTINF:")); int(list.Count()) > n {
			t.Errorf("%s, %s: %d segments, it reads %d", name, of, tmpl.Index().Segments, list.Count())
		}
		return
	}
	if list.SeqNo != tmpl.Index().MediaSequence || list.Closed == tmpl.Index().Live {
		t.Errorf("%s, %s: it reads sequence %d, closed %v; index %+v", name, of, list.SeqNo, list.Closed, tmpl.Index())
	}
	for i, s := range list.Segments[:list.Count()] {
		own := tmpl.segments[i]
		if d := s.Duration - own.duration.Seconds(); math.Abs(d) > 1e-6 && s.Duration >= 0 {
			t.Errorf("%s, %s: segment %d: %v, it reads %v", name, of, i, own.duration, time.Duration(s.Duration*1e9))
		}
		m := tmpl.marks[own.mark]
		ref := string(tmpl.src[m.from:m.to])
		if !strings.ContainsAny(ref, ":/?#{% ") && s.URI != "https://alpha.example/live/v720/"+ref+"?"+tokenA {
			t.Errorf("%s, %s: segment %d: %q became %q", name, of, i, ref, s.URI)
		}
	}
}

func compareMaster(t *testing.T, name, of string, tmpl *Template, list *grafov.MasterPlaylist) {
	groups := make(map[string]bool)
	for _, v := range list.Variants {
		for _, a := range v.Alternatives {
			groups[a.Type+a.GroupId] = true
		}
	}
	listed := 0
	for _, v := range list.Variants {
		if !v.Iframe {
			listed++
		}
		if v.Audio != "" && !groups["AUDIO"+v.Audio] || v.Subtitles != "" && !groups["SUBTITLES"+v.Subtitles] {
			t.Errorf("%s, %s: variant %s names a group that is not there: %q %q", name, of, v.URI, v.Audio, v.Subtitles)
		}
	}
	if want := tmpl.Index().Variants; of == "single" && listed != want && !strings.Contains(name, "steered") {
		t.Errorf("%s: %d variants, it reads %d", name, want, listed)
	}
}
