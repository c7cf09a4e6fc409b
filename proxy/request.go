package proxy

import (
	"errors"
	"net/url"
	"strings"

	"manifold/device"
	"manifold/exchange"
	"manifold/manifest"
	"manifold/proxy/access"
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

	ch    *channel
	addr  route.Address
	asked asked

	device *device.Profile
	viewer access.Viewer
	// session is the session's text: from the address, or made at the entry.
	session []byte

	state *steering.State
	order steering.Order

	plan   manifest.Plan
	values [1 + steering.MaxPathways][]byte
	// text is storage for small texts: session, paths. Pieces of it are kept
	// while it grows, so it is only ever appended to.
	text []byte
	// escaped is the origin path, percent-encoded, once it was asked for.
	escaped string
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
	if r.snap == nil {
		r.refuse(503, "the edge is starting")
		r.ex.SetField("Retry-After", "1")
		return false
	}
	if rest, own := strings.CutPrefix(r.ex.Path, route.Internal); own {
		return r.routeInternal(rest)
	}
	ch, rest, ok := r.snap.routes.Find(r.ex.Host, r.ex.Path)
	if !ok {
		r.refuse(404, "no channel has this address")
		return false
	}
	if r.addr, ok = route.Parse(rest); !ok {
		r.refuse(404, "this is not a session address")
		return false
	}
	if r.addr.Cohort != "" || r.addr.Path == "" {
		r.refuse(404, "there is nothing at this address")
		return false
	}
	if r.addr.Pathway != "" && r.addr.Pathway != manifest.NoPathway && ch.pathway(r.addr.Pathway) < 0 {
		r.refuse(404, "the channel has no such pathway")
		return false
	}
	r.ch = ch
	if !isManifestPath(r.addr.Path) {
		r.asked = segment
	}
	return true
}

// routeInternal finds the edge's own resources: steer/{channel}/~{session}.
func (r *request) routeInternal(rest string) bool {
	name, sess, ok := strings.Cut(strings.TrimPrefix(rest, "steer/"), "/~")
	ch := r.snap.channels[name]
	if !ok || ch == nil || !strings.HasPrefix(rest, "steer/") {
		r.refuse(404, "there is nothing at this address")
		return false
	}
	r.ch, r.addr.Session, r.asked = ch, sess, steeringAnswer
	return true
}

// isManifestPath tells manifests by their names.
func isManifestPath(path string) bool {
	return strings.HasSuffix(path, ".m3u8") || strings.HasSuffix(path, ".mpd") || strings.HasSuffix(path, ".m3u")
}

// access finds who the viewer is: at the entry by token, in a session by the
// signed address, at the steering server by the session in its URL.
func (r *request) access() bool {
	ex := r.ex
	about := access.Request{
		Path: r.addr.Path, Remote: ex.Remote.Addr(), Now: r.p.now(),
		UserAgent: ex.Header.Get("User-Agent"), Player: cmcdSession(ex.RawQuery),
	}
	var err error
	switch {
	case r.asked == steeringAnswer:
		r.viewer, err = r.ch.access.Steer(r.addr.Session, &about)
		r.session = r.keep(r.addr.Session)
	case r.addr.Session != "":
		r.viewer, err = r.ch.access.Return(r.addr.Session, &about)
		r.session = r.keep(r.addr.Session)
	default:
		err = r.enter(&about)
	}
	if err != nil {
		r.refuseAccess(err)
		return false
	}
	if name := queryValue(ex.RawQuery, "device"); name != "" || r.addr.Session == "" {
		r.device = r.snap.devices.Match(name, about.UserAgent)
	} else {
		r.device = r.snap.devices.ByID(r.viewer.Claims.Device)
	}
	if r.addr.Session == "" {
		r.viewer.Claims.Device = r.device.ID
		from := len(r.text)
		r.text = r.ch.access.AppendAddress(r.text, &r.viewer.Claims)
		r.session = r.text[from:len(r.text):len(r.text)]
	}
	return true
}

// enter checks the token shown at the entry.
func (r *request) enter(about *access.Request) (err error) {
	h := r.ex.Header
	if about.Token, err = r.ch.access.Find(r.ex.RawQuery, h.Get("Authorization"), h.Get("Cookie")); err != nil {
		return err
	}
	grant, err := r.ch.access.Check(about)
	if err != nil {
		return err
	}
	r.viewer, err = r.ch.access.Enter(grant, about)
	return err
}

// refuseAccess answers what access said.
func (r *request) refuseAccess(err error) {
	var refusal *access.Error
	if !errors.As(err, &refusal) {
		r.p.log.Error("cannot check access", "channel", r.ch.name, "error", err)
		r.refuse(500, "access cannot be checked")
		return
	}
	r.refuse(refusal.Status(), refusal.Error())
	if c := refusal.Challenge(); c != "" {
		r.ex.SetField("WWW-Authenticate", c)
	}
}

// cmcdSession finds the session id in a CMCD query (CTA-5004, sid), which
// tells the players of one viewer apart; "" where there is none.
func cmcdSession(query string) string {
	if !strings.Contains(query, "CMCD=") {
		return ""
	}
	_, rest, ok := strings.Cut(queryValue(query, "CMCD"), `sid="`)
	if !ok {
		return ""
	}
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return ""
	}
	return sid
}

// choose orders the pathways. A CDN whose tokens cannot say what the viewer
// was granted (it sees viewers at other addresses than we do) is left out.
func (r *request) choose() bool {
	r.state = r.ch.set.state.Load()
	r.order = steering.Choose(&steering.Viewer{Session: r.sessionNumber()}, r.state, r.p.now())
	if !r.viewer.Bound.IsValid() {
		return true
	}
	now := r.p.now()
	r.order.Keep(func(i int) bool {
		m := r.ch.cdns[i].base(r.ex.TLS).minter
		if m == nil {
			return true
		}
		_, err := r.ch.access.CDNScope(&r.viewer, m, r.viewer.Scope, now)
		return err == nil
	})
	if r.order.N == 0 {
		r.refuse(403, access.ErrUnbound.Error())
		return false
	}
	return true
}

// refuse writes an error answer that players on other hosts may read.
func (r *request) refuse(status int, text string) {
	r.ex.Fail(status, text)
	r.crossOrigin()
}

// crossOrigin lets players on any page read the answer and its timing.
func (r *request) crossOrigin() {
	r.ex.SetField("Access-Control-Allow-Origin", "*")
	r.ex.SetField("Access-Control-Expose-Headers", "Cache-Status, Proxy-Status, Server-Timing, Date, Age")
	r.ex.SetField("Timing-Allow-Origin", "*")
}

// queryValue gives the first value of name in a raw query, or "". It allocates
// only where the value is percent-encoded.
func queryValue(query, name string) string {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if k, v, _ := strings.Cut(pair, "="); k == name {
			if strings.ContainsAny(v, "%+") {
				if u, err := url.QueryUnescape(v); err == nil {
					return u
				}
			}
			return v
		}
	}
	return ""
}
