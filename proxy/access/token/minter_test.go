package token

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"manifold/manifest"

	"pgregory.net/rapid"
)

func TestFormAndPlace(t *testing.T) {
	for _, tc := range []struct {
		cfg   Config
		kind  manifest.Kind
		form  Form
		inURL string
	}{
		{Config{Format: "akamai"}, manifest.HLSMedia, Form{manifest.InQuery, false}, ""},
		{Config{Format: "akamai", HLS: "path"}, manifest.HLSMultivariant, Form{manifest.InPath, false}, "https://cdn.example:8443/TOKEN/live/"},
		{Config{Format: "akamai"}, manifest.DASH, Form{manifest.InPath, true}, "https://cdn.example:8443/TOKEN/live/"},
		{Config{Format: "bunny"}, manifest.HLSMedia, Form{manifest.InPath, false}, "https://cdn.example:8443/TOKEN/live/"},
		{Config{Format: "bunny", HLS: "query"}, manifest.HLSMedia, Form{manifest.InQuery, false}, ""},
		{Config{Format: "mediacdn"}, manifest.HLSMedia, Form{manifest.InQuery, false}, ""},
		{Config{Format: "mediacdn"}, manifest.DASH, Form{manifest.InPath, true}, "https://cdn.example:8443/live/TOKEN/"},
	} {
		m, _ := newPair(t, tc.cfg, testBase)
		if got := m.Form(tc.kind); got != tc.form {
			t.Errorf("%+v, %s: %+v", tc.cfg, tc.kind, got)
		}
		if at := m.At(); tc.inURL != "" && testBase[:at]+"TOKEN/"+testBase[at:] != tc.inURL {
			t.Errorf("%+v, %s: the token goes to %d", tc.cfg, tc.kind, at)
		}
		if m.Root() != "/live/" {
			t.Error(m.Root())
		}
	}
}

func TestExpiry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Format: "akamai", Keys: []string{"env:K"},
			Lifetime: time.Duration(rapid.Int64Range(1, 1e5).Draw(t, "lifetime")) * time.Second,
			Bucket:   time.Duration(rapid.Int64Range(1, 1e4).Draw(t, "bucket")) * time.Second}
		if rapid.Bool().Draw(t, "max") {
			cfg.Max = cfg.Lifetime + cfg.Bucket + time.Duration(rapid.Int64Range(0, 1e4).Draw(t, "room"))*time.Second
		}
		m, err := New(cfg, testBase, secrets)
		if err != nil {
			t.Fatal(err)
		}
		now := noon.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "now")))
		free := m.Expiry(now, 0)
		left := time.Unix(free, 0).Sub(now.Truncate(time.Second))
		if left < cfg.Lifetime || left >= cfg.Lifetime+cfg.Bucket || cfg.Max > 0 && left > cfg.Max {
			t.Fatalf("%s left of %+v", left, cfg)
		}
		if free%int64(cfg.Bucket/time.Second) != 0 {
			t.Fatal("the expiry is not on the grid")
		}
		end := now.Unix() + rapid.Int64Range(1, 2e5).Draw(t, "grant")
		if got := m.Expiry(now, end); got != min(free, end) {
			t.Fatalf("with a grant until %d: %d", end, got)
		}
	})
}

func TestTokenIsMadeOnce(t *testing.T) {
	m, _ := newPair(t, Config{Format: "akamai"}, testBase)
	s := Scope{Dir: "a/", Expires: noon.Unix()}
	form := m.Form(manifest.HLSMedia)
	first, err := m.Token(&s, form)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := m.Token(&Scope{Dir: strings.Clone("a/"), Expires: noon.Unix()}, form)
	if &first[0] != &again[0] {
		t.Error("the same token was made twice")
	}
	seen := map[string]bool{string(first): true}
	for _, other := range []Scope{
		{Dir: "b/", Expires: noon.Unix()},
		{Dir: "a/", Expires: noon.Unix() + 1},
		{Dir: "a/", Expires: noon.Unix(), Session: "1"},
		{Dir: "a/", Expires: noon.Unix(), Starts: 1},
		{File: "a/", Expires: noon.Unix()},
		{Dir: "a/", Expires: noon.Unix(), Client: netip.PrefixFrom(viewer, 32)},
	} {
		text, err := m.Token(&other, form)
		if err != nil || seen[string(text)] {
			t.Errorf("%+v: %s, %v", other, text, err)
		}
		seen[string(text)] = true
	}
	// However many assets there are, the right token comes out.
	for i := range 3 * cacheBuckets * cacheWays {
		s := Scope{Dir: strings.Repeat("x", i%97+1) + "/", Expires: noon.Unix() + int64(i%31)}
		got, _ := m.Token(&s, form)
		want, _ := m.Append(nil, &s, form)
		if string(got) != string(want) {
			t.Fatalf("%+v: got %s, want %s", s, got, want)
		}
	}
}

