package access

import "testing"

func BenchmarkCheck(b *testing.B) {
	for _, k := range []SigningKey{hs, es} {
		p := newPolicy(b, testConfig())
		r := request(sign(b, k, testGrant()))
		name := "HS256"
		if k.Private != nil {
			name = "ES256"
		}
		b.Run(name+"/known", func(b *testing.B) {
			for b.Loop() {
				if _, err := p.Check(r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/new", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := p.verify(r.Token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReturn(b *testing.B) {
	p := newPolicy(b, testConfig())
	r := request("")
	v, err := enter(p, testGrant(), r)
	if err != nil {
		b.Fatal(err)
	}
	text := string(p.AppendAddress(nil, &v.Claims))
	for b.Loop() {
		if _, err := comeBack(p, text, r); err != nil {
			b.Fatal(err)
		}
	}
}
