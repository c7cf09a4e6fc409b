//go:build !race

package access

import (
	"testing"

	"manifold/proxy/access/token"
)

// TestNoAllocations: a known token, a session address and a CDN's token that
// was made before cost no memory.
func TestNoAllocations(t *testing.T) {
	p := newPolicy(t, testConfig())
	m, err := token.New(token.Config{Format: "akamai", Keys: []string{"env:K"}}, "https://cdn.example/", token.Secrets{Keys: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	text := sign(t, es, testGrant())
	query := "x=1&token=" + text
	r := request(text)
	g, err := p.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	v, err := enter(p, g, r)
	if err != nil {
		t.Fatal(err)
	}
	address := string(p.AppendAddress(nil, &v.Claims))
	buf := make([]byte, 0, 256)
	for name, f := range map[string]func(){
		"Find": func() {
			if got, _ := p.Find(query, "", ""); got != text {
				t.Error("not found")
			}
		},
		"Check": func() {
			if _, err := p.Check(r); err != nil {
				t.Error(err)
			}
		},
		"Enter": func() {
			if v, err = enter(p, g, r); err != nil {
				t.Error(err)
			}
		},
		"AppendAddress": func() { buf = p.AppendAddress(buf[:0], &v.Claims) },
		"Return": func() {
			if v, err = comeBack(p, address, r); err != nil {
				t.Error(err)
			}
		},
		"CDNScope and Token": func() {
			s, err := cdnScope(p, &v, m, "movie1/", noon)
			if err != nil {
				t.Error(err)
			}
			if _, err := m.Token(&s, token.Form{}); err != nil {
				t.Error(err)
			}
		},
		"refused": func() {
			if _, err := comeBack(p, address[1:], r); err == nil {
				t.Error("accepted")
			}
		},
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
