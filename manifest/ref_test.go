package manifest

import (
	"net/url"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	const source = "http://origin.example/live/"
	for _, c := range []struct {
		ref, under string
		ok         bool
	}{
		{"seg1.m4s", "v720/seg1.m4s", true},
		{"seg1.m4s?x=1", "v720/seg1.m4s?x=1", true},
		{"./seg1.m4s", "v720/seg1.m4s", true},
		{"../a/seg1.m4s", "a/seg1.m4s", true},
		{"../../a", "", false},
		{"/live/x/y", "x/y", true},
		{"/other/y", "", false},
		{"//origin.example/live/q", "q", true},
		{"//evil.example/live/q", "", false},
		{"http://origin.example/live/v/a.m4s", "v/a.m4s", true},
		{"http://origin.example/live/../x", "", false},
		{"http://origin.example/livelier/a", "", false},
		{"https://origin.example/live/a", "", false},
		{"data:text/plain,x", "", false},
		{"skd://key", "", false},
		{"?_x=1", "v720/index.m3u8?_x=1", true},
		{"", "", false},
		{"a:b", "", false},
		{"./a:b", "v720/a:b", true},

		// The root itself, and directories.
		{"..", "", true},
		{"../", "", true},
		{"a/../..", "", true},
		{"a/..", "v720/", true},
		{".", "v720/", true},
		{"./", "v720/", true},
		{"http://origin.example/live/", "", true},
		{"http://origin.example/live", "", false},
		{"http://origin.example/live/?x=1", "?x=1", true},
		{"http://origin.example", "", false},

		// Above the root and back, and through other paths.
		{"../../live/a", "a", true},
		{"../../../../live/a", "a", true},
		{"/x/../live/a", "a", true},
		{"http://origin.example/x/../live/./a", "a", true},

		// The authority without regard to case, the path with.
		{"HTTP://ORIGIN.example/live/a", "a", true},
		{"http://origin.example/LIVE/a", "", false},
		{"/Live/a", "", false},
		{"//Origin.Example/live/a", "a", true},
		{"http://origin.example:80/live/a", "a", true},
		{"http://origin.example:/live/a", "a", true},
		{"http://origin.example:443/live/a", "", false},
		{"http://origin.example.evil.example/live/a", "", false},
		{"http://origin.example@evil.example/live/a", "", false},
		{"http://user@origin.example/live/a", "", false},

		// Dots only where they are a segment, and before the query.
		{"a..b", "v720/a..b", true},
		{"...", "v720/...", true},
		{".hidden", "v720/.hidden", true},
		{"a./b", "v720/a./b", true},
		{"a?../../../x", "v720/a?../../../x", true},
		{"..?x=./y", "?x=./y", true},
		{".?x", "v720/?x", true},
		{"a/.", "v720/a/", true},
		{"/live/a?u=/../..", "a?u=/../..", true},
		{"%2e%2E/%2e%2e/x", "", false},
		{".%2e/x", "x", true},
		{"%2e/x", "v720/x", true},
		{"%2f..", "v720/%2f..", true},
		{"a//../b", "v720/a/b", true},

		// A colon makes a scheme only behind a scheme's letters.
		{"seg_12:30.ts", "v720/seg_12:30.ts", true},
		{"1:30.ts", "v720/1:30.ts", true},
		{"a/b:c", "v720/a/b:c", true},
		{"a?b:c", "v720/a?b:c", true},
		{":a", "v720/:a", true},
		{"mailto:a@b", "", false},
		{"http:seg.ts", "", false},

		// What clients would not agree on.
		{"a.m4s#f", "", false},
		{`\\evil.example\x`, "", false},
		{`..\..\x`, "", false},
		{"a\tb", "", false},
		{"a\nb", "", false},
		{"a\x7f", "", false},
		{"a b.ts?c d", "v720/a%20b.ts?c%20d", true},
	} {
		under, ok := Resolve(source, "v720/index.m3u8", c.ref)
		if under != c.under || ok != c.ok {
			t.Errorf("Resolve(%q) = %q, %v; want %q, %v", c.ref, under, ok, c.under, c.ok)
		}
	}
}

