package hls

import (
	"time"

	"manifold/manifest"
)

const (
	session = "AQdXh2Zq0vTn3LrE5yUoPw"
	tokenA  = "hdnts=exp=1700000000~acl=/live/*~hmac=0a1b2c3d"
	tokenB  = "bcdn_token=Zm9vYmFy&expires=1700000000"
	tokenC  = "edge-cache-token=Expires=1700000000"
)

var values = [][]byte{[]byte(session), []byte(tokenA), []byte(tokenB), []byte(tokenC)}

var lengths = []int{len(session), len(tokenA), len(tokenB), len(tokenC)}

var threePathways = []manifest.Pathway{
	{ID: "alpha", Base: "https://alpha.example/live/", Token: manifest.InQuery},
	{ID: "beta", Base: "https://beta.example/live/", Token: manifest.InPath, TokenAt: len("https://beta.example/")},
	{ID: "gamma", Base: "https://gamma.example/cache/live/"},
}

var steering = &manifest.Steering{Before: "/.manifold/steer/news?s=", After: "&v=1"}

// drained begins within some of the live playlists of testdata.
var drained = &manifest.Away{
	Times:   []manifest.Interval{{From: time.Date(2026, 11, 23, 5, 16, 22, 0, time.UTC)}},
	Pathway: 1,
}

// shapes are what the goldens and the fuzz target specialise for.
var shapes = map[string]*manifest.Shape{
	"steered": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source,
		Pathways: threePathways, Steering: steering, SlotLengths: lengths},
	"steered-one": {Prefix: "/news", Edge: "https://edge.example:8443", Source: source,
		Pathways: threePathways[1:2], Steering: steering, SlotLengths: lengths},
	"single": {Prefix: "/news", Source: source, Pathways: threePathways, SlotLengths: lengths},
	"backup": {Prefix: "/news", Source: source, Pathways: threePathways, Backups: 1, SlotLengths: lengths},
	"backups": {Prefix: "/news", Source: source, Pathways: threePathways[:2], Backups: 9, SlotLengths: lengths,
		Segments: manifest.SegmentsRedirect},
	"in-path": {Prefix: "/news", Source: source, Pathways: threePathways, Current: 1, SlotLengths: lengths},
	"drained": {Prefix: "/news", Source: source, Pathways: threePathways[:2], SlotLengths: lengths, Away: drained},
	"proxied": {Prefix: "/news", Source: source, Pathways: threePathways, Segments: manifest.SegmentsProxy, SlotLengths: lengths},
	"cohort": {Cohort: "eu", Source: source, Pathways: threePathways, Current: 2,
		Steering: &manifest.Steering{Before: "/.manifold/steer/news?c=eu", NoSession: true}},
	"sd": {Prefix: "/news", Source: source, Pathways: threePathways, SlotLengths: lengths, Steering: steering,
		Filter: &manifest.Filter{MaxLines: 720, Codecs: []string{"avc1", "mp4a"}, MaxFrameRate: 30, SDROnly: true,
			Languages: []string{"de"}, Subtitles: []string{"fr"}}},
	"nothing": {Prefix: "/news", Source: source, Pathways: threePathways, Backups: 1, SlotLengths: lengths,
		Filter: &manifest.Filter{MinBitrate: 1e9, Languages: []string{"xx"}}},
	"start": {Prefix: "/news", Source: source, Pathways: threePathways, Backups: 1, SlotLengths: lengths,
		Filter: &manifest.Filter{Order: manifest.Ascending, StartBitrate: 3_200_000}},
	"descending": {Prefix: "/news", Source: source, Pathways: threePathways, Steering: steering, SlotLengths: lengths,
		Filter: &manifest.Filter{Order: manifest.Descending}},
	"theirs":    {Prefix: "/news", Source: source, Pathways: threePathways, Backups: 2, OriginSteering: true, SlotLengths: lengths},
	"no-source": {Prefix: "/news", Pathways: threePathways, Backups: 2},
}

const source = "http://origin.example/live/"
