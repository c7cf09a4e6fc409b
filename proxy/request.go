package proxy

import (
	"strings"
	"time"

	"manifold/device"
	"manifold/exchange"
	"manifold/explain"
	"manifold/geo"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/proxy/route"
	"manifold/steering"
)

// asked is what a request wants.
type asked uint8

const (
	manifestAsked asked = iota
	segment
	steeringAnswer
)

// request is one viewer request on its way through the stages. It is pooled;
// what it points to lives as long as the exchange.
type request struct {
	p    *Proxy
	ex   *exchange.Exchange
	snap *snapshot
	now  time.Time

	ch    *channel
	addr  route.Address
	asked asked
	// served is what it turned out to be.
	served served

	device *device.Profile
	about  access.Request // what access is told
	viewer access.Viewer
	place  geo.Place
	// tier is an index of the channel's tiers, or noTier; tierWhy says why.
	tier    int
	tierWhy explain.Reason
	// cohort is an index of the channel's cohorts, or noCohort.
	cohort    int
	cohortWhy explain.Reason
	// at is where the origin's redirects led; empty: nowhere else.
	at string
	// fresh is for how long the origin's answer is good still.
	fresh time.Duration
	// session is the session's text: from the address, or made at the entry.
	session []byte

	state     *steering.State
	undrained *steering.State // as if nothing were drained
	absences  []*absences     // by pathway
	// since is when what viewers get changed last, Unix seconds; 0: never.
	since int64
	order steering.Order
	// addressed says that the first is that because the address names it.
	addressed bool

	// What stages hand to their tools lies here, not in their frames: a new
	// goroutine's stack is small, and to grow it costs as much as the work.
	wanted  origin.Request
	chooser steering.Viewer
	key     shapeKey
	scope   token.Scope

	plan   manifest.Plan
	values [1 + steering.MaxPathways][]byte
	// text is storage for small texts: session, paths. Pieces of it are kept
	// while it grows, so it is only ever appended to.
	text []byte
	// escaped is the origin path, percent-encoded, once it was asked for.
	escaped string

	// stop is the stage that the request has come to.
	stop stop

	// trace, where not nil, is told why; imagined is whom the request is for,
	// where nobody asked.
	trace    *explain.Trace
	imagined *Imagined
}

// keep appends s to the request's storage and gives the piece.
func (r *request) keep(s string) []byte {
	from := len(r.text)
	r.text = append(r.text, s...)
	return r.text[from:len(r.text):len(r.text)]
}

// method lets GET and HEAD pass, answers a preflight (Fetch, CORS-preflight
// request), and refuses the rest.
func (r *request) method() bool {
	switch r.ex.Method {
	case "GET", "HEAD":
		return true
	case "OPTIONS":
		r.ex.Status = 204
		r.crossOrigin()
		r.ex.SetField("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		r.ex.SetField("Access-Control-Allow-Headers", "*, Authorization")
		r.ex.SetField("Access-Control-Max-Age", "86400")
		r.ex.SetField("Allow", "GET, HEAD, OPTIONS")
		r.ex.Body = r.ex.Body[:0]
		return false
	}
	r.refuse(405, "this method is not allowed: use GET or HEAD")
	r.ex.SetField("Allow", "GET, HEAD, OPTIONS")
	return false
}

// route finds the channel and what is asked of it.
func (r *request) route() bool {
	r.stop = atRoute
	if r.snap == nil {
		r.refuse(503, "the edge is starting")
		r.ex.SetField("Retry-After", "1")
		return false
	}
	if rest, own := strings.CutPrefix(r.ex.Path, route.Internal); own {
		return r.routeInternal(rest)
	}
	ch, rest, by := r.snap.routes.Find(r.ex.Host, r.ex.Path)
	if by == route.ByNone {
		return r.lost(explain.RouteNone, "no channel has this address")
	}
	r.trace.Route(routeReasons[by], ch.name, ch.prefix, rest)
	var ok bool
	if r.addr, ok = route.Parse(rest); !ok {
		return r.lost(explain.RouteAddress, "this is not a session address")
	}
	if r.addr.Cohort != "" && !ch.noSessions || r.addr.Path == "" {
		return r.lost(explain.RouteAddress, "there is nothing at this address")
	}
	if r.addr.Cohort != "" && r.addr.Pathway != manifest.NoPathway && ch.pathway(r.addr.Pathway) < 0 {
		return r.lost(explain.RouteAddress, "the channel has no such pathway") // caches would keep what is made up
	}
	r.ch = ch
	if !isManifestPath(r.addr.Path) {
		r.asked, r.served = segment, servedSegment
	}
	return true
}

// routeInternal finds the edge's own resources: steer/{channel}/~{session}.
func (r *request) routeInternal(rest string) bool {
	name, sess, ok := strings.Cut(strings.TrimPrefix(rest, "steer/"), "/~")
	ch := r.snap.channels[name]
	if !ok || ch == nil || !strings.HasPrefix(rest, "steer/") {
		return r.lost(explain.RouteNone, "there is nothing at this address")
	}
	if cohort, ok := strings.CutPrefix(sess, "c."); ok && cohort != "" && ch.noSessions {
		r.addr.Cohort, sess = cohort, ""
	}
	r.trace.Route(explain.RouteInternal, name, route.Internal, "steer")
	r.ch, r.addr.Session, r.asked, r.served = ch, sess, steeringAnswer, servedSteering
	return true
}

// lost answers that an address leads nowhere.
func (r *request) lost(why explain.Reason, text string) bool {
	r.trace.Route(why, "", "", r.ex.Path)
	r.refuse(404, text)
	return false
}

// isManifestPath tells manifests by their names.
func isManifestPath(path string) bool {
	return strings.HasSuffix(path, ".m3u8") || strings.HasSuffix(path, ".mpd") || strings.HasSuffix(path, ".m3u")
}

// refuse writes an error answer that players on other hosts may read.
func (r *request) refuse(status int, text string) {
	r.ex.Fail(status, text)
	r.crossOrigin()
}

// crossOrigin lets players on any page read the answer and its timing.
func (r *request) crossOrigin() {
	r.ex.SetField("Access-Control-Allow-Origin", "*")
	r.ex.SetField("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag, Retry-After, Cache-Status, Proxy-Status, Server-Timing, Date, Age")
	r.ex.SetField("Timing-Allow-Origin", "*")
}