func TestResolveSources(t *testing.T) {
	for _, c := range []struct {
		source, path, ref, under string
		ok                       bool
	}{
		{"http://origin.example/", "i.m3u8", "../a", "a", true},
		{"http://origin.example", "i.m3u8", "http://origin.example/a", "a", true},
		{"http://origin.example", "i.m3u8", "http://origin.example?a", "?a", true},
		{"https://origin.example:443/x/", "i.m3u8", "https://origin.example/x/a", "a", true},
		{"https://origin.example:8443/x/", "i.m3u8", "https://origin.example/x/a", "", false},
		{"http://[::1]:80/x/", "i.m3u8", "http://[::1]/x/a", "a", true},
		{"https://origin.example/x/", "i.m3u8", "//origin.example/x/a", "a", true},
		// No source: nothing absolute is ours, nor what may climb above.
		{"", "v/i.m3u8", "a", "v/a", true},
		{"", "v/i.m3u8", "../a", "a", true},
		{"", "v/i.m3u8", "../../a", "", false},
		{"", "v/i.m3u8", "/a", "", false},
		{"", "v/i.m3u8", "//h/a", "", false},
		{"", "v/i.m3u8", "http://h/a", "", false},
		{"", "v/i.m3u8", "", "", false},
		// The manifest's path is canonical, so it is escaped again.
		{"http://o/", "a?b/c d/i.m3u8", "s.ts", "a%3Fb/c%20d/s.ts", true},
		{"http://o/", "a%b/i.m3u8", "../s.ts", "s.ts", true},
		{"http://o/", "a%b/i.m3u8", "./s.ts", "a%25b/s.ts", true},
		{"http://o/", "a#b/é.m3u8", "?x", "a%23b/%C3%A9.m3u8?x", true},
	} {
		under, ok := Resolve(c.source, c.path, c.ref)
		if under != c.under || ok != c.ok {
			t.Errorf("Resolve(%q, %q, %q) = %q, %v; want %q, %v", c.source, c.path, c.ref, under, ok, c.under, c.ok)
		}
	}
}

// The examples of RFC 3986, section 5.4, except those with a fragment, an
// empty reference or another scheme, which are not ours.
func TestResolveRFC3986(t *testing.T) {
	for ref, want := range map[string]string{
		"g": "b/c/g", "./g": "b/c/g", "g/": "b/c/g/", "/g": "g", "?y": "b/c/d;p?y", "g?y": "b/c/g?y",
		";x": "b/c/;x", "g;x": "b/c/g;x", "g;x?y": "b/c/g;x?y", ".": "b/c/", "./": "b/c/", "..": "b/",
		"../": "b/", "../g": "b/g", "../..": "", "../../": "", "../../g": "g",
		"../../../g": "g", "../../../../g": "g", "/./g": "g", "/../g": "g", "g.": "b/c/g.", ".g": "b/c/.g",
		"g..": "b/c/g..", "..g": "b/c/..g", "./../g": "b/g", "./g/.": "b/c/g/", "g/./h": "b/c/g/h",
		"g/../h": "b/c/h", "g;x=1/./y": "b/c/g;x=1/y", "g;x=1/../y": "b/c/y", "g?y/./x": "b/c/g?y/./x",
		"g?y/../x": "b/c/g?y/../x",
	} {
		if under, ok := Resolve("http://a/", "b/c/d;p", ref); under != want || !ok {
			t.Errorf("Resolve(%q) = %q, %v; want %q", ref, under, ok, want)
		}
	}
}

