package session

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	secretA = bytes.Repeat([]byte{0xa1}, MinSecret)
	secretB = bytes.Repeat([]byte{0xb2}, MinSecret)
	secretH = bytes.Repeat([]byte{0xc3}, MinSecret)
	noon    = time.Unix(1_700_000_000, 0)
)

func newTestKeys(t testing.TB, s Secrets) *Keys {
	t.Helper()
	k, err := NewKeys(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func exampleClaims(k *Keys) Claims {
	scope, _ := k.Scope("movies/one/")
	return Claims{
		ID:      k.Derive(Entry{Channel: "news", TokenID: "t1", UserAgent: "player/1"}),
		Issued:  noon.Unix() - 60,
		Expires: noon.Unix() + 3600,
		Scope:   scope, Tier: NameOf("premium"), Cohort: NameOf("de-tv"), Device: 7,
		Country: CountryOf("de"), Subject: k.Subject("alice"), Token: k.Token("t1"),
		Bound: k.Address(netip.MustParsePrefix("192.0.2.0/24")), Consent: 3, Limits: 0x8001,
	}
}

func TestRoundTrip(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA, secretB}, Hash: secretH})
	rapid.Check(t, func(t *rapid.T) {
		u16 := rapid.Uint16()
		in := Claims{
			Issued:  int64(rapid.Uint32Range(0, uint32(noon.Unix())).Draw(t, "issued")),
			Expires: int64(rapid.Uint32Min(uint32(noon.Unix())+1).Draw(t, "expires")),
			Tier:    Name(u16.Draw(t, "tier")), Cohort: Name(u16.Draw(t, "cohort")),
			Device: rapid.Uint8().Draw(t, "device"), Consent: u16.Draw(t, "consent"), Limits: u16.Draw(t, "limits"),
			Country: CountryOf(rapid.StringMatching(`[a-zA-Z]{2}|`).Draw(t, "country")),
			Subject: k.Subject(rapid.String().Draw(t, "subject")),
			Token:   k.Token(rapid.String().Draw(t, "token")),
		}
		in.Scope, _ = k.Scope(rapid.StringMatching(`([a-z]{1,4}/){0,4}`).Draw(t, "scope"))
		copy(in.ID[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
		if rapid.Bool().Draw(t, "bound") {
			in.Bound = k.Address(netip.PrefixFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr"))), rapid.IntRange(0, 32).Draw(t, "bits")))
		}
		channel, prefix := rapid.String().Draw(t, "channel"), rapid.String().Draw(t, "prefix")
		text := string(k.Append(nil, &in, channel, prefix))
		if len(text) != TextLen {
			t.Fatalf("text has %d characters, not %d", len(text), TextLen)
		}
		out, err := parse(k, text, channel, prefix, noon)
		if err != nil {
			t.Fatal(err)
		}
		in.KeyID = out.KeyID
		if out != in {
			t.Fatalf("got %+v\nwant %+v", out, in)
		}
		if again := k.Append(nil, &out, channel, prefix); string(again) != text {
			t.Fatal("the same claims have another text")
		}
	})
}

func TestEveryBitIsSigned(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	text := k.Append(nil, &c, "news", "/news")
	for i := range text {
		for bit := range 8 {
			bad := bytes.Clone(text)
			bad[i] ^= 1 << bit
			if _, err := parse(k, string(bad), "news", "/news", noon); err == nil {
				t.Fatalf("character %d, bit %d flipped: accepted", i, bit)
			}
		}
		for _, other := range "AZaz09-_+/= \n\r\t%.~\x00\xff" {
			if byte(other) == text[i] {
				continue
			}
			bad := bytes.Clone(text)
			bad[i] = byte(other)
			if _, err := parse(k, string(bad), "news", "/news", noon); err == nil {
				t.Fatalf("character %d replaced by %q: accepted", i, other)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA, secretB}})
	c := exampleClaims(k)
	good := string(k.Append(nil, &c, "news", "/news"))
	future := c
	future.Issued = noon.Unix() + 121
	late := c
	late.Expires = noon.Unix()
	foreign := newTestKeys(t, Secrets{Sign: [][]byte{secretH}})
	for name, tc := range map[string]struct {
		text, channel, prefix string
		want                  error
	}{
		"empty":               {"", "news", "/news", ErrMalformed},
		"short":               {good[:TextLen-1], "news", "/news", ErrMalformed},
		"long":                {good + "A", "news", "/news", ErrMalformed},
		"padded":              {good + "=", "news", "/news", ErrMalformed},
		"padding inside":      {good[:TextLen-1] + "=", "news", "/news", ErrMalformed},
		"newline inside":      {good[:50] + "\n" + good[51:], "news", "/news", ErrMalformed},
		"newline added":       {good[:50] + "\n" + good[50:], "news", "/news", ErrMalformed},
		"standard alphabet":   {strings.Repeat("+", TextLen), "news", "/news", ErrMalformed},
		"version 0":           {strings.Repeat("A", TextLen), "news", "/news", ErrMalformed},
		"other channel":       {good, "sport", "/news", ErrSignature},
		"other prefix":        {good, "news", "/sport", ErrSignature},
		"shifted border":      {good, "news/", "news", ErrSignature},
		"joined":              {good, "news/news", "", ErrSignature},
		"foreign key":         {string(foreign.Append(nil, &c, "news", "/news")), "news", "/news", ErrUnknownKey},
		"expires now":         {string(k.Append(nil, &late, "news", "/news")), "news", "/news", ErrExpired},
		"issued in the hours": {string(k.Append(nil, &future, "news", "/news")), "news", "/news", ErrNotYet},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(k, tc.text, tc.channel, tc.prefix, noon)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			timely := errors.Is(err, ErrExpired) || errors.Is(err, ErrNotYet)
			if timely != (got.ID == c.ID) {
				t.Errorf("claims %+v with error %v", got, err)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	before := newTestKeys(t, Secrets{Sign: [][]byte{secretA}, Hash: secretH})
	during := newTestKeys(t, Secrets{Sign: [][]byte{secretB, secretA}, Hash: secretH})
	after := newTestKeys(t, Secrets{Sign: [][]byte{secretB}, Hash: secretH})
	c := exampleClaims(before)
	old := string(before.Append(nil, &c, "news", "/news"))
	if _, err := parse(during, old, "news", "/news", noon); err != nil {
		t.Errorf("while both keys live: %v", err)
	}
	if _, err := parse(after, old, "news", "/news", noon); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("after the old key is gone: %v", err)
	}
	fresh := string(during.Append(nil, &c, "news", "/news"))
	if _, err := parse(after, fresh, "news", "/news", noon); err != nil {
		t.Errorf("signed with the new key: %v", err)
	}
	e := Entry{Channel: "news", TokenID: "t1"}
	if before.Derive(e) != after.Derive(e) || before.Subject("alice") != after.Subject("alice") {
		t.Error("hashes changed though the hash key stayed")
	}
	if _, err := NewKeys(Secrets{}); err == nil {
		t.Error("no key was accepted")
	}
	if _, err := NewKeys(Secrets{Sign: [][]byte{secretA, secretB[1:]}}); err == nil || !strings.Contains(err.Error(), "signing key 2 has 31 bytes") {
		t.Errorf("a short key: %v", err)
	}
	if _, err := NewKeys(Secrets{Sign: [][]byte{secretA}, Hash: secretB[:8]}); err == nil {
		t.Error("a short hash key was accepted")
	}
}

func TestNames(t *testing.T) {
	if NameOf("") != 0 || NameOf("a") == 0 || NameOf("a") == NameOf("b") {
		t.Error("names are not told apart")
	}
	if err := Distinct("basic", "premium", "basic", ""); err != nil {
		t.Error(err)
	}
	seen := map[Name]string{}
	for i := 0; ; i++ { // two names of one Name are found among a few hundred
		s := strings.Repeat("x", i)
		if other, ok := seen[NameOf(s)]; ok {
			if err := Distinct("a", s, other); err == nil {
				t.Errorf("%d and %d x's have one Name and were not refused", len(s), len(other))
			}
			break
		}
		seen[NameOf(s)] = s
	}
	for in, want := range map[string]string{"de": "DE", "US": "US", "": "", "D": "", "DEU": "", "1e": "", "\xfa\xfa": ""} {
		if got := CountryOf(in).String(); got != want {
			t.Errorf("CountryOf(%q) = %q, want %q", in, got, want)
		}
	}
}

// parse and verify give what an address says as a value.
func parse(k *Keys, text, channel, prefix string, now time.Time) (c Claims, err error) {
	err = k.Parse(&c, text, channel, prefix, now)
	return c, err
}

func verify(k *Keys, text, channel, prefix string) (c Claims, err error) {
	err = k.verify(&c, text, channel, prefix)
	return c, err
}
