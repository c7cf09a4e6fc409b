//go:build !race

package session

import (
	"net/netip"
	"testing"
)

func TestNoAllocations(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	buf := k.Append(nil, &c, "news", "/news")
	text := string(buf)
	addr := netip.MustParseAddr("192.0.2.9")
	for name, f := range map[string]func(){
		"Append": func() { buf = k.Append(buf[:0], &c, "news", "/news") },
		"Parse": func() {
			if _, err := parse(k, text, "news", "/news", noon); err != nil {
				t.Error(err)
			}
		},
		"verify": func() {
			if _, err := verify(k, text, "news", "/news"); err != nil {
				t.Error(err)
			}
		},
		"InScope": func() {
			if _, ok := k.InScope(c.Scope, "movies/one/a.m3u8"); !ok {
				t.Error("not in scope")
			}
		},
		"AtAddress": func() {
			if !k.AtAddress(c.Bound, addr) {
				t.Error("not at the address")
			}
		},
		"Derive": func() { k.Derive(Entry{Channel: "news", Address: addr, UserAgent: "tv/1"}) },
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