func TestRotatedKeys(t *testing.T) {
	cfg := Config{Format: "mediacdn", Keys: []string{"env:K"}}
	old, _ := New(cfg, testBase, Secrets{Keys: secrets.Keys[1:]})
	s := Scope{Expires: noon.Unix() + 60}
	token, _ := old.Append(nil, &s, Form{Place: manifest.InQuery})
	both, _ := NewVerifier(cfg, nil, secrets)
	if _, _, err := both.Verify("/live/x", string(token), viewer, noon); err != nil {
		t.Errorf("the second live key: %v", err)
	}
	gone, _ := NewVerifier(cfg, nil, Secrets{Keys: secrets.Keys[:1]})
	if _, _, err := gone.Verify("/live/x", string(token), viewer, noon); err == nil {
		t.Error("a dropped key was accepted")
	}
}

func TestCanBind(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::1")
	for family, want := range map[string][2]bool{"": {true, true}, "ipv4": {true, false}, "ipv6": {false, true}} {
		m, _ := newPair(t, Config{Format: "akamai", Family: family}, testBase)
		if m.CanBind(viewer) != want[0] || m.CanBind(v6) != want[1] {
			t.Errorf("family %q", family)
		}
		if m.CanBind(netip.Addr{}) {
			t.Errorf("family %q binds to no address", family)
		}
	}
}

func TestValidate(t *testing.T) {
	bad := Config{Format: "akami", Name: "1x", HLS: "cookie", Hash: "md5", Lifetime: -1, Bucket: time.Millisecond, Max: time.Second, Family: "v4"}
	const want = `format: unknown token format "akami" (one of akamai, bunny, mediacdn)
keys: a key is needed (as in "file:/etc/manifold/cdn.key#hex" or "env:CDN_KEY")
hls: unknown place "cookie" ("query" or "path")
hash: unknown hash "md5" ("hmac", or "sha256" for Bunny's former way)
lifetime: -1ns is shorter than a second
bucket: 1ms is shorter than a second
family: unknown address family "v4" ("ipv4", "ipv6" or nothing)`
	if got := bad.Validate().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Format: "bunny", Keys: []string{"env:K"}, Name: "t"}, `name: the name "t" cannot be used`},
		{Config{Format: "akamai", Keys: []string{"env:K"}, Name: "a/b"}, `name: the name "a/b" cannot be used`},
		{Config{Format: "bunny", Keys: []string{"env:K"}, Salt: "env:S"}, "salt: the format bunny has no salt"},
		{Config{Format: "akamai", Keys: []string{"env:K"}, Hash: "sha256"}, "hash: the format akamai is always signed by HMAC"},
		{Config{Format: "akamai", Keys: []string{"env:K"}, Max: time.Hour}, "max: 1h0m0s is less than lifetime and bucket together, 6h10m0s"},
	} {
		if got := tc.cfg.Validate().Error(); !strings.HasPrefix(got, tc.want) || strings.Contains(got, "\n") {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	good := Config{Format: "akamai", Keys: []string{"env:K"}}
	for base, want := range map[string]string{
		"cdn.example/live/":           "it must begin with http",
		"ftp://cdn.example/":          "it must begin with http",
		"https://cdn.example":         "it needs a host and a path",
		"https:///live/":              "it needs a host and a path",
		"https://u:p@cdn.example/":    "it needs a host and a path",
		"https://cdn.example/live":    "it must end with",
		"https://cdn.example/a?b/":    "it must end with",
		"https://cdn.example/a/../b/": "dot segment",
	} {
		if _, err := New(good, base, secrets); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("base %s: %v", base, err)
		}
	}
	if _, err := New(good, testBase, Secrets{}); err == nil {
		t.Error("no key was accepted")
	}
	if _, err := New(good, testBase, Secrets{Keys: [][]byte{secrets.Keys[0], []byte("short")}}); err == nil || !strings.Contains(err.Error(), "key 2 has 5 bytes") {
		t.Errorf("a short key: %v", err)
	}
	if _, err := NewVerifier(good, []string{"x"}, secrets); err == nil {
		t.Error("a broken base was accepted")
	}
}
