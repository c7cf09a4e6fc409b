package dash

import (
	"time"

	"manifold/manifest"
)

const (
	source  = "http://origin.example/live/"
	session = "AQdXh2Zq0vTn3LrE5yUoPw"
	tokenA  = "hdntl=exp=1700000000~acl=/live/*~hmac=0a1b2c3d"
	tokenB  = "bcdn_token=Zm9vYmFy&token_path=%2Flive%2F&expires=1700000000"
	tokenC  = "edge-cache-token=Expires=1700000000~Signature=c2ln"
)

var values = [][]byte{[]byte(session), []byte(tokenA), []byte(tokenB), []byte(tokenC)}

var lengths = []int{len(session), len(tokenA), len(tokenB), len(tokenC)}

var threePathways = []manifest.Pathway{
	{ID: "alpha", Base: "https://alpha.example/live/", Token: manifest.InPath, TokenAt: len("https://alpha.example/")},
	{ID: "beta", Base: "https://beta.example/zone/live/", Token: manifest.InPath, TokenAt: len("https://beta.example/")},
	{ID: "gamma", Base: "https://gamma.example/cache/live/"},
}

var queryPathways = []manifest.Pathway{
	{ID: "alpha", Base: "https://alpha.example/live/", Token: manifest.InQuery},
	threePathways[1], threePathways[2],
}

var steering = &manifest.Steering{Before: "/.manifold/steer/news?s=", After: "&v=1", QueryBeforeStart: true}

// shapes are what the goldens and the fuzz target specialise for.
var shapes = map[string]*manifest.Shape{
	"steered": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source, Location: true,
		Pathways: threePathways, Steering: steering, SlotLengths: lengths},
	"chosen": {Prefix: "/news", Source: source, Pathways: threePathways, SlotLengths: lengths},
	"backup": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source, Location: true,
		Pathways: threePathways, Backups: 1, SlotLengths: lengths},
	"query": {Prefix: "/news", Source: source, Pathways: queryPathways[:1], SlotLengths: lengths},
	"query-several": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source,
		Pathways: queryPathways, Steering: steering, SlotLengths: lengths},
	"proxied": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source, Location: true,
		Pathways: threePathways, Steering: steering, Segments: manifest.SegmentsProxy, SlotLengths: lengths},
	"redirected": {Prefix: "/news", Source: source, Pathways: queryPathways, Segments: manifest.SegmentsRedirect, SlotLengths: lengths},
	"cohort": {Cohort: "eu", Edge: "https://edge.example", Source: source, Pathways: threePathways[2:], Location: true,
		Steering: &manifest.Steering{Before: "/.manifold/steer/news?c=eu&d=1", NoSession: true}},
	"filtered": {Prefix: "/news", Source: source, Pathways: threePathways[2:], SlotLengths: lengths,
		Filter: &manifest.Filter{MaxLines: 720, MaxBitrate: 5_000_000, Codecs: []string{"avc1", "mp4a"}, Languages: []string{"en"}, SDROnly: true}},
	"filtered-away": {Prefix: "/news", Source: source, Pathways: threePathways[2:], SlotLengths: lengths,
		Filter: &manifest.Filter{MaxLines: 1, Codecs: []string{"none"}, Languages: []string{"xx"}, Subtitles: []string{"xx"}}},
	"theirs": {Prefix: "/news", Edge: "https://edge.example", Source: source, Pathways: threePathways, Backups: 2, OriginSteering: true, SlotLengths: lengths},
	"since": {Prefix: "/news", Edge: "https://edge.example", Source: source, Pathways: threePathways[2:], SlotLengths: lengths,
		Since: time.Date(2024, 1, 1, 1, 30, 0, 1, time.FixedZone("", -3600))},
	"no-source":   {Prefix: "/news", Pathways: threePathways, Backups: 2},
	"no-pathways": {Prefix: "/news", Edge: "https://edge.example", Source: source, Location: true, Steering: steering},
	"hostile-names": {Prefix: "/a&b", Edge: "https://edge.example", Source: "http://origin.example/it's/", Location: true, SlotLengths: lengths,
		Pathways: []manifest.Pathway{{ID: "alpha", Base: "https://alpha.example/t&m/it's/", Token: manifest.InPath, TokenAt: len("https://alpha.example/t&m/")}},
		Steering: &manifest.Steering{Before: `/steer?a="1"&s=`, After: "&b=<>"}},
}
