package session

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPeek(t *testing.T) {
	k, err := NewKeys(Secrets{Sign: [][]byte{[]byte(strings.Repeat("k", MinSecret))}})
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "192.0.2.0/24", "2001:db8::/64", "192.0.2.1/32", "2001:db8::1/128"} {
		want := Claims{ID: ID{1, 2}, Issued: 100, Expires: 200, Tier: NameOf("gold"), Device: 3, Country: CountryOf("de")}
		if prefix != "" {
			want.Bound = k.Address(netip.MustParsePrefix(prefix))
		}
		text := k.Append(nil, &want, "news", "/news")
		got, ok := Peek(string(text))
		want.KeyID = got.KeyID
		if !ok || got != want {
			t.Errorf("%q: %+v %v, want %+v", prefix, got, ok, want)
		}
		bits, six, bound := got.Bound.Bits()
		if p, err := netip.ParsePrefix(prefix); (err == nil) != bound || bound && (bits != p.Bits() || six != p.Addr().Is6()) {
			t.Errorf("%q: bound to %d bits, IPv6 %v, %v", prefix, bits, six, bound)
		}
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", TextLen), strings.Repeat("!", TextLen)} {
		if _, ok := Peek(bad); ok {
			t.Errorf("%q was read", bad)
		}
	}
}
