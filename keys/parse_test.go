package keys

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// ecTexts is one key pair in all notations.
type ecTexts struct{ pkcs8, sec1, public, jwkPublic, jwkPrivate, x, y, d string }

func newECTexts(t testing.TB) ecTexts {
	t.Helper()
	k, err := newP256(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(k)
	sec1, _ := x509.MarshalECPrivateKey(k)
	public, _ := x509.MarshalPKIXPublicKey(&k.PublicKey)
	point, _ := k.PublicKey.Bytes()
	d, _ := k.Bytes()
	e := ecTexts{pkcs8: pemOf("PRIVATE KEY", pkcs8), sec1: pemOf("EC PRIVATE KEY", sec1), public: pemOf("PUBLIC KEY", public),
		x: b64(point[1:33]), y: b64(point[33:]), d: b64(d)}
	e.jwkPublic = fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"e1","alg":"ES256","x":%q,"y":%q}`, e.x, e.y)
	e.jwkPrivate = fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q,"d":%q}`, e.x, e.y, e.d)
	return e
}

func TestParseSecrets(t *testing.T) {
	binary := string([]byte{0, 1, 2, 0xff, '\n'})
	for _, tc := range []struct {
		data   string
		format Format
		want   string
	}{
		{"hello", Auto, "hello"},
		{"hello\n", Auto, "hello"},
		{"hello\r\n", Raw, "hello"},
		{"hello\n\n", Raw, "hello\n\n"}, // a line end inside: not printable text
		{" hello ", Raw, " hello "},
		{binary, Raw, binary},
		{binary, Auto, binary},
		{"52a1", Hex, "\x52\xa1"},
		{" 52A1\n", Hex, "\x52\xa1"},
		{"-_8=", Base64URL, "\xfb\xff"},
		{"-_8\n", Base64URL, "\xfb\xff"},
		{`{"kty":"oct","k":"-_8"}`, Auto, "\xfb\xff"},
		{"{not JSON", Raw, "{not JSON"},
	} {
		got, err := Parse([]byte(tc.data), tc.format)
		if err != nil || len(got) != 1 || string(got[0].Secret) != tc.want || got[0].Public != nil {
			t.Errorf("%q as %q: %q, %v", tc.data, tc.format, got, err)
		}
	}
}