// FuzzResolve holds Resolve against net/url: what is ours is where net/url
// says, and never above the root.
func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"a", "../a", "../../live/a", "/live/x", "//h/live/y", "http://h/live/z?q",
		"?q", "a/./b/../c", "%2e%2e/a", "a:b", "./a:b", "a//b", "..?x", "é", "HTTP://H:80/live/a", "a%zz"} {
		f.Add("v/i.m3u8", ref)
	}
	f.Fuzz(func(t *testing.T, path, ref string) {
		if strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains("/"+path+"/", "/./") || strings.Contains("/"+path+"/", "/../") {
			return // not canonical
		}
		const source = "http://h/live/"
		under, ok := Resolve(source, path, ref)
		if !ok {
			return
		}
		got, err := url.Parse(source + under)
		if err != nil {
			return // as broken as the reference was
		}
		if climbs := strings.Contains("/"+got.Path+"/", "/../"); climbs && !strings.Contains(under, "%2F") && !strings.Contains(under, "%2f") {
			t.Fatalf("Resolve(%q, %q) = %q, which climbs", path, ref, under)
		}
		if !strings.HasPrefix(got.JoinPath().EscapedPath(), "/live/") {
			t.Fatalf("Resolve(%q, %q) = %q, which leaves the root", path, ref, under)
		}
		base := &url.URL{Scheme: "http", Host: "h", Path: "/live/" + path}
		want, err := base.Parse(ref)
		if lower := strings.ToLower(ref); err != nil || strings.Contains(lower, "%2e") || strings.Contains(lower, "%2f") || strings.Contains(path+ref, "//") {
			return // net/url does not take escaped dots for dots, and at times an escaped slash for one
		}
		if got.Path != want.Path || got.RawQuery != want.RawQuery && !strings.Contains(ref, " ") {
			t.Fatalf("Resolve(%q, %q) = %q; net/url has %q", path, ref, under, want)
		}
	})
}

func TestBuilderAddresses(t *testing.T) {
	shape := &Shape{
		Prefix: "/news", Edge: "https://edge.example:8443",
		Pathways: []Pathway{
			{ID: "a", Base: "https://a.example/live/"},
			{ID: "b", Base: "https://b.example/live/", Token: InQuery},
			{ID: "c", Base: "https://c.example/live/", Token: InPath, TokenAt: len("https://c.example/")},
		},
		Steering:    &Steering{Before: "/.manifold/steer/news?s=", After: "&v=1"},
		SlotLengths: []int{3, 2, 2, 2},
	}
	values := [][]byte{[]byte("SSS"), []byte("T0"), []byte("T1"), []byte("T2")}
	cohort, proxied, quiet := *shape, *shape, *shape
	cohort.Cohort = "de-hd"
	proxied.Segments = SegmentsProxy
	quiet.Steering = &Steering{Before: "/steer", After: "no", NoSession: true}
	for _, c := range []struct {
		name string
		add  func(b *Builder)
		want string
	}{
		{"no token", func(b *Builder) { b.MediaURL(shape, 0, "v/1.m4s") }, "https://a.example/live/v/1.m4s"},
		{"query", func(b *Builder) { b.MediaURL(shape, 1, "v/1.m4s") }, "https://b.example/live/v/1.m4s?T1"},
		{"query, second", func(b *Builder) { b.MediaURL(shape, 1, "v/1.m4s?x=1") }, "https://b.example/live/v/1.m4s?x=1&T1"},
		{"path", func(b *Builder) { b.MediaURL(shape, 2, "v/1.m4s") }, "https://c.example/T2/live/v/1.m4s"},
		{"path, root", func(b *Builder) { b.MediaURL(shape, 2, "") }, "https://c.example/T2/live/"},
		{"proxied", func(b *Builder) { b.MediaURL(&proxied, 1, "v/1.m4s") }, "/news/~SSS/b/v/1.m4s"},
		{"address", func(b *Builder) { b.Address(shape, NoPathway, "m.mpd") }, "/news/~SSS/-/m.mpd"},
		{"cohort", func(b *Builder) { b.Address(&cohort, "a", "m.m3u8") }, "/news/~c.de-hd/a/m.m3u8"},
		{"steering", func(b *Builder) { b.SteeringURL(shape) }, "https://edge.example:8443/.manifold/steer/news?s=SSS&v=1"},
		{"steering, no session", func(b *Builder) { b.SteeringURL(&quiet) }, "https://edge.example:8443/steer"},
	} {
		b := NewBuilder(shape.SlotLengths, 16)
		c.add(b)
		if got := string(b.Form().Append(nil, values)); got != c.want {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
	}
}
