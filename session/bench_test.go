package session

import "testing"

func BenchmarkAppend(b *testing.B) {
	k := newTestKeys(b, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	var buf []byte
	for b.Loop() {
		buf = k.Append(buf[:0], &c, "news", "/news")
	}
}

func BenchmarkParse(b *testing.B) {
	k := newTestKeys(b, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	text := string(k.Append(nil, &c, "news", "/news"))
	for b.Loop() {
		if _, err := parse(k, text, "news", "/news", noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is the first look at an address.
func BenchmarkVerify(b *testing.B) {
	k := newTestKeys(b, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	text := string(k.Append(nil, &c, "news", "/news"))
	for b.Loop() {
		if _, err := verify(k, text, "news", "/news"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	k := newTestKeys(b, Secrets{Sign: [][]byte{secretA}})
	e := Entry{Channel: "news", TokenID: "t1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"}
	for b.Loop() {
		k.Derive(e)
	}
}
