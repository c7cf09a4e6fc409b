package route

import "testing"

func table(t *testing.T) *Table[string] {
	t.Helper()
	var tab Table[string]
	for _, r := range [][3]string{
		{"", "/news", "news"}, {"", "/news/sport", "sport"}, {"", "", "root"},
		{"tv.example", "/news", "tv-news"}, {"*.cdn.example", "/vod", "cdn-vod"},
		{"tv.example", "/a/b/c", "deep"},
	} {
		if err := tab.Add(r[0], r[1], r[2]); err != nil {
			t.Fatal(err)
		}
	}
	return &tab
}

func TestFind(t *testing.T) {
	tab := table(t)
	for _, c := range []struct{ host, path, want, rest string }{
		{"x", "/news/master.m3u8", "news", "master.m3u8"},
		{"x", "/news/sport/master.m3u8", "sport", "master.m3u8"},
		{"x", "/news/sports/master.m3u8", "news", "sports/master.m3u8"},
		{"x", "/newsroom/master.m3u8", "root", "newsroom/master.m3u8"},
		{"x", "/news", "root", "news"},
		{"x", "/", "root", ""},
		{"TV.Example:8443", "/news/a", "tv-news", "a"},
		{"tv.example.", "/a/b/c/d/e", "deep", "d/e"},
		{"tv.example", "/a/b/d", "root", "a/b/d"},
		{"e1.cdn.example", "/vod/x", "cdn-vod", "x"},
		{"a.e1.cdn.example:443", "/vod/x", "cdn-vod", "x"},
		{"cdn.example", "/vod/x", "root", "vod/x"},
		{"[::1]:8443", "/news/a", "news", "a"},
		{"", "/news/", "news", ""},
	} {
		got, rest, by := tab.Find(c.host, c.path)
		if by == ByNone || got != c.want || rest != c.rest {
			t.Errorf("Find(%q, %q) = %q, %q, %v; want %q, %q", c.host, c.path, got, rest, by, c.want, c.rest)
		}
	}
	var empty Table[string]
	if _, _, by := empty.Find("x", "/a"); by != ByNone {
		t.Error("an empty table found something")
	}
}

func TestAddRefuses(t *testing.T) {
	tab := table(t)
	for _, r := range [][2]string{{"", "/news"}, {"", "news"}, {"", "/news/"}, {"", "/~x"}, {"", "/.manifold/x"}, {"tv.example", "/news"}, {"*.cdn.example", "/vod"}} {
		if err := tab.Add(r[0], r[1], "again"); err == nil {
			t.Errorf("Add(%q, %q) was accepted", r[0], r[1])
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		rest string
		want Address
		ok   bool
	}{
		{"master.m3u8", Address{Path: "master.m3u8"}, true},
		{"a/~b/c", Address{Path: "a/~b/c"}, true},
		{"", Address{}, true},
		{"~S/alpha/v/i.m3u8", Address{Session: "S", Pathway: "alpha", Path: "v/i.m3u8"}, true},
		{"~c.free/-/m.mpd", Address{Cohort: "free", Pathway: "-", Path: "m.mpd"}, true},
		{"~S", Address{}, false},
		{"~S/alpha", Address{}, false},
		{"~S/alpha/", Address{}, false},
		{"~/alpha/x", Address{}, false},
		{"~S//x", Address{}, false},
		{"~c./-/x", Address{}, false},
	} {
		got, ok := Parse(c.rest)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v, %v", c.rest, got, ok, c.want, c.ok)
		}
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	tab := table(t)
	if n := testing.AllocsPerRun(1000, func() { tab.Find("tv.example:8443", "/news/sport/master.m3u8") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