func TestParseEC(t *testing.T) {
	e := newECTexts(t)
	for name, tc := range map[string]struct {
		data    string
		private bool
	}{
		"PKCS 8":          {e.pkcs8, true},
		"SEC 1":           {e.sec1, true},
		"with parameters": {pemOf("EC PARAMETERS", []byte{6, 0}) + e.sec1, true},
		"with text":       {"some words\n" + e.public, false},
		"public":          {e.public, false},
		"JWK":             {e.jwkPublic, false},
		"private JWK":     {"\n" + e.jwkPrivate, true},
	} {
		format := Auto
		if name == "with text" {
			format = PEM
		}
		got, err := Parse([]byte(tc.data), format)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got[0].Secret != nil || (got[0].Private != nil) != tc.private || got[0].Public.Curve != elliptic.P256() {
			t.Errorf("%s: %v", name, got)
		}
		if point, _ := got[0].Public.Bytes(); b64(point[1:33]) != e.x {
			t.Errorf("%s: another key", name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	e := newECTexts(t)
	other := newECTexts(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaDER, _ := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	for name, tc := range map[string]struct {
		data   string
		format Format
		want   string
	}{
		"empty":            {"", Auto, "it is empty"},
		"only a line end":  {"\n", Raw, "it is empty"},
		"odd hex":          {"abc", Hex, "it is not hexadecimal digits, two for a byte"},
		"not hex":          {"SECRETSECRET", Hex, "it is not hexadecimal digits, two for a byte"},
		"plus":             {"a+b/", Base64URL, "it is not base64url (RFC 4648, section 5)"},
		"stray bits":       {"-_9", Base64URL, "it is not base64url (RFC 4648, section 5)"},
		"cut PEM":          {e.public[:60], Auto, "it holds no PEM block with a key"},
		"broken PEM":       {pemOf("PUBLIC KEY", []byte("SECRET")), Auto, `the PEM block "PUBLIC KEY" cannot be read`},
		"certificate":      {pemOf("CERTIFICATE", []byte("x")), Auto, `a PEM block of type "CERTIFICATE" is no key that is known (EC keys are)`},
		"RSA":              {pemOf("PUBLIC KEY", rsaDER), Auto, `the PEM block "PUBLIC KEY" holds a key of another kind than EC`},
		"not JSON":         {`{"kty":`, Auto, "it is not a JWK"},
		"RSA JWK":          {`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, Auto, errKind.Error()},
		"P-384":            {`{"kty":"EC","crv":"P-384"}`, Auto, errKind.Error()},
		"oct, no k":        {`{"kty":"oct"}`, Auto, "its k is not base64url"},
		"oct, padded":      {`{"kty":"oct","k":"-_8="}`, Auto, "its k is not base64url"},
		"short x":          {strings.Replace(e.jwkPublic, e.x, e.x[:40], 1), Auto, "its x and y are not 32 bytes of base64url each"},
		"not on the curve": {strings.Replace(e.jwkPublic, e.x, other.x, 1), Auto, "its x and y are not a point of P-256"},
		"another's d":      {strings.Replace(e.jwkPrivate, e.d, other.d, 1), Auto, "its d does not belong to its x and y"},
		"d zero":           {strings.Replace(e.jwkPrivate, e.d, b64(make([]byte, 32)), 1), Auto, "its d does not belong to its x and y"},
		"empty set":        {`{"keys":[]}`, Auto, "the JWK set has no key of a known kind"},
		"set of others":    {`{"keys":[{"kty":"RSA"}]}`, Auto, "the JWK set has no key of a known kind"},
		"kid twice":        {`{"keys":[` + e.jwkPublic + `,` + e.jwkPublic + `]}`, Auto, "key 2 of the set has the kid of another one"},
		"broken in a set":  {`{"keys":[{"kty":"oct"}]}`, Auto, "key 1 of the set: its k is not base64url"},
		"numbers in a set": {`{"keys":[1]}`, Auto, "key 1 of the set is not a JWK"},
		"unknown format":   {"x", Format("der"), "unknown key format (one of raw, hex, base64url, pem, jwk)"},
	} {
		_, err := Parse([]byte(tc.data), tc.format)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func TestParseSet(t *testing.T) {
	e := newECTexts(t)
	list, err := Parse([]byte(`{"keys":[`+e.jwkPublic+`,{"kty":"RSA","kid":"r"},{"kty":"oct","kid":"h1","k":"AAEC"}]}`), Auto)
	if err != nil || len(list) != 2 || list[0].ID != "e1" || list[1].ID != "h1" || !bytes.Equal(list[1].Secret, []byte{0, 1, 2}) {
		t.Errorf("%v, %v", list, err)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := Key{ID: "k1", Secret: []byte("SECRET")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	asJSON, _ := json.Marshal(map[string]Key{"k": k})
	text := fmt.Sprintf("%v %+v %#v %s %v %+v", k, k, k, k, []Key{k}, &k) + log.String() + string(asJSON)
	for _, leak := range []string{"SECRET", "83 69", "0x53", b64([]byte("SECRET")), "U0VDUkVU"} {
		if strings.Contains(text, leak) {
			t.Errorf("%q is printed in %s", leak, text)
		}
	}
	if k.String() != "secret k1" || (Key{}).String() != "secret" {
		t.Error(k.String())
	}
}

func FuzzParse(f *testing.F) {
	e := newECTexts(f)
	for _, s := range []string{e.pkcs8, e.sec1, e.public, e.jwkPublic, e.jwkPrivate, "52a1", "-_8=", `{"keys":[` + e.jwkPublic + `]}`} {
		f.Add([]byte(s), "")
	}
	f.Add([]byte("52a1"), "hex")
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		list, err := Parse(data, Format(format))
		if err != nil {
			return
		}
		if len(list) == 0 {
			t.Fatal("no key and no error")
		}
		for _, k := range list {
			if (len(k.Secret) > 0) == (k.Public != nil) || k.Private != nil && !k.Private.PublicKey.Equal(k.Public) {
				t.Fatalf("%v", k)
			}
		}
	})
}
