package manifest

import "testing"

func TestAbsolute(t *testing.T) {
	const source = "http://origin.example:8080/live/news/"
	for _, c := range []struct{ ref, url string }{
		{"../../other/a.ts", "http://origin.example:8080/live/other/a.ts"},
		{"../../../../../a.ts?x=../1", "http://origin.example:8080/a.ts?x=../1"},
		{"../..", "http://origin.example:8080/live/"},
		{"/keys/1.bin", "http://origin.example:8080/keys/1.bin"},
		{"/keys/../1.bin", "http://origin.example:8080/1.bin"},
		{"?a=1", "http://origin.example:8080/live/news/v%20720/i.m3u8?a=1"},
		{"a b.ts", "http://origin.example:8080/live/news/v%20720/a%20b.ts"},
		{"", ""},
		{"//cdn.example/a.ts", ""},
		{"https://cdn.example/a.ts", ""},
		{"skd://key", ""},
		{`..\..\a.ts`, ""},
	} {
		url, ok := Absolute(source, "v 720/i.m3u8", c.ref)
		if url != c.url || ok != (c.url != "") {
			t.Errorf("Absolute(%q) = %q, %v; want %q", c.ref, url, ok, c.url)
		}
	}
	if url, ok := Absolute("", "a.m3u8", "/x"); ok {
		t.Errorf("Absolute without a source gives %q", url)
	}
}
