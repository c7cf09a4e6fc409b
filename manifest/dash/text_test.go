package dash

import (
	"bytes"
	"testing"
)

func TestDecode(t *testing.T) {
	for raw, want := range map[string]string{
		"":                             "",
		" \t\r\n a b \n":               "a b",
		"a&amp;b&lt;&gt;&quot;&apos;c": `a&b<>"'c`,
		"&#x41;&#66;&#x1F600;":         "AB😀",
		"a<![CDATA[&amp;<b>]]>c":       "a&amp;<b>c",
		"<!-- x -->a<?y z?>b":          "ab",
		"  <![CDATA[ a ]]>  ":          "a",
	} {
		if got := decode([]byte(raw)); got != want {
			t.Errorf("decode(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestReference(t *testing.T) {
	for _, bad := range []string{"", "&", "&;", "&#;", "&#x;", "&#+1;", "&#-1;", "&#x-1;", "&#0;", "&#xD800;", "&#xFFFE;",
		"&#x110000;", "&#4294967361;", "&Amp;", "&amp", "&#65", "&#6_5;", "&#0x41;", "&#xX41;", "&aaaaaaaaaaaaaaaaaaaa;"} {
		if r, n := reference([]byte(bad)); n != 0 {
			t.Errorf("reference(%q) = %q, %d", bad, r, n)
		}
	}
}

func TestSafeValues(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"abc=1~x":      "abc=1~x",
		"a&b":          "a&amp;b",
		"&":            "&amp;",
		"a&amp;b&c":    "a&amp;b&amp;c",
		"it's&that":    "it&apos;s&amp;that",
		"a&#38;b&lt;&": "a&#38;b&lt;&amp;",
	} {
		values := [][]byte{[]byte("session"), []byte(in), []byte("z&z")}
		got, s := safeValues(values)
		if string(got[0]) != "session" || string(got[1]) != want || string(got[2]) != "z&amp;z" {
			t.Errorf("safeValues(%q) = %q", in, got)
		}
		if string(values[1]) != in {
			t.Errorf("the caller's value became %q", values[1])
		}
		s.put()
	}
	plain := [][]byte{[]byte("a"), nil}
	if got, s := safeValues(plain); s != nil || !bytes.Equal(got[0], plain[0]) || len(got) != 2 {
		t.Errorf("plain values became %q", got)
	}
}
