package dash

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestResolve(t *testing.T) {
	o := newOrigin(source)
	for _, c := range []struct {
		dir, ref string
		reach    reach
		path     string
	}{
		{"vod/", "a/b.mp4", relative, "vod/a/b.mp4"},
		{"vod/", "a/b.mp4?x=1", relative, "vod/a/b.mp4?x=1"},
		{"vod/", "a/b.mp4#t=1", relative, "vod/a/b.mp4"},
		{"vod/", "./", relative, "vod/"},
		{"", "./", relative, ""},
		{"", ".", relative, ""},
		{"vod/", "..", relative, ""},
		{"vod/", "", relative, "vod/"},
		{"vod/", "?x", relative, "vod/?x"},
		{"vod/a/", "../b/../c/./d", relative, "vod/c/d"},
		{"vod/", "%2e%2E/b", relative, "b"},
		{"vod/", "...", relative, "vod/..."},
		{"vod/", "a.b/", relative, "vod/a.b/"},
		{"vod/", "a:b", foreign, "a:b"},
		{"vod/", "./a:b", relative, "vod/a:b"},
		{"vod/", "$Time$:1", relative, "vod/$Time$:1"},
		{"vod/", "1a:b", relative, "vod/1a:b"},
		{"vod/", "../../x", outside, "http://origin.example/x"},
		{"vod/", "../../../../x/./y", outside, "http://origin.example/x/y"},
		{"vod/", "../../live/x", rooted, "x"},
		{"", "a/../../live/vod/./y?q", rooted, "vod/y?q"},
		{"", "http://origin.example/x/../live/y", rooted, "y"},
		{"vod/", "/live/x", rooted, "x"},
		{"vod/", "/live/", rooted, ""},
		{"vod/", "/live", outside, "http://origin.example/live"},
		{"vod/", "/live/../x", outside, "http://origin.example/x"},
		{"vod/", "/other/x?q=/live/", outside, "http://origin.example/other/x?q=/live/"},
		{"vod/", "//origin.example/live/x", rooted, "x"},
		{"vod/", "//other.example/live/x", foreign, "http://other.example/live/x"},
		{"vod/", "http://origin.example/live/x/y?z", rooted, "x/y?z"},
		{"vod/", "HTTP://ORIGIN.example:80/live/x", rooted, "x"},
		{"vod/", "http://origin.example/LIVE/x", outside, "http://origin.example/LIVE/x"},
		{"vod/", "http://origin.example", outside, "http://origin.example/"},
		{"vod/", "http://origin.example?x", outside, "http://origin.example/?x"},
		{"vod/", "http://origin.example:8080/live/x", foreign, "http://origin.example:8080/live/x"},
		{"vod/", "http://origin.example.evil.example/live/x", foreign, "http://origin.example.evil.example/live/x"},
		{"vod/", "http://origin.example@evil.example/live/x", foreign, "http://origin.example@evil.example/live/x"},
		{"vod/", "https://origin.example/live/x", foreign, "https://origin.example/live/x"},
		{"vod/", "data:video/mp4;base64,AAAA", foreign, "data:video/mp4;base64,AAAA"},
		{"vod/", `\\evil.example\x`, foreign, ""},
		{"vod/", "ht\ttp://evil.example/x", foreign, ""},
		{"vod/", strings.Repeat("a", maxURL+1), foreign, ""},
	} {
		got := o.resolve(c.dir, c.ref)
		if got.reach != c.reach || got.path != c.path {
			t.Errorf("resolve(%q, %.60q) = %v, %q; want %v, %q", c.dir, c.ref, got.reach, got.path, c.reach, c.path)
		}
	}
	nowhere := newOrigin("")
	for _, c := range []struct {
		ref   string
		reach reach
		path  string
	}{
		{"a", relative, "vod/a"},
		{"../../a", outside, ""},
		{"/a", foreign, ""},
		{"//h/a", foreign, ""},
		{"http://h/a", foreign, ""},
	} {
		if got := nowhere.resolve("vod/", c.ref); got.reach != c.reach || got.path != c.path {
			t.Errorf("without a source resolve(%q) = %v, %q", c.ref, got.reach, got.path)
		}
	}
	if o := newOrigin("http://h"); o.authority != "http://h" || o.path != "/" {
		t.Errorf("a source without a path is %+v", o)
	}
}

// TestResolveIsRFC3986 compares with net/url, and holds that what fromRoot
// writes is resolved back to where it came from, from any base.
func TestResolveIsRFC3986(t *testing.T) {
	o := newOrigin(source)
	piece := rapid.SampledFrom([]string{"a", "b", "..", ".", "a:b", "x.mp4", "live", "...", "$Time$"})
	rapid.Check(t, func(t *rapid.T) {
		dir := strings.Repeat("d/", rapid.IntRange(0, 3).Draw(t, "depth"))
		ref := strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(t, "ref"), "/")
		base, err := url.Parse(source + dir)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := url.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		want := base.ResolveReference(parsed).String()
		switch to := o.resolve(dir, ref); to.reach {
		case relative, rooted:
			if got := source + to.path; got != want {
				t.Fatalf("%q from %q is %q, want %q", ref, dir, got, want)
			}
			back, err := url.Parse(fromRoot(strings.Count(dir, "/"), to.path))
			if err != nil {
				t.Fatal(err)
			}
			if got := base.ResolveReference(back).String(); got != want {
				t.Fatalf("%q from %q leads to %q, want %q", back, dir, got, want)
			}
		case outside:
			if to.path != want {
				t.Fatalf("%q from %q is %q, want %q", ref, dir, to.path, want)
			}
			if strings.HasPrefix(want, source) {
				t.Fatalf("%q from %q is called outside", ref, dir)
			}
		case foreign:
			if parsed.Scheme == "" {
				t.Fatalf("%q from %q is called foreign", ref, dir)
			}
		}
	})
}

func TestSafePath(t *testing.T) {
	for path, want := range map[string]string{
		"":                   "",
		"vod/manifest.mpd":   "vod/manifest.mpd",
		"a b/c%20d/é?#\"<>'": "a%20b/c%2520d/%C3%A9%3F%23%22%3C%3E'",
		"a:b@c!$&()*+,;=~_-": "a:b@c!$&()*+,;=~_-",
		"[x]\\^`{|}\x7f\x00": "%5Bx%5D%5C%5E%60%7B%7C%7D%7F%00",
	} {
		if got := safePath(path); got != want {
			t.Errorf("safePath(%q) = %q, want %q", path, got, want)
		}
	}
}
