package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"manifold/session"
)

var (
	noon   = time.Unix(1_700_000_000, 0)
	viewer = netip.MustParseAddr("192.0.2.7")
	secret = bytes.Repeat([]byte{5}, 32)
	ecKey  = func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	}()
	hs = SigningKey{ID: "h1", Secret: secret}
	es = SigningKey{ID: "e1", Private: ecKey}
)

// testKeys is a KeySource.
type testKeys map[string]any

func (k testKeys) Secret(ref string) ([]byte, error) {
	if b, ok := k[ref].([]byte); ok {
		return b, nil
	}
	return nil, errors.New("no such secret")
}

func (k testKeys) PublicKey(ref string) (*ecdsa.PublicKey, error) {
	if p, ok := k[ref].(*ecdsa.PublicKey); ok {
		return p, nil
	}
	return nil, errors.New("no such key")
}

var source = testKeys{"env:H": secret, "env:E": &ecKey.PublicKey}

func testConfig() Config {
	return Config{Token: "jwt", Carriers: []string{"query", "header", "cookie"}, Issuers: []Issuer{{
		Name: "https://id.example", Audience: []string{"tv", "web"},
		Keys: []Key{{ID: "h1", Algorithm: "HS256", Key: "env:H"}, {ID: "e1", Algorithm: "ES256", Key: "env:E"}},
	}}}
}

