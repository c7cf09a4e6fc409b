package proxy

import (
	"net/http"
	"unsafe"

	"manifold/exchange"
	"manifold/explain"
	"manifold/manifest"
	"manifold/origin"
)

// upstream is the shield's request for the resource asked for. CMCD, tokens
// and the session never reach it: the shield drops every query parameter that
// the channel did not declare.
func (r *request) upstream(class origin.Class) *origin.Request {
	r.wanted = origin.Request{
		Group: r.ch.group, Class: class, Path: r.escapedPath(),
		Query: r.ex.RawQuery, Header: r.ex.Header,
	}
	if r.imagined == nil { // else the moment may be imagined too
		r.wanted.Now = r.now
	}
	return &r.wanted
}

// escapedPath is the origin path as it stands in a URL, in the request's own
// storage: the piece is never written again while the request lives.
func (r *request) escapedPath() string {
	if r.escaped == "" {
		from := len(r.text)
		r.text = exchange.AppendEscaped(r.text, r.addr.Path)
		piece := r.text[from:]
		r.escaped = unsafe.String(unsafe.SliceData(piece), len(piece))
	}
	return r.escaped
}

// segment answers what is not a manifest: from the shield where the channel
// proxies segments, else by sending the player to the CDN it should use. The
// latter is rare: only references in tags that we do not know are left
// relative to the edge.
func (r *request) segment() {
	r.stop = atPlan
	r.trace.Plan(explain.PlanSegments, r.addr.Path, "")
	if r.ch.segments == manifest.SegmentsProxy {
		r.proxySegment()
		return
	}
	location, ok := r.mediaURL()
	if !ok {
		return
	}
	ex := r.ex
	ex.Status = 302
	ex.SetField("Location", location)
	ex.SetField("Cache-Control", "private, no-store")
	r.crossOrigin()
	ex.Body = ex.Body[:0]
}

// mediaURL is the resource's URL at the CDN of the address, else of the
// viewer's first choice. It is made as a media playlist would write it.
func (r *request) mediaURL() (string, bool) {
	i := r.ch.pathway(r.addr.Pathway)
	if i < 0 {
		i = r.order.First()
	}
	key := shapeKey{channel: r.ch, device: r.device, kind: manifest.HLSMedia, tls: r.ex.TLS, host: r.ex.Host, n: 1}
	key.order[0] = uint8(i)
	shape := shapeOf(&key, manifest.SegmentsDirect)
	if !r.fillSlots(shape, &key) {
		return "", false
	}
	under := r.escapedPath()
	if q := r.ownQuery(); q != "" {
		under += "?" + q // the origin's own words, and the player's CMCD
	}
	b := manifest.NewBuilder(nil, 256)
	b.MediaURL(shape, 0, under)
	return string(b.Form().Append(nil, r.values[:])), true
}

// proxySegment serves through the shield, bytes as they arrive.
func (r *request) proxySegment() {
	r.stop = atFetch
	ex := r.ex
	req := r.upstream(origin.Segment)
	if ex.Method == http.MethodGet { // ranges are of no other method (RFC 9110, section 14.2)
		req.Range, req.IfRange = ex.Header.Get("Range"), ex.Header.Get("If-Range")
	}
	req.IfNoneMatch, req.IfModifiedSince = ex.Header.Get("If-None-Match"), ex.Header.Get("If-Modified-Since")
	answer, err := r.p.shield.Fetch(ex.Context(), req)
	if err != nil {
		r.originFailed(err)
		return
	}
	if answer.State().Waited() {
		r.timing(answer.State())
	}
	answer.Respond(ex)
	r.keepPrivate()
	r.crossOrigin()
}
