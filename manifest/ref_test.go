package manifest

import "testing"

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
		{"a/../..", "", false},
		{"a/..", "v720/", true},
		{"/live/x/y", "x/y", true},
		{"/other/y", "", false},
		{"//origin.example/live/q", "q", true},
		{"//evil.example/live/q", "", false},
		{"http://origin.example/live/v/a.m4s", "v/a.m4s", true},
		{"http://origin.example/live/../x", "", false},
		{"HTTP://ORIGIN.example/live/a", "a", true},
		{"http://origin.example/livelier/a", "", false},
		{"https://origin.example/live/a", "", false},
		{"data:text/plain,x", "", false},
		{"skd://key", "", false},
		{"?_x=1", "v720/index.m3u8?_x=1", true},
		{"a.m4s#f", "", false},
		{"", "", false},
		{"a:b", "", false},
		{"./a:b", "v720/a:b", true},
	} {
		under, ok := Resolve(source, "v720/index.m3u8", c.ref)
		if under != c.under || ok != c.ok {
			t.Errorf("Resolve(%q) = %q, %v; want %q, %v", c.ref, under, ok, c.under, c.ok)
		}
	}
}