func newPolicy(t testing.TB, cfg Config) *Policy {
	t.Helper()
	sessions, err := session.NewKeys(session.Secrets{Sign: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, Channel{Name: "movies", Prefix: "/vod"}, source, sessions)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testGrant() *Grant {
	return &Grant{Issuer: "https://id.example", Subject: "alice", TokenID: "t1", Tier: "premium", Session: "s1",
		Paths: []string{"/vod/movie1/"}, NotBefore: noon.Unix() - 60, Expires: noon.Unix() + 600,
		Address: netip.MustParsePrefix("192.0.2.0/24")}
}

func sign(t testing.TB, k SigningKey, g *Grant) string {
	t.Helper()
	text, err := k.Sign(g, "tv", noon.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func request(token string) *Request {
	return &Request{Token: token, Path: "movie1/master.m3u8", Remote: viewer, UserAgent: "tv/1", Now: noon}
}

func TestCheckGivesTheGrant(t *testing.T) {
	p := newPolicy(t, testConfig())
	want := testGrant()
	want.NotBefore -= 30 // the leeway
	for _, k := range []SigningKey{hs, es} {
		token := sign(t, k, testGrant())
		for _, how := range []string{"verified", "remembered"} {
			got, err := p.Check(request(token))
			if err != nil {
				t.Fatalf("%s, %s: %v", k.ID, how, err)
			}
			if got.Paths[0] != want.Paths[0] || len(got.Paths) != 1 {
				t.Errorf("%s: paths %v", how, got.Paths)
			}
			flat := *got
			flat.Paths = nil
			wantFlat := *want
			wantFlat.Paths = nil
			if flat.Issuer != wantFlat.Issuer || flat.Subject != wantFlat.Subject || flat.Tier != wantFlat.Tier || flat.Session != wantFlat.Session ||
				flat.TokenID != wantFlat.TokenID || flat.NotBefore != wantFlat.NotBefore || flat.Expires != wantFlat.Expires || flat.Address != wantFlat.Address {
				t.Errorf("%s, %s: got %+v, want %+v", k.ID, how, got, want)
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	good := sign(t, hs, testGrant())
	change := func(f func(g *Grant)) string {
		g := testGrant()
		f(g)
		return sign(t, hs, g)
	}
	other := func(f func(r *Request)) *Request {
		r := request(good)
		f(r)
		return r
	}
	for name, tc := range map[string]struct {
		r    *Request
		want *Error
	}{
		"none":                 {request(""), ErrMissing},
		"too large":            {request(strings.Repeat("a", 4097)), ErrTooLarge},
		"expires now":          {request(change(func(g *Grant) { g.Expires = noon.Unix() })), ErrExpired},
		"remembered, then out": {other(func(r *Request) { r.Now = noon.Add(600 * time.Second) }), ErrExpired},
		"not before soon":      {request(change(func(g *Grant) { g.NotBefore = noon.Unix() + 30 })), nil},
		"not before":           {request(change(func(g *Grant) { g.NotBefore = noon.Unix() + 31 })), ErrNotYet},
		"clock gone back":      {other(func(r *Request) { r.Now = noon.Add(-2 * time.Minute) }), ErrNotYet},
		"no expiry":            {request(change(func(g *Grant) { g.Expires = 0 })), ErrNoExpiry},
		"other issuer":         {request(change(func(g *Grant) { g.Issuer = "https://evil.example" })), ErrIssuer},
		"no issuer":            {request(change(func(g *Grant) { g.Issuer = "" })), ErrIssuer},
		"other path":           {other(func(r *Request) { r.Path = "movie2/master.m3u8" }), ErrPath},
		"path begins alike":    {other(func(r *Request) { r.Path = "movie12/master.m3u8" }), ErrPath},
		"other address":        {other(func(r *Request) { r.Remote = netip.MustParseAddr("198.51.100.1") }), ErrAddress},
		"other family":         {other(func(r *Request) { r.Remote = netip.MustParseAddr("2001:db8::1") }), ErrAddress},
		"mapped address":       {other(func(r *Request) { r.Remote = netip.MustParseAddr("::ffff:192.0.2.9") }), nil},
		"fine":                 {other(func(r *Request) {}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPolicy(t, testConfig())
			if _, err := p.Check(request(good)); err != nil {
				t.Fatal(err)
			}
			g, err := p.Check(tc.r)
			if tc.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, tc.want) || g != nil {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
	text, _ := hs.Sign(testGrant(), "radio", noon)
	if _, err := newPolicy(t, testConfig()).Check(request(text)); !errors.Is(err, ErrAudience) {
		t.Errorf("another audience: %v", err)
	}
	text, _ = hs.Sign(testGrant(), "", noon)
	if _, err := newPolicy(t, testConfig()).Check(request(text)); !errors.Is(err, ErrAudience) {
		t.Errorf("no audience: %v", err)
	}
}

func TestErrorsAnswer(t *testing.T) {
	for _, tc := range []struct {
		err       *Error
		status    int
		challenge string
	}{
		{ErrMissing, 401, "Bearer"},
		{ErrExpired, 401, `Bearer error="invalid_token", error_description="the token has expired"`},
		{ErrPath, 403, `Bearer error="insufficient_scope"`},
		{ErrAddress, 403, ""},
		{ErrSessionForged, 401, `Bearer error="invalid_token", error_description="the session address is not valid here: open the stream again"`},
	} {
		if tc.err.Status() != tc.status || tc.err.Challenge() != tc.challenge {
			t.Errorf("%v: %d, %s", tc.err, tc.err.Status(), tc.err.Challenge())
		}
	}
	if got := Redact("abc"); got != "ba7816bf" {
		t.Errorf("Redact gives %s", got)
	}
}

func TestNoExpiryWhereAllowed(t *testing.T) {
	cfg := testConfig()
	cfg.AllowNoExpiry = true
	p := newPolicy(t, cfg)
	g := testGrant()
	g.Expires, g.TokenID = 0, ""
	r := request(sign(t, hs, g))
	first, err := p.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.TokenID) != 32 {
		t.Errorf("token id %q", first.TokenID)
	}
	v, err := enter(p, first, r)
	if err != nil {
		t.Fatal(err)
	}
	if left := v.Claims.Expires - noon.Unix(); left < 12*3600 || left > 13*3600 {
		t.Errorf("the session lasts %d s", left)
	}
}

func TestNoTokenAsked(t *testing.T) {
	p := newPolicy(t, Config{})
	if text, err := p.Find("token=abc", "Bearer abc", "token=abc"); text != "" || err != nil {
		t.Errorf("found %q, %v", text, err)
	}
	if got := p.WithoutToken("token=abc&x=1"); got != "token=abc&x=1" {
		t.Errorf("the query became %q", got)
	}
	r := request("")
	g, err := p.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	v, err := enter(p, g, r)
	if err != nil || v.Scope != "" || v.Bound.IsValid() || !v.Claims.Token.IsZero() || !v.Claims.Subject.IsZero() {
		t.Errorf("%+v, %v", v, err)
	}
	text := string(p.AppendAddress(nil, &v.Claims))
	if _, err := comeBack(p, text, r); err != nil {
		t.Error(err)
	}
	// The same keys and channel, but now a token is asked for.
	if _, err := comeBack(newPolicy(t, testConfig()), text, r); !errors.Is(err, ErrSessionToken) {
		t.Errorf("a session without a token: %v", err)
	}
}

func TestNewRefusesKeys(t *testing.T) {
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	src := testKeys{"env:short": secret[:31], "env:384": &p384.PublicKey}
	for ref, tc := range map[string]struct{ alg, want string }{
		"env:short": {"HS256", `cannot use key "k" for HS256: it has 31 bytes, at least 32 are needed`},
		"env:384":   {"ES256", `cannot use key "k" for ES256: its curve is P-384, not P-256`},
		"env:none":  {"ES256", `cannot load key "k": no such key`},
		"env:nil":   {"HS256", `cannot load key "k": no such secret`},
	} {
		cfg := Config{Token: "jwt", Issuers: []Issuer{{Keys: []Key{{ID: "k", Algorithm: tc.alg, Key: ref}}}}}
		if _, err := New(cfg, Channel{Name: "c"}, src, nil); err == nil || !strings.HasSuffix(err.Error(), tc.want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestValidate(t *testing.T) {
	cfg := Config{Token: "jwt", Carriers: []string{"body"}, QueryName: "a b", MaxToken: -1, Cached: 1 << 30, Session: time.Second, SessionBucket: time.Millisecond,
		Issuers: []Issuer{{}, {Keys: []Key{{ID: "a", Algorithm: "none"}, {ID: "a", Algorithm: "HS256", Key: "env:K"}}}}}
	const want = `carriers[0]: unknown carrier "body" ("query", "header" or "cookie")
query_name: "a b" cannot be a name here
issuers[0].keys: a key is needed
issuers[1].keys[0].algorithm: algorithm "none" is not accepted ("HS256" or "ES256")
issuers[1].keys[0].key: a reference to the key is needed (as in "file:/etc/manifold/viewers.pem" or "env:VIEWER_KEY")
issuers[1].keys[1].id: key id "a" is there twice
max_token: -1 bytes; at most 16384 are possible
cached: 1073741824 tokens; at most 1048576 are possible
session: 1s is shorter than a minute
session_bucket: 1ms is shorter than a second`
	if got := cfg.Validate().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Token: "cat"}, `token: unknown kind of token "cat" ("none" or "jwt")`},
		{Config{Token: "jwt"}, `issuers: no issuer is given, so every token would be refused (add one with a key)`},
		{Config{Issuers: testConfig().Issuers}, `issuers: issuers are given, but no token is asked for (set token to "jwt")`},
		{Config{Token: "jwt", Issuers: []Issuer{{Keys: slicesOf(17)}}}, `issuers: 17 keys; at most 16 can be live at a time`},
	} {
		if got := tc.cfg.Validate().Error(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	if err := (&Config{}).Validate().Err(); err != nil {
		t.Error(err)
	}
}

func slicesOf(n int) []Key {
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = Key{Algorithm: "HS256", Key: "env:K"}
	}
	return keys
}
