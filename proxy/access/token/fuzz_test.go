package token

import (
	"strings"
	"testing"

	"manifold/exchange"
)

// FuzzVerify: nobody without the keys makes a token, and nothing breaks.
func FuzzVerify(f *testing.F) {
	var verifiers []*Verifier
	minted := map[string]bool{}
	for _, cfg := range configs {
		m, v := newPair(f, cfg, testBase)
		verifiers = append(verifiers, v)
		for _, form := range allForms[:2] {
			s := Scope{Expires: noon.Unix() + 60}
			text, err := m.Append(nil, &s, form)
			if err != nil {
				f.Fatal(err)
			}
			path, query := place(m, text, form, "a.m4s")
			minted[signatureOf(string(text))] = true
			f.Add(path, query)
		}
	}
	f.Add("/hdntl=/x", "hdnts=~hmac=")
	f.Add("/bcdn_token=&/x", "token=HS256-1-&expires=99999999999&token_path")
	f.Add("/a/edge-cache-token=FullPath~hmac=/x", "")
	f.Fuzz(func(t *testing.T, path, query string) {
		for _, v := range verifiers {
			stripped, rest, err := v.Verify(path, query, viewer, noon)
			if err != nil {
				continue
			}
			if _, _, err := exchange.Canonical(nil, stripped); err != nil {
				t.Fatalf("stripped to %q: %v", stripped, err)
			}
			if len(rest) > len(query) || len(stripped) > len(path) {
				t.Fatal("stripping added something")
			}
			genuine := false
			for s := range minted {
				genuine = genuine || strings.Contains(path+"?"+query, s)
			}
			if !genuine {
				t.Fatalf("accepted %q?%q", path, query)
			}
		}
	})
}

// signatureOf cuts the part of a token that only a key can make.
func signatureOf(token string) string {
	if i := strings.Index(token, "hmac="); i >= 0 {
		return token[i:]
	}
	_, value, _ := strings.Cut(token, "=")
	value, _, _ = strings.Cut(value, "&")
	return value
}
