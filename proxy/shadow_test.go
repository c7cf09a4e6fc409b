package proxy

import (
	"strings"
	"testing"

	"manifold/manifest"
)

// witness keeps what it was told.
type witness struct {
	kinds   []manifest.Kind
	sources []string
	outputs []string
	paths   []string
}

func (w *witness) Offer(kind manifest.Kind, source, output []byte, plan *manifest.Plan) {
	w.kinds, w.sources = append(w.kinds, kind), append(w.sources, string(source))
	w.outputs, w.paths = append(w.outputs, string(output)), append(w.paths, plan.Path)
}

// The shadow is told of each manifest as it is sent, and of nothing else.
func TestShadowIsTold(t *testing.T) {
	s := newStage(t, nil)
	w := &witness{}
	s.proxy.SetShadow(w)
	entry := "/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)
	for _, header := range []fields{{"User-Agent": "test"}, {"User-Agent": "test", "Accept-Encoding": "gzip"}} {
		*w = witness{}
		body := s.ask("GET", entry, header).ok(t).body
		if len(w.outputs) != 1 || w.outputs[0] != body && header["Accept-Encoding"] == "" {
			t.Fatalf("%v: told of %q, sent %q", header, w.outputs, body)
		}
		if gzip := strings.HasPrefix(w.outputs[0], "\x1f\x8b"); gzip != (header["Accept-Encoding"] != "") {
			t.Errorf("%v: told of %q", header, w.outputs[0])
		}
		if w.kinds[0] != manifest.HLSMultivariant || w.sources[0] != multivariant || w.paths[0] != "master.m3u8" {
			t.Errorf("%v: told of %v %q of %q", header, w.kinds[0], w.paths[0], w.sources[0])
		}
	}
	steer := "/.manifold/steer/news/" + strings.Split(sessionURI.FindString(s.get(entry).ok(t).body), "/")[2]
	*w = witness{}
	s.get(steer).ok(t)
	s.get("/news/nothing.m3u8")
	if _, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example" + entry}); err != nil {
		t.Fatal(err)
	}
	s.proxy.SetShadow(nil)
	s.get(entry).ok(t)
	if len(w.outputs) != 0 {
		t.Errorf("told of %q", w.outputs)
	}
}
