package config

import (
	"fmt"
	"time"
)

// File is manifold.yml. Field comments are in the file of defaults.
type File struct {
	Listen   Listen               `yaml:"listen"`
	Admin    Admin                `yaml:"admin"`
	Sessions Sessions             `yaml:"sessions"`
	Shield   Shield               `yaml:"shield"`
	Devices  []Device             `yaml:"devices"`
	Pathways map[string][]Pathway `yaml:"pathways"`
	Channels []Channel            `yaml:"channels"`
}

// Listen is where viewers reach the edge.
type Listen struct {
	Plain        []string      `yaml:"plain"`
	TLS          []string      `yaml:"tls"`
	HTTP3        bool          `yaml:"http3"`
	Certificates []Certificate `yaml:"certificates"`
}

// Certificate is a PEM pair on disk.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Admin is where operators reach the edge.
type Admin struct {
	Address string `yaml:"address"`
	Token   string `yaml:"token"`
}

// Sessions is how session addresses are signed.
type Sessions struct {
	Keys    []string `yaml:"keys"`
	HashKey string   `yaml:"hash_key"`
}

// Shield is the cache before the origins.
type Shield struct {
	Live         Size     `yaml:"live"`
	Recent       Size     `yaml:"recent"`
	Library      Size     `yaml:"library"`
	AllowPrivate []string `yaml:"allow_private"`
}

// Device is a device profile, added or replaced.
type Device struct {
	Name              string   `yaml:"name"`
	UserAgents        []string `yaml:"user_agents"`
	Steering          []string `yaml:"steering"`
	RedundantVariants bool     `yaml:"redundant_variants"`
	BaseURLs          int      `yaml:"base_urls"`
	Location          bool     `yaml:"location"`
	Redirects         bool     `yaml:"redirects"`
	Gzip              bool     `yaml:"gzip"`
	Evict             int      `yaml:"evict"`
}

// Pathway is one CDN of a named set.
type Pathway struct {
	ID        string  `yaml:"id"`
	Base      string  `yaml:"base"`
	PlainBase string  `yaml:"plain_base"`
	Weight    float64 `yaml:"weight"`
	Token     *Token  `yaml:"token"`
	Probe     *Probe  `yaml:"probe"`
}

// Token is how a CDN's access token is made; see token.Config.
type Token struct {
	Format   string   `yaml:"format"`
	Keys     []string `yaml:"keys"`
	Salt     string   `yaml:"salt"`
	Name     string   `yaml:"name"`
	HLS      string   `yaml:"hls"`
	Hash     string   `yaml:"hash"`
	Lifetime Duration `yaml:"lifetime"`
	Bucket   Duration `yaml:"bucket"`
	Max      Duration `yaml:"max"`
	Family   string   `yaml:"family"`
}

// Probe is how a CDN's health is watched.
type Probe struct {
	URL     string   `yaml:"url"`
	Every   Duration `yaml:"every"`
	Timeout Duration `yaml:"timeout"`
	DownIn  int      `yaml:"down_in"`
	UpIn    int      `yaml:"up_in"`
}

// Channel is one service.
type Channel struct {
	Name     string   `yaml:"name"`
	Match    Match    `yaml:"match"`
	Origin   Origin   `yaml:"origin"`
	Segments string   `yaml:"segments"`
	Pathways string   `yaml:"pathways"`
	Steering Steering `yaml:"steering"`
	Access   Access   `yaml:"access"`
}

// Match says which requests are a channel's.
type Match struct {
	Hosts  []string `yaml:"hosts"`
	Prefix string   `yaml:"prefix"`
}

// Origin is where a channel's manifests come from.
type Origin struct {
	URLs  []string `yaml:"urls"`
	Query []string `yaml:"query"`
}

// Steering is the channel's content steering.
type Steering struct {
	Off bool     `yaml:"off"`
	TTL Duration `yaml:"ttl"`
}

// Access is who may watch; see access.Config.
type Access struct {
	Token         string   `yaml:"token"`
	Issuers       []Issuer `yaml:"issuers"`
	Carriers      []string `yaml:"carriers"`
	QueryName     string   `yaml:"query_name"`
	CookieName    string   `yaml:"cookie_name"`
	AllowNoExpiry bool     `yaml:"allow_no_expiry"`
	Leeway        Duration `yaml:"leeway"`
	MaxToken      int      `yaml:"max_token"`
	Cached        int      `yaml:"cached"`
	Session       Duration `yaml:"session"`
	SessionBucket Duration `yaml:"session_bucket"`
	UnboundCDN    bool     `yaml:"unbound_cdn"`
}

// Issuer is one who signs viewers' tokens.
type Issuer struct {
	Name     string   `yaml:"name"`
	Audience []string `yaml:"audience"`
	Keys     []Key    `yaml:"keys"`
}

// Key is one key that viewers' tokens are signed with.
type Key struct {
	ID        string `yaml:"id"`
	Algorithm string `yaml:"algorithm"`
	Key       string `yaml:"key"`
}

// Duration is a time span written as "20s", "1h30m".
type Duration time.Duration

// UnmarshalYAML reads a span.
func (d *Duration) UnmarshalYAML(text []byte) error {
	v, err := time.ParseDuration(unquote(text))
	if err != nil {
		return fmt.Errorf("%s is not a duration: write it like 20s or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}

// Size is an amount of memory written as "512MiB".
type Size int64

// UnmarshalYAML reads an amount.
func (s *Size) UnmarshalYAML(text []byte) error {
	var n int64
	var unit string
	if _, err := fmt.Sscanf(unquote(text), "%d%s", &n, &unit); err != nil {
		return fmt.Errorf("%s is not a size: write it like 512MiB", text)
	}
	shift, ok := map[string]int{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[unit]
	if !ok || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf("%s is not a size: write it like 512MiB", text)
	}
	*s = Size(n << shift)
	return nil
}

func unquote(text []byte) string {
	s := string(text)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
