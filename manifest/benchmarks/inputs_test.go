package benchmarks

import "manifold/manifest"

// What every contender puts into a manifest: the chosen CDN's base, its
// token, and the viewer's session address.
const (
	session   = "AQd5bHVrc2tqaGFzZGZramFoc2RmLWtqaGFzZGZranNhZGZoa2phc2hkZmtqYXNkZmhrX2phc2RmaGtqYXNkZmhrag"
	queryName = "hdnts="
	token     = "st=1700000000~exp=1700003600~acl=/live/*~hmac=92608890dee45c7c8b8b5532a8b2256a7acb05f538da18d6d2925dfc739bb8f5"
	cdn       = "https://cdn-alpha.example/"
	edge      = "https://edge.example:8443"

	mediaPath = "v720/index.m3u8"
	mpdPath   = "manifest.mpd"
)

// mediaPlan is a plan whose token stands in the query of every segment: what
// HLS needs most often, and what costs most.
func mediaPlan() *manifest.Plan {
	values := [][]byte{[]byte(session), []byte(queryName + token)}
	return &manifest.Plan{
		Path:   mediaPath,
		Values: values,
		Shape: &manifest.Shape{
			Prefix: "/news", Edge: edge, Source: "http://origin.example/live/",
			Pathways:    []manifest.Pathway{{ID: "alpha", Base: cdn + "live/", Token: manifest.InQuery}},
			SlotLengths: []int{len(values[0]), len(values[1])},
		},
	}
}

// mpdPlan is a plan whose token stands in the path of the base URL.
func mpdPlan() *manifest.Plan {
	p := mediaPlan()
	shape := *p.Shape
	shape.Pathways = []manifest.Pathway{{ID: "alpha", Base: cdn + "live/", Token: manifest.InPath, TokenAt: len(cdn)}}
	shape.Location = true
	p.Shape, p.Path = &shape, mpdPath
	return p
}

// mpdBase and mpdLocation are what an MPD of mpdPlan must have.
const (
	mpdBase     = cdn + queryName + token + "/live/"
	mpdLocation = edge + "/news/~" + session + "/-/" + mpdPath
)

// mediaURL is what a segment's URI becomes under mediaPlan.
func mediaURL(uri string) string { return cdn + "live/v720/" + uri + "?" + queryName + token }
