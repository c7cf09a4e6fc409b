package access

import (
	"crypto/ecdsa"
	"slices"
	"time"

	"manifold/internal/problem"
)

// Config is a channel's rule of access.
type Config struct {
	// Token is the kind of token that a viewer must show at the entry: "none"
	// or "jwt". Empty is "none".
	Token string
	// Issuers are those whose tokens are accepted, with their keys.
	Issuers []Issuer
	// Carriers are where a token is looked for, of "query", "header"
	// (Authorization: Bearer, RFC 6750) and "cookie"; the first one found
	// counts, in this order. Empty is query and header.
	Carriers []string
	// QueryName and CookieName are the names of the query parameter and of the
	// cookie. Empty is "token".
	QueryName, CookieName string
	// AllowNoExpiry accepts tokens without exp. They are good as long as their
	// key is.
	AllowNoExpiry bool
	// Leeway is how far the issuer's clock may be ahead: for nbf and iat, never
	// for exp. 0 is 30 s; a negative value is none.
	Leeway time.Duration
	// MaxToken is the largest token in bytes. 0 is 4096.
	MaxToken int
	// Cached is how many verified tokens are remembered, rounded up to a power
	// of two. 0 is 8192.
	Cached int
	// Session is how long a session lasts at least, if the token does not end
	// sooner: HLS players keep their URLs, so it is the longest viewing that
	// needs no reload. 0 is 12 hours.
	Session time.Duration
	// SessionBucket is the grid of session times: a player that asks the entry
	// URL again within a bucket gets the same bytes. 0 is one hour.
	SessionBucket time.Duration
	// UnboundCDN gives viewers that are bound to an address a CDN token that
	// is not, where that CDN sees them in another address family. False leaves
	// such a CDN out.
	UnboundCDN bool
}

// Issuer is one who signs viewers' tokens.
type Issuer struct {
	// Name is the iss claim that its tokens must have. Empty accepts any.
	Name string
	// Audience lists what the aud claim must name one of. Empty accepts any.
	Audience []string
	// Keys are its live keys, 16 at most.
	Keys []Key
}

// Key is a verification key and the one algorithm it is for.
type Key struct {
	// ID is the kid that tokens name it by. Empty: tried for every token.
	ID string
	// Algorithm is "HS256" or "ES256".
	Algorithm string
	// Key is a reference: "file:/path#base64url", "env:NAME". For ES256 a
	// public key in PEM or as a JWK.
	Key string
}

// KeySource gives the material behind key references.
type KeySource interface {
	Secret(ref string) ([]byte, error)
	PublicKey(ref string) (*ecdsa.PublicKey, error)
}

// The bounds of Config.
const (
	maxKeys       = 16
	largestToken  = 16 << 10
	largestCached = 1 << 20
)

// WithDefaults gives the configuration in force: what each zero value means is in
// its place.
func (c Config) WithDefaults() Config { return c.withDefaults() }

// withDefaults replaces zero values by what they mean.
func (c Config) withDefaults() Config {
	if len(c.Carriers) == 0 {
		c.Carriers = []string{"query", "header"}
	}
	if c.Token == "" {
		c.Token = "none"
	}
	if c.QueryName == "" {
		c.QueryName = "token"
	}
	if c.CookieName == "" {
		c.CookieName = "token"
	}
	if c.Leeway == 0 {
		c.Leeway = 30 * time.Second
	}
	c.Leeway = max(c.Leeway, 0)
	if c.MaxToken == 0 {
		c.MaxToken = 4096
	}
	if c.Cached == 0 {
		c.Cached = 8192
	}
	if c.Session == 0 {
		c.Session = 12 * time.Hour
	}
	if c.SessionBucket == 0 {
		c.SessionBucket = time.Hour
	}
	return c
}

// Validate lists what is wrong.
func (c *Config) Validate() (l problem.List) {
	d := c.withDefaults()
	switch d.Token {
	case "none":
		if len(c.Issuers) > 0 {
			l.AddHint("issuers", `set token to "jwt"`, "issuers are given, but no token is asked for")
		}
	case "jwt":
		if len(c.Issuers) == 0 {
			l.AddHint("issuers", "add one with a key", "no issuer is given, so every token would be refused")
		}
	default:
		l.AddHint("token", `"none" or "jwt"`, "unknown kind of token %q", c.Token)
	}
	for i, s := range c.Carriers {
		if !slices.Contains([]string{"query", "header", "cookie"}, s) {
			l.AddHint(problem.At("carriers", i), `"query", "header" or "cookie"`, "unknown carrier %q", s)
		}
	}
	for path, name := range map[string]string{"query_name": d.QueryName, "cookie_name": d.CookieName} {
		if !isToken(name) {
			l.Add(path, "%q cannot be a name here", name)
		}
	}
	total := 0
	for i := range c.Issuers {
		l.Under(problem.At("issuers", i), c.Issuers[i].validate())
		total += len(c.Issuers[i].Keys)
	}
	if total > maxKeys {
		l.Add("issuers", "%d keys; at most %d can be live at a time", total, maxKeys)
	}
	if d.MaxToken < 0 || d.MaxToken > largestToken {
		l.Add("max_token", "%d bytes; at most %d are possible", c.MaxToken, largestToken)
	}
	if d.Cached < 0 || d.Cached > largestCached {
		l.Add("cached", "%d tokens; at most %d are possible", c.Cached, largestCached)
	}
	if d.Session < time.Minute {
		l.Add("session", "%s is shorter than a minute", c.Session)
	}
	if d.SessionBucket < time.Second {
		l.Add("session_bucket", "%s is shorter than a second", c.SessionBucket)
	}
	return l
}

func (s *Issuer) validate() (l problem.List) {
	if len(s.Keys) == 0 {
		l.Add("keys", "a key is needed")
	}
	for i, k := range s.Keys {
		at := problem.At("keys", i)
		if k.Algorithm != "HS256" && k.Algorithm != "ES256" {
			l.AddHint(problem.Join(at, "algorithm"), `"HS256" or "ES256"`, "algorithm %q is not accepted", k.Algorithm)
		}
		if k.Key == "" {
			l.AddHint(problem.Join(at, "key"), `as in "file:/etc/manifold/viewers.pem" or "env:VIEWER_KEY"`, "a reference to the key is needed")
		}
		for j := range i {
			if k.ID != "" && s.Keys[j].ID == k.ID {
				l.Add(problem.Join(at, "id"), "key id %q is there twice", k.ID)
			}
		}
	}
	return l
}

// isToken is the token of RFC 9110, section 5.6.2, which is what a cookie's
// name is; of it only what needs no escape in a query.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
