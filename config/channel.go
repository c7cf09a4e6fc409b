package config

import "time"

// Channel is one service. Its tags are those of [File].
type Channel struct {
	Name     string      `yaml:"name"`
	Match    Match       `yaml:"match"`
	Origin   Origin      `yaml:"origin"`
	Segments string      `yaml:"segments" one:"direct proxy redirect"`
	Pathways PathwayList `yaml:"pathways"`
	Steering Steering    `yaml:"steering"`
	Access   Access      `yaml:"access"`

	Tiers       []Tier `yaml:"tiers"`
	DefaultTier string `yaml:"default_tier"`

	Cohorts  []Cohort `yaml:"cohorts"`
	Sessions string   `yaml:"sessions" one:"signed none"`
}

// Cohort is one audience group of a channel; see proxy.CohortConfig.
type Cohort struct {
	Name      string   `yaml:"name"`
	Countries []string `yaml:"countries"`
	Regions   []string `yaml:"regions"`
	ASNs      []int    `yaml:"asns" min:"1" max:"4294967295"`
	Addresses []string `yaml:"addresses"`
	Devices   []string `yaml:"devices"`
	Tiers     []string `yaml:"tiers"`
	Tier      string   `yaml:"tier"`
}

// Tier is what viewers of a channel are offered; see manifest.Filter.
type Tier struct {
	Name         string   `yaml:"name"`
	MinHeight    int      `yaml:"min_height" word:"none=0" min:"1"`
	MaxHeight    int      `yaml:"max_height" word:"none=0" min:"1"`
	MinBitrate   int      `yaml:"min_bitrate" word:"none=0" min:"1"`
	MaxBitrate   int      `yaml:"max_bitrate" word:"none=0" min:"1"`
	MaxFrameRate float64  `yaml:"max_frame_rate"`
	Codecs       []string `yaml:"codecs"`
	HDR          bool     `yaml:"hdr"`
	Languages    []string `yaml:"languages"`
	Subtitles    []string `yaml:"subtitles"`
	Order        string   `yaml:"order" one:"listed ascending descending"`
	StartBitrate int      `yaml:"start_bitrate" word:"none=0" min:"1"`
}

// Match says which requests are a channel's.
type Match struct {
	Hosts  []string `yaml:"hosts"`
	Prefix string   `yaml:"prefix" short:"scalar"`
}

// Origin is where a channel's manifests come from; see origin.GroupConfig.
type Origin struct {
	URLs      []OriginURL     `yaml:"urls" short:"scalar list"`
	Query     []string        `yaml:"query"`
	Headers   []string        `yaml:"headers"`
	Keep      []string        `yaml:"keep"`
	Deadlines OriginDeadlines `yaml:"deadlines"`
	Limits    OriginLimits    `yaml:"limits"`
	Policy    OriginPolicy    `yaml:"policy"`
}

// OriginURL is one origin of a channel.
type OriginURL struct {
	URL    string  `yaml:"url" short:"scalar"`
	Host   string  `yaml:"host"`
	Fields []Field `yaml:"fields"`
}

// Field is a header field sent to one origin.
type Field struct {
	Name   string `yaml:"name"`
	Value  string `yaml:"value"`
	Secret Ref    `yaml:"secret"`
}

// OriginDeadlines bound one exchange with an origin.
type OriginDeadlines struct {
	Connect   time.Duration `yaml:"connect" min:"1ms"`
	FirstByte time.Duration `yaml:"first_byte" min:"1ms"`
	Idle      time.Duration `yaml:"idle" min:"1ms"`
	Manifest  time.Duration `yaml:"manifest" min:"1ms"`
	Patience  time.Duration `yaml:"patience" min:"1ms"`
	Hedge     time.Duration `yaml:"hedge" word:"never=0" min:"1ms"`
}

// OriginLimits bound what an origin may send.
type OriginLimits struct {
	Manifest Size `yaml:"manifest" min:"1KiB"`
	Segment  Size `yaml:"segment" min:"1KiB"`
	Decoded  Size `yaml:"decoded" min:"1KiB"`
	Ratio    int  `yaml:"ratio" min:"1"`
}

