package token

import (
	"strings"
	"time"

	"manifold/internal/problem"
)

// Config is the token of one pathway.
type Config struct {
	// Format is the CDN's token format: "akamai", "bunny" or "mediacdn".
	Format string
	// Keys are references to the live keys ("file:/path#hex", "env:NAME"): the
	// first one signs, the CDN accepts all of them. Akamai's keys are written
	// in hex, Media CDN's in base64url, Bunny's are taken as they stand.
	Keys []string
	// Salt is a reference to the salt of Akamai tokens, which is signed but
	// never sent. Empty is none; the other formats have none.
	Salt string
	// Name is the name of the token's parameter or path element. Empty is the
	// format's own: hdnts in a query and hdntl in a path (Akamai),
	// edge-cache-token (Media CDN). Bunny's names are fixed.
	Name string
	// HLS says where the token stands in the URLs of HLS: "query" or "path".
	// Empty is "query", for Bunny "path". In DASH it always stands in the
	// path: a query does not survive a BaseURL.
	HLS string
	// Hash is "hmac" or "sha256", Bunny's former way. Empty is "hmac".
	Hash string
	// Lifetime is how long a token is good at least, unless the viewer's grant
	// ends sooner: longer than a viewer may stay with a VOD manifest, or three
	// target durations of a live one. 0 is 6 hours.
	Lifetime time.Duration
	// Bucket is the grid of expiry times: within one bucket all viewers of an
	// asset get the same token. 0 is 10 minutes.
	Bucket time.Duration
	// Max is the longest life that the CDN accepts or the operator wants. 0 is
	// no bound; else Lifetime + Bucket must fit.
	Max time.Duration
	// Family is the address family in which the CDN sees viewers, if only one:
	// "ipv4" or "ipv6". Empty is the one in which the edge sees them.
	Family string
}

// The defaults of Config.
const (
	defaultLifetime = 6 * time.Hour
	defaultBucket   = 10 * time.Minute
)

// Validate lists what is wrong.
func (c *Config) Validate() (l problem.List) {
	f := formatOf(c.Format)
	if f == nil {
		l.AddHint("format", "one of "+formatNames(), "unknown token format %q", c.Format)
	}
	if len(c.Keys) == 0 {
		l.AddHint("keys", `as in "file:/etc/manifold/cdn.key#hex" or "env:CDN_KEY"`, "a key is needed")
	}
	if c.Salt != "" && f != nil && !f.salted {
		l.Add("salt", "the format %s has no salt", c.Format)
	}
	if c.Name != "" && f != nil && (!f.named || !isName(c.Name)) {
		l.AddHint("name", "letters, digits, - and _, where the format lets the name be chosen", "the name %q cannot be used", c.Name)
	}
	if c.HLS != "" && c.HLS != "query" && c.HLS != "path" {
		l.AddHint("hls", `"query" or "path"`, "unknown place %q", c.HLS)
	}
	switch c.Hash {
	case "", "hmac":
	case "sha256":
		if f != nil && !f.plainHash {
			l.Add("hash", "the format %s is always signed by HMAC", c.Format)
		}
	default:
		l.AddHint("hash", `"hmac", or "sha256" for Bunny's former way`, "unknown hash %q", c.Hash)
	}
	d := c.withDefaults()
	if d.Lifetime < time.Second {
		l.Add("lifetime", "%s is shorter than a second", c.Lifetime)
	}
	if d.Bucket < time.Second {
		l.Add("bucket", "%s is shorter than a second", c.Bucket)
	}
	if c.Max != 0 && c.Max < d.Lifetime+d.Bucket {
		l.AddHint("max", "raise it, or lower lifetime or bucket", "%s is less than lifetime and bucket together, %s", c.Max, d.Lifetime+d.Bucket)
	}
	if c.Family != "" && c.Family != "ipv4" && c.Family != "ipv6" {
		l.AddHint("family", `"ipv4", "ipv6" or nothing`, "unknown address family %q", c.Family)
	}
	return l
}

// WithDefaults gives the configuration in force: what each zero value means is in
// its place.
func (c Config) WithDefaults() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	if c.Lifetime == 0 {
		c.Lifetime = defaultLifetime
	}
	if c.Bucket == 0 {
		c.Bucket = defaultBucket
	}
	return c
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' && i > 0 || (c == '-' || c == '_') && i > 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func formatNames() string {
	names := make([]string, len(formats))
	for i := range formats {
		names[i] = formats[i].name
	}
	return strings.Join(names, ", ")
}
