package access

import (
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The cryptography of JWS is golang-jwt's; what surrounds it is read here,
// strictly (RFC 8725): the algorithm is the key's, never the token's choice;
// "none" and headers that bring or fetch a key do not exist; nothing of the
// payload is looked at before its signature is good.

// verifyKey is a live key of an issuer.
type verifyKey struct {
	id, algorithm string
	method        jwt.SigningMethod
	material      any // []byte or *ecdsa.PublicKey
	issuer        *Issuer
}

// minSecret: RFC 7518, section 3.2: an HS256 key has at least 256 bits.
const minSecret = 32

// loadKeys makes the keys of all issuers.
func loadKeys(issuers []Issuer, src KeySource) ([]verifyKey, error) {
	var keys []verifyKey
	for i := range issuers {
		for _, k := range issuers[i].Keys {
			v := verifyKey{id: k.ID, algorithm: k.Algorithm, issuer: &issuers[i]}
			switch k.Algorithm {
			case "HS256":
				secret, err := src.Secret(k.Key)
				if err != nil {
					return nil, fmt.Errorf("cannot load key %q: %w", k.ID, err)
				}
				if len(secret) < minSecret {
					return nil, fmt.Errorf("cannot use key %q for HS256: it has %d bytes, at least %d are needed", k.ID, len(secret), minSecret)
				}
				v.method, v.material = jwt.SigningMethodHS256, secret
			case "ES256":
				public, err := src.PublicKey(k.Key)
				if err != nil {
					return nil, fmt.Errorf("cannot load key %q: %w", k.ID, err)
				}
				if public.Curve != elliptic.P256() {
					return nil, fmt.Errorf("cannot use key %q for ES256: its curve is %s, not P-256", k.ID, public.Curve.Params().Name)
				}
				v.method, v.material = jwt.SigningMethodES256, public
			}
			keys = append(keys, v)
		}
	}
	return keys, nil
}

// verify checks a JWT in compact form (RFC 7515, section 7.1) but for what
// depends on the request, and gives its claims.
func (p *Policy) verify(token string) (*claims, *Issuer, error) {
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first <= 0 || last <= first+1 || last == len(token)-1 || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return nil, nil, ErrMalformed
	}
	header, ok1 := segment(token[:first])
	payload, ok2 := segment(token[first+1 : last])
	signature, ok3 := segment(token[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return nil, nil, ErrMalformed
	}
	h, err := parseHeader(header)
	if err != nil {
		return nil, nil, ErrMalformed
	}
	key, err := p.findSigner(h, token[:last], signature)
	if err != nil {
		return nil, nil, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, nil, ErrMalformed
	}
	if key.issuer.Name != "" && c.issuer != key.issuer.Name {
		return nil, nil, ErrIssuer
	}
	if len(key.issuer.Audience) > 0 && !intersect(key.issuer.Audience, c.audience) {
		return nil, nil, ErrAudience
	}
	return &c, key.issuer, nil
}

// findSigner tries the live keys that the header may mean.
func (p *Policy) findSigner(h header, signed string, signature []byte) (*verifyKey, error) {
	err := ErrAlgorithm
	for i := range p.keys {
		k := &p.keys[i]
		if k.algorithm != h.algorithm {
			continue
		}
		if k.id != "" && h.hasKey && k.id != h.key {
			if err == ErrAlgorithm {
				err = ErrKey
			}
			continue
		}
		if k.method.Verify(signed, signature, k.material) == nil {
			return k, nil
		}
		err = ErrSignature
	}
	return nil, err
}

// header is what counts of a JOSE header.
type header struct {
	algorithm, key string
	hasKey         bool
}

func parseHeader(b []byte) (h header, err error) {
	err = members(b, func(name string, raw []byte) error {
		switch name {
		case "alg":
			return text(raw, &h.algorithm)
		case "kid":
			h.hasKey = true
			return text(raw, &h.key)
		case "typ":
			var typ string
			if err := text(raw, &typ); err != nil {
				return err
			}
			typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
			if typ != "jwt" && typ != "at+jwt" {
				return errClaims
			}
		case "jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty":
			return errClaims
		}
		return nil
	})
	return h, err
}

// segment decodes base64url of one form only: no padding, no line ends (which
// encoding/base64 would skip), no stray bits at the end.
func segment(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}

func intersect(a, b []string) bool {
	for _, x := range a {
		if contains(b, x) {
			return true
		}
	}
	return false
}
