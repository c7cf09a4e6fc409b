//go:build !race

package token

import (
	"net/netip"
	"testing"
)

func TestNoAllocations(t *testing.T) {
	for _, cfg := range configs {
		m, _ := newPair(t, cfg, testBase)
		for _, form := range allForms {
			s := Scope{Dir: "movie/", Expires: noon.Unix() + 60, Client: netip.PrefixFrom(viewer, 24), Session: "0123456789abcdef"}
			buf := make([]byte, 0, 1024)
			if n := testing.AllocsPerRun(100, func() {
				if _, err := m.Append(buf, &s, form); err != nil {
					t.Error(err)
				}
			}); n != 0 {
				t.Errorf("%s %v: Append: %v allocations", cfg.Format, form, n)
			}
			if n := testing.AllocsPerRun(100, func() {
				if _, err := m.Token(&s, form); err != nil {
					t.Error(err)
				}
			}); n != 0 {
				t.Errorf("%s %v: Token: %v allocations", cfg.Format, form, n)
			}
		}
	}
}
