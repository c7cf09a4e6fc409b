package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// raw signs any header and payload by HMAC.
func raw(key []byte, header, payload string) string {
	text := b64(header) + "." + b64(payload)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

const (
	okHeader  = `{"alg":"HS256","kid":"h1","typ":"JWT"}`
	okPayload = `{"iss":"https://id.example","aud":"tv","exp":1700000600}`
)

// hostile is tokens that must not pass, by what is wrong with them.
func hostile() map[string]struct {
	token string
	want  *Error
} {
	der, _ := x509.MarshalPKIXPublicKey(&ecKey.PublicKey)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := raw(secret, okHeader, okPayload)
	esGood := signClaims(es.Private, jwt.MapClaims{"iss": "https://id.example", "aud": "tv", "exp": 1700000600})
	header := func(h string) string { return raw(secret, h, okPayload) }
	payload := func(p string) string { return raw(secret, okHeader, p) }
	claim := func(c string) string {
		return payload(`{"iss":"https://id.example","aud":"tv","exp":1700000600,` + c + `}`)
	}
	exp := func(v string) string {
		return payload(`{"iss":"https://id.example","aud":"tv","exp":` + v + `}`)
	}
	return map[string]struct {
		token string
		want  *Error
	}{
		"alg none":                      {b64(`{"alg":"none"}`) + "." + b64(okPayload) + ".", ErrMalformed},
		"alg none with a signature":     {b64(`{"alg":"none"}`) + "." + b64(okPayload) + ".AAAA", ErrAlgorithm},
		"alg None":                      {header(`{"alg":"None"}`), ErrAlgorithm},
		"alg hs256":                     {header(`{"alg":"hs256"}`), ErrAlgorithm},
		"alg HS384":                     {header(`{"alg":"HS384","kid":"h1"}`), ErrAlgorithm},
		"alg empty":                     {header(`{"alg":""}`), ErrAlgorithm},
		"alg missing":                   {header(`{}`), ErrAlgorithm},
		"alg a number":                  {header(`{"alg":256}`), ErrMalformed},
		"alg twice":                     {header(`{"alg":"HS256","alg":"none"}`), ErrMalformed},
		"HS256 with the public key":     {raw(publicPEM, `{"alg":"HS256","kid":"e1"}`, okPayload), ErrKey},
		"HS256 with the key's bytes":    {raw(der, `{"alg":"HS256"}`, okPayload), ErrSignature},
		"ES256 named as the HMAC key":   {b64(`{"alg":"ES256","kid":"h1"}`) + "." + b64(okPayload) + "." + strings.Repeat("A", 86), ErrKey},
		"ES256 of zeros":                {b64(`{"alg":"ES256","kid":"e1"}`) + "." + b64(okPayload) + "." + strings.Repeat("A", 86), ErrSignature},
		"ES256 in DER":                  {b64(`{"alg":"ES256","kid":"e1"}`) + "." + b64(okPayload) + "." + b64(string(der)), ErrSignature},
		"kid of another directory":      {header(`{"alg":"HS256","kid":"../../etc/passwd"}`), ErrKey},
		"kid empty":                     {header(`{"alg":"HS256","kid":""}`), ErrKey},
		"kid a list":                    {header(`{"alg":"HS256","kid":["h1"]}`), ErrMalformed},
		"jku":                           {header(`{"alg":"HS256","jku":"https://evil.example/keys"}`), ErrMalformed},
		"jwk":                           {header(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`), ErrMalformed},
		"x5u":                           {header(`{"alg":"HS256","x5u":"https://evil.example/cert"}`), ErrMalformed},
		"x5c":                           {header(`{"alg":"HS256","x5c":["AAAA"]}`), ErrMalformed},
		"crit":                          {header(`{"alg":"HS256","crit":["exp"]}`), ErrMalformed},
		"b64":                           {header(`{"alg":"HS256","b64":false}`), ErrMalformed},
		"zip":                           {header(`{"alg":"HS256","zip":"DEF"}`), ErrMalformed},
		"nested":                        {header(`{"alg":"HS256","cty":"JWT"}`), ErrMalformed},
		"typ of another kind":           {header(`{"alg":"HS256","typ":"secevent+jwt"}`), ErrMalformed},
		"header twice over":             {header(okHeader + okHeader), ErrMalformed},
		"header a list":                 {header(`["HS256"]`), ErrMalformed},
		"header cut":                    {header(`{"alg":"HS256"`), ErrMalformed},
		"payload changed":               {good[:strings.IndexByte(good, '.')+1] + b64(strings.Replace(okPayload, "tv", "web", 1)) + good[strings.LastIndexByte(good, '.'):], ErrSignature},
		"signature cut":                 {good[:len(good)-3], ErrSignature},
		"stray bits at the end":         {good[:len(good)-1] + next(good[len(good)-1]), ErrMalformed},
		"padding":                       {good + "=", ErrMalformed},
		"line end":                      {good[:20] + "\n" + good[20:], ErrMalformed},
		"line end in the signature":     {good + "\r\n", ErrMalformed},
		"stray bits, ES256":             {esGood[:len(esGood)-1] + next(esGood[len(esGood)-1]), ErrMalformed},
		"standard base64":               {"++++." + b64(okPayload) + ".AAAA", ErrMalformed},
		"one part":                      {"abc", ErrMalformed},
		"two parts":                     {b64(okHeader) + "." + b64(okPayload), ErrMalformed},
		"four parts":                    {good + ".AAAA", ErrMalformed},
		"dots":                          {strings.Repeat(".", 4000), ErrMalformed},
		"no payload":                    {b64(okHeader) + "..AAAA", ErrMalformed},
		"payload not JSON":              {payload(`exp`), ErrMalformed},
		"payload null":                  {payload(`null`), ErrMalformed},
		"payload with more behind":      {payload(okPayload + `{}`), ErrMalformed},
		"deep":                          {claim(`"x":` + strings.Repeat("[", 1200) + strings.Repeat("]", 1200)), nil},
		"exp twice":                     {claim(`"exp":9999999999`), ErrMalformed},
		"exp twice, one escaped":        {claim(`"\u0065xp":9999999999`), ErrMalformed},
		"an unknown claim twice":        {claim(`"x":1,"x":2`), ErrMalformed},
		"EXP is not exp":                {payload(`{"iss":"https://id.example","aud":"tv","EXP":1700000600}`), ErrNoExpiry},
		"exp 2^63":                      {exp("9223372036854775808"), ErrMalformed},
		"exp 2^63-1":                    {exp("9223372036854775807"), ErrMalformed},
		"exp 2^64":                      {exp("18446744073709551616"), ErrMalformed},
		"exp 1e30":                      {exp("1e30"), ErrMalformed},
		"exp 1e999":                     {exp("1e999"), ErrMalformed},
		"exp negative":                  {exp("-1"), ErrMalformed},
		"exp a text":                    {exp(`"1700000600"`), ErrMalformed},
		"exp null":                      {exp("null"), ErrMalformed},
		"exp true":                      {exp("true"), ErrMalformed},
		"exp zero":                      {exp("0"), ErrExpired},
		"exp with a fraction, now":      {exp("1700000000.9"), ErrExpired},
		"exp with a fraction and space": {exp(" 1.7000006e9 "), nil},
		"iat ahead":                     {claim(`"iat":1700000031`), ErrNotYet},
		"path outside":                  {claim(`"path":"/vod/../"`), ErrMalformed},
		"path relative":                 {claim(`"path":"vod"`), ErrMalformed},
		"path empty":                    {claim(`"path":""`), ErrMalformed},
		"path an empty list":            {claim(`"path":[]`), ErrMalformed},
		"path a list of lists":          {claim(`"path":[["/"]]`), ErrMalformed},
		"path null":                     {claim(`"path":null`), ErrMalformed},
		"path elsewhere":                {claim(`"path":["/live","/vod/movie2"]`), ErrPath},
		"path of another channel":       {claim(`"path":"/vo"`), ErrPath},
		"too many paths":                {claim(`"path":["/a"` + strings.Repeat(`,"/a"`, 32) + `]`), ErrMalformed},
		"ip not an address":             {claim(`"ip":"192.0.2"`), ErrMalformed},
		"ip empty":                      {claim(`"ip":""`), ErrMalformed},
		"ip elsewhere":                  {claim(`"ip":"192.0.2.8"`), ErrAddress},
		"sub an object":                 {claim(`"sub":{"x":1}`), ErrMalformed},
		"sub huge":                      {claim(`"sub":"` + strings.Repeat("x", 600) + `"`), ErrMalformed},
		"aud an empty list":             {payload(`{"iss":"https://id.example","aud":[],"exp":1700000600}`), ErrMalformed},
		"aud of numbers":                {payload(`{"iss":"https://id.example","aud":[1],"exp":1700000600}`), ErrMalformed},
		"aud among others":              {payload(`{"iss":"https://id.example","aud":["radio","web"],"exp":1700000600}`), nil},
		"no kid":                        {header(`{"alg":"HS256"}`), nil},
		"typ at+jwt":                    {header(`{"alg":"HS256","typ":"application/at+JWT"}`), nil},
		"huge":                          {raw(secret, okHeader, `{"x":"`+strings.Repeat("x", 1<<20)+`"}`), ErrTooLarge},
	}
}

// next is a neighbour of a base64url character that differs only in its
// lowest bit.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func signClaims(key any, c jwt.MapClaims) string {
	t := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	t.Header["kid"] = "e1"
	text, err := t.SignedString(key)
	if err != nil {
		panic(err)
	}
	return text
}

func TestHostileTokens(t *testing.T) {
	p := newPolicy(t, testConfig())
	for name, tc := range hostile() {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time, nothing is remembered of it
				g, err := p.Check(request(tc.token))
				if tc.want == nil {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				if !errors.Is(err, tc.want) || g != nil {
					t.Fatalf("got %v, want %v", err, tc.want)
				}
				if strings.Contains(err.Error(), tc.token) && len(tc.token) > 3 {
					t.Error("the error shows the token")
				}
			}
		})
	}
}

// TestKeysOfTwoIssuers: a key speaks for its own issuer only.
func TestKeysOfTwoIssuers(t *testing.T) {
	cfg := testConfig()
	cfg.Issuers[0].Keys = cfg.Issuers[0].Keys[:1]
	cfg.Issuers = append(cfg.Issuers, Issuer{Name: "https://other.example", Keys: []Key{{Algorithm: "ES256", Key: "env:E"}}})
	p := newPolicy(t, cfg)
	for _, tc := range []struct {
		key    SigningKey
		issuer string
		want   error
	}{
		{hs, "https://id.example", nil},
		{es, "https://other.example", nil},
		{hs, "https://other.example", ErrIssuer},
		{es, "https://id.example", ErrIssuer},
	} {
		g := testGrant()
		g.Issuer = tc.issuer
		if _, err := p.Check(request(sign(t, tc.key, g))); !errors.Is(err, tc.want) {
			t.Errorf("%s for %s: %v", tc.key.ID, tc.issuer, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	p := newPolicy(f, testConfig())
	for _, tc := range hostile() {
		if len(tc.token) < 1<<16 {
			f.Add(tc.token)
		}
	}
	f.Add(raw(secret, okHeader, okPayload))
	// What we accept, golang-jwt accepts as well, with the same key.
	oracle := jwt.NewParser(jwt.WithValidMethods([]string{"HS256", "ES256"}), jwt.WithTimeFunc(func() time.Time { return noon }), jwt.WithLeeway(30*time.Second))
	keyOf := func(t *jwt.Token) (any, error) {
		if t.Method.Alg() == "ES256" {
			return &ecKey.PublicKey, nil
		}
		return secret, nil
	}
	f.Fuzz(func(t *testing.T, token string) {
		g, err := p.Check(request(token))
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Status() != 401 && refusal.Status() != 403 {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if g.Expires <= noon.Unix() || g.Expires > lastTime {
			t.Fatalf("%+v", g)
		}
		if _, err := oracle.Parse(token, keyOf); err != nil {
			t.Fatalf("accepted %s, which golang-jwt refuses: %v", token, err)
		}
	})
}

// FuzzClaims reads payloads as if they were signed.
func FuzzClaims(f *testing.F) {
	f.Add(okPayload)
	f.Add(`{"path":["/a","/b/*"],"ip":"2001:db8::/32","tier":"x","sid":"y","nbf":1.5,"iat":1e9,"jti":"z"}`)
	f.Add(`{"a":{"b":[{"exp":1}]}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := parseClaims([]byte(payload))
		if err != nil {
			return
		}
		for _, p := range c.paths {
			if again, ok := directory(p); !ok || again != p {
				t.Fatalf("path %q", p)
			}
		}
		for _, n := range []int64{c.expires, c.notBefore, c.issued} {
			if n < 0 || n > lastTime {
				t.Fatalf("time %d", n)
			}
		}
	})
}

// FuzzMembers: encoding/json finds the same members.
func FuzzMembers(f *testing.F) {
	f.Add(okPayload)
	f.Add(`{ "a" : [ {"b":"\"}]"} ,2 ] , "c" : null,"d":-1.5e3 , "" : {} }`)
	f.Add(`{"a":1,"\u0061":2}`)
	f.Add("{}")
	f.Add("{\"\xff\":1}")
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]string{}
		err := members([]byte(text), func(name string, raw []byte) error {
			got[name] = string(raw)
			return nil
		})
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &want) != nil || want == nil {
			if err == nil {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		if err != nil {
			return // stricter
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d members, not %d", text, len(got), len(want))
		}
		for name, raw := range want {
			if got[name] != string(raw) {
				t.Fatalf("%q: member %q is %q, not %q", text, name, got[name], raw)
			}
		}
	})
}
