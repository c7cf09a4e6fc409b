package steering

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Country is ISO 3166-1 alpha-2 in upper case; the zero value is unknown.
type Country [2]byte

// CountryOf reads a country; ok is false where it is not two letters.
func CountryOf(s string) (c Country, ok bool) {
	if len(s) != 2 {
		return c, false
	}
	u := strings.ToUpper(s)
	for i := range 2 {
		if u[i] < 'A' || u[i] > 'Z' {
			return Country{}, false
		}
		c[i] = u[i]
	}
	return c, true
}

// String gives the two letters, or "" for unknown.
func (c Country) String() string {
	if c == (Country{}) {
		return ""
	}
	return string(c[:])
}

// Match selects viewers. A kind that is empty selects all; of those given,
// each must hold. An unknown country or network is in no list.
type Match struct {
	countries []Country
	asns      []uint32
	prefixes  []netip.Prefix
}

// NewMatch makes a Match of countries (alpha-2, any case), autonomous system
// numbers and address blocks.
func NewMatch(countries []string, asns []uint32, prefixes []string) (Match, error) {
	var m Match
	for _, text := range countries {
		c, ok := CountryOf(text)
		if !ok {
			return Match{}, fmt.Errorf("%q is not a country: write two letters of ISO 3166-1, like DE", text)
		}
		m.countries = append(m.countries, c)
	}
	slices.SortFunc(m.countries, func(a, b Country) int { return strings.Compare(string(a[:]), string(b[:])) })
	m.asns = slices.Sorted(slices.Values(asns))
	for _, text := range prefixes {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return Match{}, fmt.Errorf("%q is not an address block: write it like 10.1.0.0/16", text)
		}
		m.prefixes = append(m.prefixes, p.Masked())
	}
	return m, nil
}

// Holds tells whether the viewer is selected.
func (m *Match) Holds(v *Viewer) bool {
	if len(m.countries) > 0 && !slices.Contains(m.countries, v.Country) {
		return false
	}
	if len(m.asns) > 0 {
		if _, found := slices.BinarySearch(m.asns, v.ASN); !found {
			return false
		}
	}
	if len(m.prefixes) == 0 {
		return true
	}
	for _, p := range m.prefixes {
		if p.Contains(v.Address) {
			return true
		}
	}
	return false
}

// holdsAny tells whether one of the matches selects the viewer.
func holdsAny(list []Match, v *Viewer) bool {
	for i := range list {
		if list[i].Holds(v) {
			return true
		}
	}
	return false
}
