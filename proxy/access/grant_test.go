package access

import (
	"net/netip"
	"strings"
	"testing"
)

func TestScopeOfGrant(t *testing.T) {
	for _, tc := range []struct {
		paths        string
		prefix, path string
		dir          string
		ok           bool
	}{
		{"", "/vod", "a/b", "", true},
		{"/", "/vod", "a/b", "", true},
		{"/", "", "a", "", true},
		{"/vod/", "/vod", "a/b", "", true},
		{"/vod/", "/vod/films", "a/b", "", true},
		{"/vod/films/", "/vod", "films/b", "films/", true},
		{"/vod/films/", "/vod", "films", "", false},
		{"/vod/films/", "/vod", "filmsx/b", "", false},
		{"/vodx/", "/vod", "x/b", "", false},
		{"/vo/", "/vod", "d/b", "", false},
		{"/vod/", "/vodx", "a", "", false},
		{"/a/", "", "a/b", "a/", true},
		{"/a/", "", "b/a/c", "", false},
		{"/other/ /vod/films/x/ /vod/films/", "/vod", "films/x/b", "films/", true},
		{"/other/ /vod/films/x/", "/vod", "films/y/b", "", false},
	} {
		g := &Grant{Paths: strings.Fields(tc.paths)}
		dir, ok := g.scope(tc.prefix, tc.path)
		if dir != tc.dir || ok != tc.ok {
			t.Errorf("%+v: got %q, %v", tc, dir, ok)
		}
		if err := g.Allows(tc.prefix+"/"+tc.path, netip.Addr{}, noon); (err == nil) != tc.ok {
			t.Errorf("%+v: Allows says %v", tc, err)
		}
	}
	if err := (&Grant{}).Allows("a", viewer, noon); err != ErrPath {
		t.Errorf("a path without a slash: %v", err)
	}
}

func TestDirectory(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/*": "/", "/vod": "/vod/", "/vod/": "/vod/", "/vod/*": "/vod/", "/vod/a b": "/vod/a b/",
		"": "", "*": "", "vod": "", "//": "", "/vod//x": "", "/vod//": "", "/vod/../x": "", "/./x": "", "/vod/..": "",
		"/vod*": "", "/v*d/": "", "/v?d": "", "/a\\b": "", "/a\x00": "", "/a\n": "", "/vod/~x/": "", "/vod/**": "",
		"/" + strings.Repeat("a", 600): "",
	} {
		got, ok := directory(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
}
