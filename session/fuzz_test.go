package session

import "testing"

func FuzzParse(f *testing.F) {
	k := newTestKeys(f, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	good := string(k.Append(nil, &c, "news", "/news"))
	f.Add(good, "news", "/news")
	f.Add(good[:40], "news", "/news")
	f.Add(good, "new", "s/news")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, text, channel, prefix string) {
		got, err := parse(k, text, channel, prefix, noon)
		if err != nil {
			return
		}
		// Nobody but Append makes what Parse accepts.
		if text != good || channel != "news" || prefix != "/news" {
			t.Fatalf("accepted %q for %q, %q", text, channel, prefix)
		}
		if again := string(k.Append(nil, &got, channel, prefix)); again != text {
			t.Fatalf("%q reads and writes as %q", text, again)
		}
	})
}
