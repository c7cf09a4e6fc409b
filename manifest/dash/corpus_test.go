package dash

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zencoder/go-dash/v3/mpd"

	"manifold/manifest"
)

// corpus reads testdata/corpus/*.mpd.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.mpd")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d MPDs in the corpus: %v", len(files), err)
	}
	all := make(map[string][]byte, len(files))
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".mpd")] = src
	}
	return all
}

func compile(t testing.TB, src []byte) *Template {
	t.Helper()
	tmpl, err := Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// TestIdentity holds that a nil plan gives the source byte for byte.
func TestIdentity(t *testing.T) {
	for name, src := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			kept := bytes.Clone(src)
			tmpl := compile(t, src)
			head := []byte("before")
			if got := tmpl.Append(head, nil); string(got) != "before"+string(kept) {
				t.Errorf("nil plan: got\n%s", got)
			}
			if got := tmpl.Append(nil, &manifest.Plan{Path: "vod/manifest.mpd"}); !bytes.Equal(got, kept) {
				t.Errorf("plan without a shape: got\n%s", got)
			}
			if got := gunzip(t, tmpl.AppendGzip([]byte("x"), nil)[1:]); !bytes.Equal(got, kept) {
				t.Errorf("gzip: got\n%s", got)
			}
			if !bytes.Equal(tmpl.Source(), kept) || tmpl.Kind() != manifest.DASH || tmpl.Index().Kind != manifest.DASH {
				t.Error("the source or the kind is not that of the MPD")
			}
			if tmpl.Cost() < int64(len(src)) {
				t.Errorf("costs %d bytes, the source alone has %d", tmpl.Cost(), len(src))
			}
		})
	}
}

func gunzip(t testing.TB, p []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestShapes holds, for all of the corpus and all shapes, that the output is
// well-formed, compiles again with the same Periods and Representations, says
// the same compressed, and that nothing but what we rewrite has changed.
func TestShapes(t *testing.T) {
	for name, src := range corpus(t) {
		tmpl := compile(t, src)
		for shapeName, shape := range shapes {
			t.Run(name+"/"+shapeName, func(t *testing.T) {
				plan := &manifest.Plan{Shape: shape, Path: "vod/manifest.mpd", Values: values}
				out := tmpl.Append(nil, plan)
				again, err := Compile(out)
				if err != nil {
					t.Fatalf("%v in\n%s", err, out)
				}
				was, is := *tmpl.Index(), *again.Index()
				got, want := skeleton(t, out), skeleton(t, src)
				switch {
				case drops(name, shapeName):
					if is.Variants > was.Variants || is.Variants == 0 && was.Variants > 0 || !isWithin(got, want) {
						t.Errorf("more is dropped than Representations: got\n%s\nof\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				case was != is:
					t.Errorf("index %+v, of the source %+v", is, was)
				case !slices.Equal(got, want):
					t.Errorf("more changed than what is ours: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if got := gunzip(t, tmpl.AppendGzip(nil, plan)); !bytes.Equal(got, out) {
					t.Errorf("compressed it says\n%s\nplain\n%s", got, out)
				}
			})
		}
	}
}

// drops says that a shape drops Representations of an MPD: those that its
// filter does not keep, or that are at another host (see render.part).
func drops(name, shape string) bool {
	return strings.HasPrefix(shape, "filtered") || name == "baseurl-levels-absolute" && strings.HasPrefix(shape, "query")
}

// isWithin says that part can be had from whole by leaving things out.
func isWithin(part, whole []string) bool {
	for _, s := range whole {
		if len(part) > 0 && part[0] == s {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// skeleton reads a document with encoding/xml and gives its tokens without
// what a plan may change: BaseURLs, Locations, steering, the values of URL
// attributes, and white space.
func skeleton(t testing.TB, src []byte) []string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var out []string
	skip := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in\n%s", err, src)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if skip > 0 || changes(tok.Name) {
				skip++
				continue
			}
			s := "<" + tok.Name.Space + " " + tok.Name.Local
			for _, a := range tok.Attr {
				if a.Name.Local == "publishTime" {
					continue
				}
				if !strings.Contains(" media index initialization bitstreamSwitching sourceURL ", " "+a.Name.Local+" ") || a.Name.Space != "" {
					s += " " + a.Name.Space + ":" + a.Name.Local + "=" + a.Value
				}
			}
			out = append(out, s)
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			out = append(out, ">")
		case xml.CharData:
			if s := strings.TrimSpace(string(tok)); skip == 0 && s != "" {
				out = append(out, s)
			}
		case xml.Comment:
			if skip == 0 {
				out = append(out, "!"+string(tok))
			}
		case xml.ProcInst:
			out = append(out, "?"+tok.Target+string(tok.Inst))
		}
	}
}

func changes(n xml.Name) bool {
	if n.Space != "" && !strings.EqualFold(n.Space, namespace) {
		return false
	}
	switch n.Local {
	case "BaseURL", "Location", "PatchLocation", "ContentSteering":
		return true
	}
	return false
}

// TestSecondOpinion holds that zencoder/go-dash reads the output as it reads
// the source, but for the BaseURLs and the Location.
func TestSecondOpinion(t *testing.T) {
	seen := 0
	all := corpus(t)
	delete(all, "baseurl-levels-absolute") // loses a Representation: see TestShapes
	for name, src := range all {
		want, ok := readByLibrary(src)
		if !ok {
			continue
		}
		seen++
		for _, shape := range []string{"steered", "backup", "query", "proxied"} {
			out := compile(t, src).Append(nil, &manifest.Plan{Shape: shapes[shape], Path: "vod/manifest.mpd", Values: values})
			got, ok := readByLibrary(out)
			if !ok {
				t.Errorf("%s, %s: the library reads the source but not the output\n%s", name, shape, out)
				continue
			}
			if len(got.Periods) != len(want.Periods) || got.Type == nil != (want.Type == nil) {
				t.Errorf("%s, %s: %d periods, of the source %d", name, shape, len(got.Periods), len(want.Periods))
				continue
			}
			for i := range want.Periods {
				g, w := got.Periods[i], want.Periods[i]
				if g.ID != w.ID || g.Duration != w.Duration || len(g.AdaptationSets) != len(w.AdaptationSets) {
					t.Errorf("%s, %s: period %d differs", name, shape, i)
					continue
				}
				for j := range w.AdaptationSets {
					if len(g.AdaptationSets[j].Representations) != len(w.AdaptationSets[j].Representations) {
						t.Errorf("%s, %s: set %d of period %d differs", name, shape, j, i)
					}
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("the library read only %d MPDs", seen)
	}
}

func readByLibrary(src []byte) (m *mpd.MPD, ok bool) {
	defer func() {
		if recover() != nil {
			m, ok = nil, false
		}
	}()
	m, err := mpd.ReadFromString(string(src))
	return m, err == nil
}
