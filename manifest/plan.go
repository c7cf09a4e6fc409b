package manifest

import "time"

// Plan is what one request gets: a Shape, which many viewers share, and the
// values of its slots. A nil *Plan means identity: the source, byte for byte.
type Plan struct {
	Shape *Shape
	// Path is the manifest's own canonical path below the origin's root,
	// without a leading slash ("v720/index.m3u8"). Relative references in the
	// source are resolved against it (RFC 3986, section 5.2).
	Path string
	// Asked is the path at which it was asked for, where the origin redirected
	// from there to Path: the MPD's Location names it. Empty: Path.
	Asked string
	// Query is the part of the request's query that the origin's answer depends
	// on, as it was asked for, without "?": the MPD's Location carries it, so that
	// the next version is that of the same. One template is always given the same
	// (another query is another answer of the origin).
	Query string
	// Values fills the slots; index by [Slot]. A slot that the form does not
	// have is not looked at; one without a value renders as nothing.
	Values [][]byte
}

// Slot numbers the places of a form that differ from viewer to viewer.
type Slot int

// SlotSession is the session of the session address: what stands after "~",
// fixed-length base64url text. It is not used where Shape.Cohort is set.
const SlotSession Slot = 0

// SlotToken is the slot of the access token of pathway i of the shape.
func SlotToken(i int) Slot { return Slot(1 + i) }

// Placement says where a pathway's access token stands in a media URL.
type Placement uint8

// The placements of tokens. InQuery does not survive relative references, so
// every reference is rewritten; InPath does.
const (
	NoToken Placement = iota
	InQuery
	InPath
)

// Pathway is one CDN (one PATHWAY-ID, one serviceLocation) as a shape sees it.
type Pathway struct {
	// ID is the PATHWAY-ID of HLS and the serviceLocation of DASH:
	// [A-Za-z0-9._-]+.
	ID string
	// Base is the absolute URL that stands for the origin's root, ending in
	// "/": "https://cdn-a.example/live/".
	Base string
	// Token says where this pathway's token goes. InPath inserts the slot's
	// value and a "/" at Base[TokenAt:], InQuery appends it after "?" or "&".
	Token   Placement
	TokenAt int
}

// SegmentMode says through whom a player fetches segments.
type SegmentMode uint8

// The segment modes of a channel: straight from the pathway's CDN, or under
// the session address, where the edge serves (proxy) or redirects them.
const (
	SegmentsDirect SegmentMode = iota
	SegmentsProxy
	SegmentsRedirect
)

// Shape is everything of a plan that is the same for many viewers: it is what
// a template is specialised for. Shapes are compared by pointer: equal shapes
// must be one value (the planner interns them), and a Shape never changes
// after it was first used.
type Shape struct {
	// Prefix is the channel's path prefix without a trailing slash ("/news",
	// or "" for the root). A session address is
	// {Prefix}/~{session}/{pathway}/{path}.
	Prefix string
	// Cohort, where not empty, takes the place of the session in addresses:
	// {Prefix}/~c.{Cohort}/{pathway}/{path}, the same bytes for all.
	Cohort string
	// Edge is the scheme and authority under which the viewer sees the edge,
	// without a trailing slash ("https://edge.example:8443"). It is put before
	// an address where a player needs an absolute URL (DASH Location,
	// steering). Empty leaves them path-absolute.
	Edge string
	// Source is the absolute URL of the origin's root, ending in "/". An
	// absolute reference in the source under it is treated like the relative
	// one; other absolute references are not ours and pass through.
	Source string

	// Pathways are the CDNs in the viewer's order; the first is the choice.
	// In a media playlist only Pathways[Current] is used, and that of Away.
	Pathways []Pathway
	// Current is the index of the pathway whose media playlist this is.
	Current int
	// Away, where not nil, lists some segments of a media playlist under
	// another pathway.
	Away *Away
	// Segments is the channel's segment mode.
	Segments SegmentMode
	// Steering, where not nil, declares content steering and lists all
	// Pathways. Where nil, the chosen pathway and up to Backups others are
	// listed the plain way: redundant variants (HLS) or further BaseURLs (DASH).
	Steering *Steering
	Backups  int
	// OriginSteering leaves the origin's own content steering and pathways in
	// the manifest, where Steering is nil: then Pathways[0] alone carries what
	// is below the root, and there are no backups. Otherwise they are replaced
	// or removed.
	OriginSteering bool
	// Location says that a live MPD gets a Location with the session address.
	Location bool
	// Stay puts the first pathway's ID into the address of that Location,
	// where else NoPathway stands: answers that many share then keep the viewer
	// where the entry's own answer put them.
	Stay bool
	// Filter says which streams are listed; nil lists all.
	Filter *Filter
	// Since is when viewers were first sent what this shape says; zero where it
	// was always so. The publishTime of a live MPD is not before it: players
	// that know a version by its publishTime would not see that the pathways
	// have changed.
	Since time.Time

	// SlotLengths are the lengths in bytes of the slots' values, by Slot; 0
	// means the length varies, and no compressed template is made.
	SlotLengths []int
}

// Away is when those who play from the current pathway were to leave it.
// Segments that were published then are listed under another pathway, all
// others stay under the address they had: a server must not change what it says
// of a segment once it is listed (rfc8216bis, section 6.2.1), and there are
// players, hls.js among them, that refuse a playlist in which it has.
type Away struct {
	Times []Interval
	// Pathway is the index of the other pathway.
	Pathway int
}

// Has tells whether a segment belongs to the times, by when it ends. It counts
// as published one target duration before: clocks differ, and what had been
// listed must not be taken for new.
func (a *Away) Has(end time.Time, target time.Duration) bool {
	at := end.Add(-target)
	for i := range a.Times {
		if a.Times[i].has(at) {
			return true
		}
	}
	return false
}

// Interval is a time from From, exclusive, until Until, inclusive; a zero Until:
// it is not over.
type Interval struct{ From, Until time.Time }

func (i *Interval) has(at time.Time) bool {
	return at.After(i.From) && (i.Until.IsZero() || !at.After(i.Until))
}

// Steering is what the manifest says of the steering server.
type Steering struct {
	// Before and After enclose the session in the server's URL; where there
	// is no session slot (cohort addresses) the URL is Before alone. Before
	// begins with "/" and is put after Shape.Edge.
	Before, After string
	// NoSession leaves the session slot out of the URL.
	NoSession bool
	// QueryBeforeStart is ContentSteering@queryBeforeStart (ETSI TS 103 998).
	QueryBeforeStart bool
}
