package token

import "testing"

func BenchmarkToken(b *testing.B) {
	m, _ := newPair(b, Config{Format: "akamai"}, testBase)
	s := Scope{Dir: "movie/", Expires: noon.Unix() + 60}
	buf := make([]byte, 0, 1024)
	b.Run("mint", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.Append(buf, &s, allForms[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cached", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.Token(&s, allForms[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