// OriginPolicy says what holds where an origin's header does not.
type OriginPolicy struct {
	ManifestTTL          time.Duration `yaml:"manifest_ttl" min:"1ms"`
	LibraryTTL           time.Duration `yaml:"library_ttl" min:"1ms"`
	Override             time.Duration `yaml:"override" word:"off=0" min:"1ms"`
	LiveMax              time.Duration `yaml:"live_max" word:"auto=0" min:"1ms"`
	StaleWhileRevalidate time.Duration `yaml:"stale_while_revalidate" word:"auto=0 never=-1" min:"1ms"`
	StaleIfError         time.Duration `yaml:"stale_if_error" word:"never=-1" min:"1ms"`
	SequenceGuard        time.Duration `yaml:"sequence_guard" word:"auto=0 never=-1" min:"1ms"`
	SegmentStale         time.Duration `yaml:"segment_stale" word:"never=-1" min:"1ms"`
	NotFound             time.Duration `yaml:"not_found" word:"never=-1" min:"1ms"`
	Gone                 time.Duration `yaml:"gone" min:"1ms"`
	Strict               bool          `yaml:"strict"`
}

// PathwayList is the CDNs of a channel: a named set, or the channel's own.
type PathwayList struct {
	Set  string    `yaml:"set" short:"scalar"`
	List []Pathway `yaml:"list" short:"list"`
}

// Pathway is one CDN.
type Pathway struct {
	ID        string  `yaml:"id"`
	Base      string  `yaml:"base" short:"scalar"`
	PlainBase string  `yaml:"plain_base"`
	Weight    float64 `yaml:"weight"`
	Only      []Where `yaml:"only"`
	Never     []Where `yaml:"never"`
	Prefer    []Where `yaml:"prefer"`
	Capacity  float64 `yaml:"capacity"`
	Commit    float64 `yaml:"commit"`
	Health    string  `yaml:"health" one:"auto healthy degraded down"`
	Token     *Token  `yaml:"token"`
	Probe     *Probe  `yaml:"probe"`
}

// Where selects viewers; see proxy.MatchConfig.
type Where struct {
	Countries []string `yaml:"countries" short:"scalar"`
	Regions   []string `yaml:"regions"`
	ASNs      []int    `yaml:"asns" min:"1" max:"4294967295"`
	Addresses []string `yaml:"addresses"`
}

// Token is how a CDN's access token is made; see token.Config.
type Token struct {
	Format   string        `yaml:"format" one:"akamai bunny mediacdn"`
	Keys     []Ref         `yaml:"keys"`
	Salt     Ref           `yaml:"salt"`
	Name     string        `yaml:"name"`
	HLS      string        `yaml:"hls" one:"auto query path"`
	Hash     string        `yaml:"hash" one:"hmac sha256"`
	Lifetime time.Duration `yaml:"lifetime" min:"1s"`
	Bucket   time.Duration `yaml:"bucket" min:"1s"`
	Max      time.Duration `yaml:"max" word:"none=0" min:"1s"`
	Family   string        `yaml:"family" one:"any ipv4 ipv6"`
}

// Probe is how a CDN's health is watched.
type Probe struct {
	URL      string        `yaml:"url" short:"scalar"`
	Every    time.Duration `yaml:"every" min:"100ms"`
	Timeout  time.Duration `yaml:"timeout" min:"10ms"`
	DownIn   int           `yaml:"down_in" min:"1"`
	UpIn     int           `yaml:"up_in" min:"1"`
	Slow     time.Duration `yaml:"slow" word:"never=0" min:"1ms"`
	CoolDown time.Duration `yaml:"cool_down" word:"none=0" min:"1ms"`
}

// Steering is the channel's content steering.
type Steering struct {
	Enabled bool          `yaml:"enabled" short:"scalar"`
	TTL     time.Duration `yaml:"ttl" min:"1s"`
	Dwell   time.Duration `yaml:"dwell" word:"auto=0 none=-1" min:"1s"`
	Origin  string        `yaml:"origin" one:"replace keep remove"`
}

// Access is who may watch; see access.Config.
type Access struct {
	Token         string        `yaml:"token" one:"none jwt"`
	Issuers       []Issuer      `yaml:"issuers"`
	Carriers      []string      `yaml:"carriers" one:"query header cookie"`
	QueryName     string        `yaml:"query_name"`
	CookieName    string        `yaml:"cookie_name"`
	AllowNoExpiry bool          `yaml:"allow_no_expiry"`
	Leeway        time.Duration `yaml:"leeway" word:"none=-1" min:"1s"`
	MaxToken      Size          `yaml:"max_token" min:"64B" max:"16KiB"`
	Cached        int           `yaml:"cached" min:"1"`
	Session       time.Duration `yaml:"session" min:"1m"`
	SessionBucket time.Duration `yaml:"session_bucket" min:"1s"`
	UnboundCDN    bool          `yaml:"unbound_cdn"`
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
	Algorithm string `yaml:"algorithm" one:"HS256 ES256"`
	Key       Ref    `yaml:"key"`
}
