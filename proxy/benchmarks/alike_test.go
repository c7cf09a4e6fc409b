package benchmarks

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What is compared is comparable: every contender answers with the fields and
// the size that ours has, and ours is the viewer's own manifest.
func TestContendersAnswerAlike(t *testing.T) {
	s := newStage(t)
	for _, p := range protocols {
		for i := range cases {
			k := &cases[i]
			tr, err := s.prepare(p, k)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range contenders {
				if _, err := s.measure(tr, c, 2*connections); err != nil {
					t.Fatalf("%s, %s, %s: %v", p, k.name, c, err)
				}
				if c == "manifold" {
					continue
				}
				resp, body, err := ask(transport(p), scheme(p)+"://"+s.bare.address[p]+"/", browserHeader(k.gzip))
				if err != nil {
					t.Fatal(err)
				}
				if len(body) != tr.size || !slices.Equal(names(resp.Header), names(tr.header)) {
					t.Errorf("%s, %s: %s has %d bytes and %v, ours %d and %v", p, k.name, c, len(body), names(resp.Header), tr.size, names(tr.header))
				}
			}
		}
	}
	media := s.manifest(t, &vod500, 0)
	if n := strings.Count(media, "?hdnts="); n != 501 || !strings.Contains(media, ".example/vod/seg_00499.m4s?") {
		t.Errorf("%d tokens in\n%.500s", n, media)
	}
	if a, b := s.manifest(t, &liveMPD, 0), s.manifest(t, &liveMPD, 1); a == b || strings.Count(a, "serviceLocation=") != 3 {
		t.Errorf("two viewers get\n%.800s\n%.800s", a, b)
	}
}

func (s *stage) manifest(t *testing.T, d *document, viewer int) string {
	t.Helper()
	resp, body, err := ask(transport("h1"), "http://"+s.edge["h1"]+s.paths[d][viewer], nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	return string(body)
}

func names(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
