package token

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
	"manifold/manifest"

	"pgregory.net/rapid"
)

var (
	noon    = time.Unix(1_700_000_000, 0)
	viewer  = netip.MustParseAddr("192.0.2.7")
	secrets = Secrets{Keys: [][]byte{bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)}}
)

const testBase = "https://cdn.example:8443/live/"

func newPair(t testing.TB, cfg Config, base string) (*Minter, *Verifier) {
	t.Helper()
	cfg.Keys = []string{"env:K"}
	m, err := New(cfg, base, secrets)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(cfg, []string{"http://other.example/", base}, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return m, v
}

// place puts a token into the URL of a file below the base, as the templates
// do, and gives the request target.
func place(m *Minter, token []byte, form Form, under string) (path, query string) {
	under = string(exchange.AppendEscaped(nil, under))
	text := string(token)
	if form.XML {
		text = strings.ReplaceAll(text, "&amp;", "&")
	}
	if form.Place == manifest.InPath {
		at := m.At()
		url := m.base[:at] + text + "/" + m.base[at:] + under
		return url[len(m.origin):], ""
	}
	return m.root + under, text
}

var allForms = []Form{{manifest.InQuery, false}, {manifest.InPath, false}, {manifest.InPath, true}, {manifest.InQuery, true}}

var configs = []Config{{Format: "akamai"}, {Format: "bunny"}, {Format: "bunny", Hash: "sha256"}, {Format: "mediacdn"}, {Format: "mediacdn", Name: "hdnea"}}

// TestAcceptsExactlyTheScope: what was minted is accepted inside its scope,
// and outside of path, time and address it is not.
func TestAcceptsExactlyTheScope(t *testing.T) {
	for _, cfg := range configs {
		m, v := newPair(t, cfg, testBase)
		for _, form := range allForms {
			t.Run(fmt.Sprintf("%s%s/%d/%v", cfg.Format, cfg.Hash, form.Place, form.XML), rapid.MakeCheck(func(t *rapid.T) {
				dir := rapid.StringMatching(`([a-zA-Z0-9._~é &=%"'<-]{0,3}[a-z0-9]/){0,3}`).Draw(t, "dir")
				s := Scope{Dir: dir, Expires: noon.Unix() + rapid.Int64Range(-5, 5).Draw(t, "expires")}
				if rapid.Bool().Draw(t, "bound") {
					s.Client = netip.PrefixFrom(viewer, 32)
				}
				if cfg.Format != "bunny" && rapid.Bool().Draw(t, "starts") {
					s.Starts = noon.Unix() + rapid.Int64Range(-5, 5).Draw(t, "offset")
				}
				s.Session = rapid.StringMatching(`[0-9a-f]{0,4}`).Draw(t, "session")
				text, err := m.Append([]byte("before"), &s, form)
				if errors.Is(err, ErrScope) {
					if !strings.ContainsAny(dir, "~%") || cfg.Format != "mediacdn" || form.Place != manifest.InQuery {
						t.Fatalf("%q cannot be written", dir)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				token := text[len("before"):]
				if bytes.ContainsAny(token, "/") && form.Place == manifest.InPath {
					t.Fatalf("a slash in the path element %s", token)
				}
				if form.XML && bytes.Contains(bytes.ReplaceAll(token, []byte("&amp;"), nil), []byte("&")) || bytes.ContainsAny(token, "\"'<> ") {
					t.Fatalf("%s cannot stand in a manifest", token)
				}
				if n, err := m.Len(&s, form); err != nil || n != 0 && n != len(token) {
					t.Fatalf("Len %d (%v) of %d bytes", n, err, len(token))
				}

				file := rapid.SampledFrom([]string{dir + "a.m4s", dir + "x/y.m4s", "a.m4s", strings.TrimSuffix(dir, "/") + "x/a.m4s", "other/a.m4s"}).Draw(t, "file")
				from := rapid.SampledFrom([]netip.Addr{viewer, netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("2001:db8::1")}).Draw(t, "from")
				path, query := place(m, token, form, file)
				if query != "" {
					query = "a=1&" + query + "&CMCD=x"
				}
				gotPath, gotQuery, err := v.Verify(path, query, from, noon)
				want := strings.HasPrefix(m.Root()+file, m.Root()+s.Dir) && noon.Unix() < s.Expires && noon.Unix() >= s.Starts &&
					(!s.Client.IsValid() || from == viewer)
				if (err == nil) != want {
					t.Fatalf("%s?%s from %s: %v, wanted accepted %v", path, query, from, err, want)
				}
				if err != nil {
					return
				}
				if clean := string(exchange.AppendEscaped(nil, m.Root()+file)); gotPath != clean {
					t.Fatalf("stripped to %s, not %s", gotPath, clean)
				}
				if query != "" && gotQuery != "a=1&CMCD=x" {
					t.Fatalf("query stripped to %q", gotQuery)
				}
			}))
		}
	}
}

func TestRefusesEveryChange(t *testing.T) {
	for _, cfg := range configs {
		m, v := newPair(t, cfg, testBase)
		for _, form := range allForms[:2] {
			s := Scope{Dir: "a/", Expires: noon.Unix() + 60, Client: netip.PrefixFrom(viewer, 32)}
			token, err := m.Append(nil, &s, form)
			if err != nil {
				t.Fatal(err)
			}
			for i := range token {
				for bit := range 8 {
					bad := bytes.Clone(token)
					bad[i] ^= 1 << bit
					path, query := place(m, bad, form, "a/b.m4s")
					if _, _, err := v.Verify(path, query, viewer, noon); err == nil {
						// The case of a percent escape's digits is no change.
						if i > 0 && bytes.EqualFold(bad, token) && bytes.ContainsRune(token[max(0, i-2):i], '%') && cfg.Format == "bunny" {
							continue
						}
						t.Errorf("%s: accepted %s in place of %s", cfg.Format, bad, token)
					}
				}
			}
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	mint := func(cfg Config, form Form, s Scope) (string, *Verifier, *Minter) {
		m, v := newPair(t, cfg, testBase)
		text, err := m.Append(nil, &s, form)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), v, m
	}
	scope := Scope{Expires: noon.Unix() + 60}
	a, av, _ := mint(Config{Format: "akamai"}, allForms[0], scope)
	ap, _, _ := mint(Config{Format: "akamai"}, allForms[1], scope)
	b, bv, _ := mint(Config{Format: "bunny"}, allForms[0], scope)
	bp, _, _ := mint(Config{Format: "bunny"}, allForms[1], scope)
	g, gv, _ := mint(Config{Format: "mediacdn"}, allForms[0], scope)
	gp, _, _ := mint(Config{Format: "mediacdn"}, allForms[1], scope)
	for _, tc := range []struct {
		v                 *Verifier
		name, path, query string
		want              error
	}{
		{av, "no token", "/live/x", "", ErrMissing},
		{av, "empty target", "", "", exchange.ErrTarget},
		{av, "empty value", "/live/x", "hdnts=", ErrMalformed},
		{av, "two in the query", "/live/x", a + "&" + a, ErrMalformed},
		{av, "in path and query", "/" + ap + "/live/x", a, ErrMalformed},
		{av, "not at the root", "/live/" + ap + "/x", "", ErrMissing},
		{av, "the last element", "/" + ap, "", ErrMissing},
		{av, "field twice", "/live/x", strings.Replace(a, "exp=", "exp=1~exp=", 1), ErrMalformed},
		{av, "unknown field", "/live/x", strings.Replace(a, "~hmac", "~foo=1~hmac", 1), ErrUnsupported},
		{av, "no hmac", "/live/x", a[:strings.Index(a, "~hmac")], ErrMalformed},
		{av, "hmac not last", "/live/x", a + "~data=x", ErrMalformed},
		{av, "hmac in upper case", "/live/x", a[:strings.Index(a, "hmac=")+5] + strings.ToUpper(a[strings.Index(a, "hmac=")+5:]), ErrSignature},
		{av, "huge", "/live/x", "hdnts=" + strings.Repeat("a~", 4<<10), ErrMalformed},
		{av, "dot segments", "/live/%2e%2e/secret", a, exchange.ErrDotSegment},
		{av, "encoded slash", "/live/..%2fsecret", a, exchange.ErrEncodedSlash},
		{av, "dot segments around the token", "/" + ap + "/live/../secret", "", exchange.ErrDotSegment},
		{bv, "no expiry", "/live/x", strings.Replace(b, "&expires=", "&expire=", 1), ErrMalformed},
		{bv, "two directories", "/live/x", b + "&token_path=%2F", ErrMalformed},
		{bv, "encoded second name", "/live/x", b + "&token%5Fpath=%2F", ErrMalformed},
		{bv, "broken escape", "/live/x", b + "&x=%2", ErrMalformed},
		{bv, "in path and query", "/" + bp + "/live/x", b, ErrMalformed},
		{bv, "limit added", "/" + strings.Replace(bp, "&expires", "&limit=9&expires", 1) + "/live/y", "", nil},
		{bv, "ignored parameters turned on", "/300kb.jpg", "token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587&token_ignore_params=true", ErrSignature},
		{gv, "two scopes", "/live/x", strings.Replace(g, "=PathGlobs", "=FullPath~PathGlobs", 1), ErrMalformed},
		{gv, "two elements", "/live/" + gp + "/" + gp + "/x", "", ErrMalformed},
		{gv, "element elsewhere", "/" + gp + "/live/x", "", nil},
		{gv, "element elsewhere, other path", "/" + gp + "/secret/x", "", ErrPath},
	} {
		t.Run(tc.v.format.name+" "+tc.name, func(t *testing.T) {
			_, _, err := tc.v.Verify(tc.path, tc.query, viewer, noon)
			if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestScopeThatCannotBeWritten(t *testing.T) {
	for _, tc := range []struct {
		format string
		form   Form
		scope  Scope
	}{
		{"akamai", allForms[0], Scope{Dir: "a*b/", Expires: 1}},
		{"akamai", allForms[1], Scope{Dir: "a?b/", Expires: 1}},
		{"akamai", allForms[0], Scope{Dir: "a!/", Expires: 1}},
		{"mediacdn", allForms[0], Scope{Dir: "a,b/", Expires: 1}},
		{"mediacdn", allForms[0], Scope{Dir: "a~b/", Expires: 1}},
		{"bunny", allForms[1], Scope{Dir: "a/", Starts: 1, Expires: 2}},
		{"bunny", allForms[1], Scope{Dir: "a/", Expires: 2, Client: netip.MustParsePrefix("2001:db8::1/65")}},
		{"bunny", allForms[1], Scope{Dir: "a", Expires: 1}},
		{"bunny", allForms[1], Scope{Dir: "/a/", Expires: 1}},
		{"bunny", allForms[1], Scope{File: "/a", Expires: 1}},
		{"bunny", allForms[1], Scope{Dir: "a/", File: "a/b", Expires: 1}},
		{"akamai", allForms[1], Scope{Dir: "a/"}},
		{"akamai", allForms[1], Scope{Dir: "a/", Expires: 1, Session: "a~acl=/*"}},
	} {
		m, _ := newPair(t, Config{Format: tc.format}, testBase)
		if got, err := m.Append([]byte("x"), &tc.scope, tc.form); !errors.Is(err, ErrScope) || string(got) != "x" {
			t.Errorf("%s %+v: %q, %v", tc.format, tc.scope, got, err)
		}
		if _, err := m.Token(&tc.scope, tc.form); !errors.Is(err, ErrScope) {
			t.Errorf("%s %+v: cached: %v", tc.format, tc.scope, err)
		}
	}
}
