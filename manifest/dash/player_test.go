package dash

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"manifold/manifest"
)

// element is a document as a player has it, of the MPD's namespace only.
type element struct {
	name  string
	attrs map[string]string
	text  string
	kids  []*element
}

func (e *element) all(name string) []*element {
	var out []*element
	for _, k := range e.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

func parse(t testing.TB, src []byte) *element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	top := &element{}
	stack := []*element{top}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return top.kids[0]
		}
		if err != nil {
			t.Fatal(err)
		}
		at := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local, attrs: map[string]string{}}
			for _, a := range tok.Attr {
				if a.Name.Space == "" {
					e.attrs[a.Name.Local] = a.Value
				}
			}
			if strings.EqualFold(tok.Name.Space, namespace) || tok.Name.Space == "" {
				at.kids = append(at.kids, e)
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			at.text += string(tok)
		}
	}
}

// resolveAll resolves references against each of the bases.
func resolveAll(t testing.TB, bases, refs []string) []string {
	t.Helper()
	var out []string
	for _, b := range bases {
		base, err := url.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			// net/url escapes more than needed where it has to escape at all.
			ref, err := url.Parse(ascii(strings.TrimSpace(r)))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, base.ResolveReference(ref).String())
		}
	}
	return out
}

func ascii(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// basesAt gives the base URLs at a level for a player told to use the service
// location prefer: that one where it is offered, else any.
func basesAt(t testing.TB, above []string, e *element, prefer string) []string {
	t.Helper()
	var any, told []string
	for _, b := range e.all("BaseURL") {
		any = append(any, b.text)
		if prefer != "" && b.attrs["serviceLocation"] == prefer {
			told = append(told, b.text)
		}
	}
	switch {
	case told != nil:
		return resolveAll(t, above, told)
	case any != nil:
		return resolveAll(t, above, any)
	}
	return above
}

// fetched gives all URLs that a player may fetch media from.
func fetched(t testing.TB, src []byte, address, prefer string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	root := parse(t, src)
	bases := basesAt(t, []string{address}, root, prefer)
	put := func(bases []string, refs ...string) {
		for _, u := range resolveAll(t, bases, refs) {
			out[u] = true
		}
	}
	for _, p := range root.all("Period") {
		inPeriod := basesAt(t, bases, p, prefer)
		for _, s := range p.all("AdaptationSet") {
			inSet := basesAt(t, inPeriod, s, prefer)
			for _, r := range s.all("Representation") {
				own := basesAt(t, inSet, r, prefer)
				template := map[string]string{}
				listed := false
				for _, level := range []*element{p, s, r} {
					for _, e := range level.all("SegmentTemplate") {
						maps.Copy(template, e.attrs)
						listed = true
					}
				}
				for _, name := range []string{"media", "initialization", "index", "bitstreamSwitching"} {
					if v := template[name]; v != "" {
						put(own, v)
					}
				}
				for _, level := range []*element{p, s, r} {
					for _, e := range append(level.all("SegmentList"), level.all("SegmentBase")...) {
						for _, k := range e.kids {
							for _, name := range []string{"media", "index", "sourceURL"} {
								if v := k.attrs[name]; v != "" {
									put(own, v)
									listed = listed || name == "media"
								}
							}
						}
					}
				}
				if !listed {
					for _, b := range own {
						if !strings.HasSuffix(b, "/") && b != address {
							out[b] = true
						}
					}
				}
			}
		}
	}
	return out
}

// TestPlayerFetchesWhatTheOriginMeant resolves every URL of the corpus as a
// player does, in the source and in what each shape makes of it, for each
// pathway: taken back from the pathway to the origin they are the same, a
// token is wherever its CDN wants it, and nowhere else.
func TestPlayerFetchesWhatTheOriginMeant(t *testing.T) {
	const path = "vod/manifest.mpd"
	for name, src := range corpus(t) {
		tmpl := compile(t, src)
		want := fetched(t, src, source+path, "")
		for _, shapeName := range []string{"steered", "chosen", "backup", "query", "proxied", "redirected", "query-several", "theirs"} {
			shape := shapes[shapeName]
			out := tmpl.Append(nil, &manifest.Plan{Shape: shape, Path: path, Values: values})
			listed := listedIDs(t, out)
			for i, p := range shape.Pathways {
				if !slices.Contains(listed, p.ID) && i > 0 {
					continue
				}
				prefix := prefixOf(shape, i)
				token := string(values[manifest.SlotToken(i)])
				got := fetched(t, out, "https://edge.example:8443/news/~"+session+"/-/"+path, p.ID)
				if len(got) == 0 && len(want) > 0 {
					t.Errorf("%s, %s, %s: nothing is fetched", name, shapeName, p.ID)
				}
				for u := range got {
					back := u
					if rest, ok := strings.CutPrefix(u, prefix); ok {
						if shape.Segments == manifest.SegmentsDirect && p.Token == manifest.InQuery {
							bare, ok := strings.CutSuffix(rest, token)
							if !ok {
								t.Errorf("%s, %s, %s: no token in %s", name, shapeName, p.ID, u)
							}
							rest = strings.TrimSuffix(strings.TrimSuffix(bare, "?"), "&")
						}
						back = source + rest
					} else {
						for _, v := range values {
							if strings.Contains(u, string(v)) {
								t.Errorf("%s, %s, %s: %s leads elsewhere with a token or session", name, shapeName, p.ID, u)
							}
						}
					}
					if !want[back] {
						t.Errorf("%s, %s, %s: %s is not what the origin meant: it had\n%s", name, shapeName, p.ID, u, strings.Join(slices.Sorted(maps.Keys(want)), "\n"))
					}
				}
			}
		}
	}
}

func prefixOf(shape *manifest.Shape, i int) string {
	p := shape.Pathways[i]
	if shape.Segments != manifest.SegmentsDirect {
		return "https://edge.example:8443" + shape.Prefix + "/~" + session + "/" + p.ID + "/"
	}
	if p.Token == manifest.InPath {
		return p.Base[:p.TokenAt] + string(values[manifest.SlotToken(i)]) + "/" + p.Base[p.TokenAt:]
	}
	return p.Base
}

// listedIDs gives the service locations that an MPD offers.
func listedIDs(t testing.TB, src []byte) []string {
	t.Helper()
	var out []string
	for _, b := range parse(t, src).all("BaseURL") {
		out = append(out, b.attrs["serviceLocation"])
	}
	return out
}
