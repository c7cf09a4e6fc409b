package access

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
	"manifold/manifest"
	"manifold/proxy/access/token"
	"manifold/session"

	"pgregory.net/rapid"
)

func TestEnterAndReturn(t *testing.T) {
	p := newPolicy(t, testConfig())
	r := request(sign(t, hs, testGrant()))
	g, err := p.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	v, err := enter(p, g, r)
	if err != nil {
		t.Fatal(err)
	}
	v.Claims.Device, v.Claims.Country = 3, session.CountryOf("DE")
	text := string(p.AppendAddress(nil, &v.Claims))

	back := *r
	back.Token, back.Path = "", "movie1/v720/index.m3u8"
	got, err := comeBack(p, text, &back)
	if err != nil {
		t.Fatal(err)
	}
	v.Claims.KeyID, v.Tier = got.Claims.KeyID, ""
	if got != v {
		t.Errorf("got  %+v\nwant %+v", got, v)
	}
	if got.Scope != "movie1/" || got.Bound != netip.MustParsePrefix("192.0.2.0/24") || got.Claims.Tier != session.NameOf("premium") || got.Claims.Expires != g.Expires {
		t.Errorf("%+v", got)
	}

	for name, tc := range map[string]struct {
		change func(r *Request)
		text   string
		want   error
	}{
		"another path":    {func(r *Request) { r.Path = "movie2/a.m3u8" }, text, ErrPath},
		"another address": {func(r *Request) { r.Remote = netip.MustParseAddr("198.51.100.1") }, text, ErrAddress},
		"too late":        {func(r *Request) { r.Now = noon.Add(600 * time.Second) }, text, ErrSessionExpired},
		"too early":       {func(r *Request) { r.Now = noon.Add(-3 * time.Hour) }, text, ErrSessionNotYet},
		"broken":          {func(r *Request) {}, text[1:], ErrSessionBroken},
		"forged":          {func(r *Request) {}, "B" + text[1:], ErrSessionBroken},
		"changed":         {func(r *Request) {}, text[:60] + next(text[60]) + text[61:], ErrSessionForged},
		"another key":     {func(r *Request) {}, text[:2] + next(text[2]) + text[3:], ErrSessionKey},
	} {
		back := back
		tc.change(&back)
		if _, err := comeBack(p, tc.text, &back); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if !errors.Is(ErrSessionExpired, session.ErrExpired) {
		t.Error("the cause is lost")
	}
}

func TestSteer(t *testing.T) {
	p := newPolicy(t, testConfig())
	v, err := enter(p, testGrant(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	text := string(p.AppendAddress(nil, &v.Claims))
	r := request("")
	r.Path = ""
	r.Now = noon.Add(24 * time.Hour) // the session has ended, and is still steered
	got, err := steer(p, text, r)
	if err != nil || got.Claims.ID != v.Claims.ID || got.Scope != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := steer(p, text[:60]+next(text[60])+text[61:], r); !errors.Is(err, ErrSessionForged) {
		t.Errorf("a changed address: %v", err)
	}
}

func TestSessionsOfOneViewer(t *testing.T) {
	p := newPolicy(t, testConfig())
	id := func(change func(g *Grant, r *Request)) session.ID {
		g := testGrant()
		r := request("")
		change(g, r)
		v, err := enter(p, g, r)
		if err != nil {
			t.Fatal(err)
		}
		return v.Claims.ID
	}
	base := id(func(*Grant, *Request) {})
	if base != id(func(_ *Grant, r *Request) { r.Now = noon.Add(9 * time.Minute); r.UserAgent = "x"; r.Player = "y" }) {
		t.Error("a token for one session gave two")
	}
	if base == id(func(g *Grant, _ *Request) { g.Session = "s2" }) || base == id(func(g *Grant, _ *Request) { g.TokenID = "t2" }) {
		t.Error("two sessions are one")
	}
	two := id(func(g *Grant, r *Request) { g.Session = ""; r.Player = "p1" })
	if two == base || two == id(func(g *Grant, r *Request) { g.Session = ""; r.Player = "p2" }) {
		t.Error("two players are one")
	}
}

// TestAttenuation: whatever a CDN accepts of what we minted, the viewer's own
// token allows; and what the viewer asked for is accepted.
func TestAttenuation(t *testing.T) {
	addresses := []string{"192.0.2.7", "192.0.2.200", "198.51.100.1", "2001:db8::7", "2001:db8::8", "2001:db8:1::1"}
	dirs := []string{"", "a/", "a/b/", "a/b/c/", "ab/", "b/"}
	secrets := token.Secrets{Keys: [][]byte{secret}}
	const base = "https://cdn.example/media/vod/"
	bound := newPolicy(t, testConfig())
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Custom(func(t *rapid.T) netip.Addr {
			return netip.MustParseAddr(rapid.SampledFrom(addresses).Draw(t, "address"))
		})
		cfg := token.Config{Keys: []string{"env:K"}, Lifetime: time.Minute, Bucket: 20 * time.Second,
			Format: rapid.SampledFrom([]string{"akamai", "bunny", "mediacdn"}).Draw(t, "format"),
			Family: rapid.SampledFrom([]string{"", "ipv4", "ipv6"}).Draw(t, "family")}
		if cfg.Format == "bunny" && rapid.Bool().Draw(t, "former") {
			cfg.Hash = "sha256"
		}
		m, err := token.New(cfg, base, secrets)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := token.NewVerifier(cfg, []string{base}, secrets)
		if err != nil {
			t.Fatal(err)
		}

		g := &Grant{TokenID: "t", Expires: noon.Unix() + rapid.Int64Range(1, 200).Draw(t, "expires")}
		for _, d := range rapid.SliceOfN(rapid.SampledFrom(dirs), 0, 3).Draw(t, "paths") {
			g.Paths = append(g.Paths, "/vod/"+d)
		}
		r := request("")
		r.Remote = address.Draw(t, "remote")
		if rapid.Bool().Draw(t, "bound") {
			bits := rapid.SampledFrom([]int{8, 24, 32}).Draw(t, "bits")
			if r.Remote.Is6() {
				bits = rapid.SampledFrom([]int{32, 64, 128}).Draw(t, "bits6")
			}
			g.Address = netip.PrefixFrom(r.Remote, bits).Masked()
		}
		asset := rapid.SampledFrom(dirs).Draw(t, "asset")
		r.Path = asset + "x/master.m3u8"
		if _, ok := g.scope("/vod", r.Path); !ok {
			return // the entry itself is refused
		}
		v, err := enter(bound, g, r)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "return") {
			if v, err = comeBack(bound, string(bound.AppendAddress(nil, &v.Claims)), r); err != nil {
				t.Fatal(err)
			}
		}
		s, err := cdnScope(bound, &v, m, asset, noon)
		if errors.Is(err, ErrUnbound) {
			if !g.Address.IsValid() || m.CanBind(r.Remote) {
				t.Fatal("left out for nothing")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		form := m.Form(rapid.SampledFrom([]manifest.Kind{manifest.HLSMedia, manifest.DASH}).Draw(t, "kind"))
		text, err := m.Token(&s, form)
		if errors.Is(err, token.ErrScope) {
			if cfg.Format != "bunny" || g.Address.Bits() <= 64 {
				t.Fatal("the scope cannot be written")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}

		verify := func(under string, from netip.Addr, at time.Time) error {
			path, query := "/media/vod/"+under, ""
			if form.Place == manifest.InPath {
				i := m.At()
				url := base[:i] + strings.ReplaceAll(string(text), "&amp;", "&") + "/" + base[i:] + under
				path = url[len("https://cdn.example"):]
			} else {
				query = string(text)
			}
			stripped, _, err := verifier.Verify(path, query, from, at)
			if err == nil && stripped != "/media/vod/"+under {
				t.Fatalf("stripped to %s", stripped)
			}
			return err
		}
		if err := verify(asset+"x/1.m4s", r.Remote, noon); err != nil {
			t.Fatalf("the viewer's own request: %v", err)
		}
		under := rapid.SampledFrom(dirs).Draw(t, "other") + rapid.SampledFrom([]string{"1.m4s", "x/1.m4s", "x"}).Draw(t, "file")
		from, at := address.Draw(t, "from"), noon.Add(time.Duration(rapid.IntRange(0, 220).Draw(t, "later"))*time.Second)
		if verify(under, from, at) == nil {
			if err := g.Allows("/vod/"+under, from, at); err != nil {
				t.Fatalf("the CDN accepts %s from %s at +%s, the grant does not: %v", under, from, at.Sub(noon), err)
			}
			if _, _, err := exchange.Canonical(nil, "/vod/"+under); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestUnboundCDN(t *testing.T) {
	cfg := testConfig()
	cfg.UnboundCDN = true
	p := newPolicy(t, cfg)
	m, err := token.New(token.Config{Format: "akamai", Keys: []string{"env:K"}, Family: "ipv6"}, "https://cdn.example/", token.Secrets{Keys: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := enter(p, testGrant(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := cdnScope(p, &v, m, "movie1/", noon); err != nil || s.Client.IsValid() {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := cdnScope(p, &v, m, "movie2/", noon); !errors.Is(err, ErrPath) {
		t.Errorf("another asset: %v", err)
	}
}

// These give the viewer, and the scope, as values.
func enter(p *Policy, g *Grant, r *Request) (v Viewer, err error) {
	err = p.Enter(&v, g, r)
	return v, err
}

func comeBack(p *Policy, text string, r *Request) (v Viewer, err error) {
	err = p.Return(&v, text, r)
	return v, err
}

func steer(p *Policy, text string, r *Request) (v Viewer, err error) {
	err = p.Steer(&v, text, r)
	return v, err
}

func cdnScope(p *Policy, v *Viewer, m *token.Minter, asset string, now time.Time) (s token.Scope, err error) {
	err = p.CDNScope(&s, v, m, asset, now)
	return s, err
}
