package access

import (
	"crypto/ecdsa"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SigningKey signs viewers' tokens: for whoever issues them by hand (the
// demo, the command line, tests).
type SigningKey struct {
	// ID goes into the header as kid, unless empty.
	ID string
	// Secret signs by HS256, else Private by ES256.
	Secret  []byte
	Private *ecdsa.PrivateKey
}

// Sign makes the JWT that a policy reads as the grant; audience may be empty.
func (k SigningKey) Sign(g *Grant, audience string, issued time.Time) (string, error) {
	c := jwt.MapClaims{"iat": issued.Unix()}
	for name, value := range map[string]string{"iss": g.Issuer, "sub": g.Subject, "aud": audience, "jti": g.TokenID, "tier": g.Tier, "sid": g.Session} {
		if value != "" {
			c[name] = value
		}
	}
	if len(g.Paths) > 0 {
		c["path"] = g.Paths
	}
	if g.Expires != 0 {
		c["exp"] = g.Expires
	}
	if g.NotBefore != 0 {
		c["nbf"] = g.NotBefore
	}
	if g.Address.IsValid() {
		c["ip"] = g.Address.String()
	}
	method, material := jwt.SigningMethod(jwt.SigningMethodHS256), any(k.Secret)
	if k.Secret == nil {
		if k.Private == nil {
			return "", fmt.Errorf("cannot sign token: there is no key")
		}
		method, material = jwt.SigningMethodES256, k.Private
	}
	t := jwt.NewWithClaims(method, c)
	if k.ID != "" {
		t.Header["kid"] = k.ID
	}
	text, err := t.SignedString(material)
	if err != nil {
		return "", fmt.Errorf("cannot sign token: %w", err)
	}
	return text, nil
}
