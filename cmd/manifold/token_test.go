package main

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/device"
	"manifold/keys"
	"manifold/session"
)

// What is signed is read back without a key, and checked with one.
func TestSignAndInspectJWT(t *testing.T) {
	dir := folder(t, map[string]string{"hs.key": base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("k", 32))), "other.key": strings.Repeat("o", 32)})
	t.Chdir(dir)
	if err := keys.EnsureES256(filepath.Join(dir, "es.pem"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sign, check, wrong string }{
		{"file:hs.key#base64url", "file:hs.key#base64url", "file:other.key"},
		{"file:es.pem", "file:es.pem.pub", "file:hs.key#base64url"},
	} {
		got := cli(t, "", "token", "sign", "--key", c.sign, "--kid", "k1", "--issuer", "login.example", "--subject", "ann", "--audience", "edge",
			"--tier", "gold", "--path", "/news", "--path", "/vod/film", "--address", "192.0.2.0/24", "--session", "s1", "--id", "j1",
			"--expires", "90m", "--not-before", "1m")
		if got.code != 0 {
			t.Fatal(got)
		}
		token := strings.TrimSpace(got.out)
		shown := cli(t, token+"\n", "token", "inspect", "-")
		for _, row := range []string{
			`JWT, (HS|ES)256`, `key id +k1`, `issuer +login\.example`, `subject +ann`, `audience +edge`, `tier +gold`,
			`paths +\["/news","/vod/film"\]`, `address +192\.0\.2\.0/24`, `session +s1`, `id +j1`,
			`expires +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in 1 h \d+ min`, `not before .*Z, in (1 min 0|59) s`, `issued .*Z, `, `signature +not checked`,
		} {
			if !regexp.MustCompile(row).MatchString(shown.out) {
				t.Errorf("%s is not in\n%s%s", row, shown.out, shown.err)
			}
		}
		if got := cli(t, "", "token", "inspect", token, "--key", c.check); got.code != 0 || !strings.Contains(got.out, "signature   good") {
			t.Errorf("%+v", got)
		}
		if got := cli(t, "", "token", "inspect", token, "--key", c.wrong); got.code != exitThreshold {
			t.Errorf("a wrong key: %+v", got)
		}
		if got := cli(t, "", "token", "inspect", "https://edge.example/news/master.m3u8?x=1&token="+token); got.code != 0 || !strings.Contains(got.out, "login.example") {
			t.Errorf("in a URL: %+v", got)
		}
	}
	if got := cli(t, "", "token", "sign", "--key", "file:es.pem.pub"); got.code != exitFailed || !strings.Contains(got.err, "public") {
		t.Errorf("signed by a public key: %+v", got)
	}
}

// A CDN's token is found in its URL, whatever its form, and said in words.
func TestSignAndInspectCDN(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"cdn.key": strings.Repeat("k", 32)}))
	for _, format := range []string{"akamai", "bunny", "mediacdn"} {
		for _, more := range [][]string{nil, {"--dash"}, {"--place", "query"}, {"--place", "path"}} {
			args := append([]string{"token", "sign", "--format", format, "--key", "file:cdn.key", "--base", "https://cdn.example/live", "--dir", "news"}, more...)
			element, whole := cli(t, "", args...), cli(t, "", append(args, "--url")...)
			if element.code != 0 || whole.code != 0 {
				t.Fatal(element, whole)
			}
			u, err := url.Parse(strings.TrimSpace(whole.out))
			if err != nil || u.Host != "cdn.example" || !strings.Contains(u.Path, "/news/") {
				t.Errorf("%v: %s", args, whole.out)
			}
			for _, text := range []string{element.out, whole.out} {
				got := cli(t, text, "token", "inspect", "-")
				for _, row := range []string{
					`(?i)` + map[string]string{"akamai": "akamai", "bunny": "bunny", "mediacdn": "media cdn"}[format] + ` token; signature not checked`,
					`(paths|below) +.*/live/news/`, `expires +\d{4}-.*Z, in 1[12] h \d+ min`, `signature +\S+`,
				} {
					if !regexp.MustCompile(row).MatchString(got.out) {
						t.Errorf("%s: %s is not in\n%s%s", strings.TrimSpace(text), row, got.out, got.err)
					}
				}
			}
		}
	}
	u := strings.TrimSpace(cli(t, "", "token", "sign", "--format", "akamai", "--key", "file:cdn.key", "--base", "https://cdn.example/", "--url").out)
	if got := cli(t, "", "token", "inspect", u, "--key", "file:cdn.key"); got.code != exitUsage {
		t.Errorf("%+v", got)
	}
}

func TestInspectSession(t *testing.T) {
	k, err := session.NewKeys(session.Secrets{Sign: [][]byte{[]byte(strings.Repeat("s", 32))}})
	if err != nil {
		t.Fatal(err)
	}
	table, err := device.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text := string(k.Append(nil, &session.Claims{
		ID: session.ID{1, 2, 3}, Issued: now.Unix(), Expires: now.Add(12 * time.Hour).Unix(), Country: session.CountryOf("DE"),
		Device: table.ByName("shaka").ID, Subject: k.Subject("ann"), Tier: session.NameOf("gold"),
	}, "news", "/news"))
	for _, in := range []string{text, "https://edge.example/news/~" + text + "/alpha/v360/index.m3u8?x=1"} {
		got := cli(t, in, "token", "inspect", "-")
		for _, row := range []string{`session address of manifold`, `session +0102030000000000`, `country +DE`, `device +shaka`, `expires .*in 1[12] h`, `subject +[0-9a-f]{16}`} {
			if !regexp.MustCompile(row).MatchString(got.out) {
				t.Errorf("%s is not in\n%s%s", row, got.out, got.err)
			}
		}
	}
}

// What somebody sent does not move the cursor of who looks at it, or take long.
func TestInspectHostile(t *testing.T) {
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, text := range []string{
		b64(`{"alg":"HS256","kid":"\u001b[2J"}`) + "." + b64(`{"sub":"a\u001b]0;x\u0007\nexpires  never"}`) + ".",
		b64(`{"alg":"none"}`) + "." + b64(`{"exp":9e99,"iat":-1,"nbf":"x"}`) + ".",
		b64(`{"alg":1}`) + "." + b64(`{}`) + ".x",
		"exp=99999999999999999999~acl=%1b[2J~hmac=x",
		"x=y~hmac=",
		"~\x17\x1b[2J\x07=0~hmac=\a\v\u009b2J",
		"https://c.example/bcdn_token=x&expires=%zz/",
		strings.Repeat("a.", 40_000),
		strings.Repeat("~", session.TextLen),
	} {
		got := cli(t, text, "token", "inspect", "-")
		if strings.ContainsAny(got.out+got.err, "\x1b\x07\x17\u009b") || got.code != 0 && got.code != exitUsage {
			t.Errorf("%.60q: %d %q %q", text, got.code, got.out, got.err)
		}
	}
}

func FuzzInspectToken(f *testing.F) {
	for _, s := range []string{"", "a.b.c", "exp=1~acl=/*~hmac=00", "/bcdn_token=x&expires=1/", "https://x/?token=x&expires=1", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var out strings.Builder
		_ = inspectToken(&out, s, "", time.Unix(1_800_000_000, 0))
		for _, r := range out.String() {
			if r < ' ' && r != '\n' {
				t.Errorf("%q is printed as %q", s, out.String())
			}
		}
	})
}
