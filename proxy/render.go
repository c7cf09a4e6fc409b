package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"manifold/explain"
	"manifold/manifest"
	"manifold/manifest/dash"
	"manifold/manifest/hls"
	"manifold/origin"
)

// template is a compiled manifest of either format.
type template interface {
	Kind() manifest.Kind
	Index() *manifest.Index
	// Source is what it was compiled from.
	Source() []byte
	// Renditions are the streams that a manifest lists, read anew.
	Renditions() []manifest.Rendition
	// Steered says that the origin declares content steering of its own.
	Steered() bool
	// Cost is what the template holds, in bytes.
	Cost() int64
	Append(dst []byte, plan *manifest.Plan) []byte
	AppendGzip(dst []byte, plan *manifest.Plan) []byte
	// Shared is either of them in memory that many answers share, or nil.
	Shared(plan *manifest.Plan, gzip bool) []byte
}

// The media types of manifests (RFC 8216, section 4; ISO/IEC 23009-1, annex C).
const (
	typeHLS  = "application/vnd.apple.mpegurl"
	typeDASH = "application/dash+xml"
)

// fetch gets the origin's manifest, through the shield; nil means that the
// answer, an error, was written.
func (r *request) fetch() *origin.Answer {
	r.stop = atFetch
	answer, err := r.p.shield.Fetch(r.ex.Context(), r.upstream(origin.Manifest))
	if err != nil {
		r.originFailed(err)
		return nil
	}
	if r.trace != nil {
		r.traceFetch(answer)
	}
	if answer.State().Waited() {
		r.timing(answer.State())
	}
	return answer
}

// timing says how long the viewer waited for the origin (Server-Timing, W3C),
// in milliseconds. What the edge itself takes is below what is worth telling.
func (r *request) timing(state origin.State) {
	from := len(r.ex.Text)
	r.ex.Text = append(r.ex.Text, "origin;dur="...)
	r.ex.Text = strconv.AppendFloat(r.ex.Text, r.p.now().Sub(r.now).Seconds()*1000, 'f', 1, 64)
	r.ex.Text = append(append(r.ex.Text, ";desc="...), state.String()...)
	r.ex.SetField("Server-Timing", r.ex.Piece(from))
}

// originFailed answers that the origin did not give what was asked for, and
// why as far as a viewer may know.
func (r *request) originFailed(err error) {
	var e *origin.Error
	if !errors.As(err, &e) {
		r.complain(slog.LevelError, "cannot fetch", "path", r.addr.Path, "error", err)
		r.refuse(502, "the origin did not answer")
		return
	}
	text, level := string(e.Reason), slog.LevelWarn
	if e.Status == 404 || e.Status == 410 {
		text, level = "the origin has nothing at this address", slog.LevelDebug // viewers ask for what they like
	}
	if e.Reason != origin.ErrCancelled && e.State() != origin.Negative {
		r.complain(level, "cannot fetch", "path", r.addr.Path, "error", e)
	}
	r.trace.Fetch(explain.FetchFailed, r.addr.Path, 0, 0, text)
	r.refuse(e.HTTPStatus(), text)
	name := r.p.shield.Name()
	r.ex.SetField("Cache-Status", string(e.AppendCacheStatus(nil, name)))
	r.ex.SetField("Proxy-Status", string(e.AppendProxyStatus(nil, name)))
	if e.RetryAfter > 0 {
		r.ex.SetField("Retry-After", strconv.FormatInt(int64(e.RetryAfter.Seconds()), 10))
	}
}

// compile gives the template beside the cached body, made once per version;
// nil means that the answer, an error, was written.
func (r *request) compile(answer *origin.Answer) template {
	r.stop = atCompile
	v, err := answer.Compiled(r.ch.compile)
	if err != nil {
		r.complain(slog.LevelWarn, "cannot compile manifest", "path", r.addr.Path, "error", err)
		r.trace.Compile(explain.CompileFailed, "", false, 0, 0, err.Error())
		r.refuse(502, "the origin's manifest cannot be read")
		r.ex.SetField("Proxy-Status", r.p.shield.Name()+"; error=http_protocol_error")
		return nil
	}
	fault, first := answer.Fault()
	if first {
		r.keptPrevious(fault)
	}
	r.fresh, r.at = answer.TTL(), answer.Path()
	from := len(r.ex.Text)
	r.ex.Text = answer.AppendCacheStatus(r.ex.Text)
	r.ex.SetField("Cache-Status", r.ex.Piece(from))
	t := v.(template)
	r.served = servedAs(t.Kind())
	if r.trace != nil {
		r.traceTemplate(t, fault)
	}
	return t
}

// keptPrevious tells that the origin's last version cannot be served, and that
// the one before is meanwhile: once for each version.
func (r *request) keptPrevious(fault error) {
	e := unreadableVersion
	if errors.Is(fault, origin.ErrWentBack) {
		e = sequenceWentBack
	}
	r.happened(e)
	r.p.log.Warn("the version before is served", "channel", r.ch.name, "path", r.addr.Path, "error", fault)
}

// compileManifest makes the template of an origin's body. The body, not the
// name or the media type, says what it is.
func compileManifest(d origin.Document) (c origin.Compiled, err error) {
	var t template
	if looksLikeXML(d.Body) {
		t, err = dash.Compile(d.Body)
	} else {
		t, err = hls.Compile(d.Body)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", d.Path, err)
	}
	x := t.Index()
	return origin.Compiled{Value: t, Cost: t.Cost(), Facts: origin.Facts{
		Live: x.Live, Window: x.Window, Target: x.Target, Sequence: x.MediaSequence, Sequenced: x.Kind == manifest.HLSMedia,
	}}, nil
}

// redirected sends a player that asked for a media playlist at its entry
// address to the session address, where it stays, if it follows redirects. The
// address names the pathway: hls.js (from 1.6) gives up a playlist that lists a
// segment under another path than before (draft-pantos-hls-rfc8216bis, 6.2.1),
// and this player has no other playlist to go to.
func (r *request) redirected(t template) bool {
	if !r.atEntry() || t.Kind() != manifest.HLSMedia || !r.device.Redirects {
		return false
	}
	r.redirect(t)
	return true
}

func (r *request) redirect(t template) {
	if !r.ch.noSessions {
		r.viewer.Claims.Limits |= unsteered
		r.makeSession()
	}
	b := manifest.NewBuilder(nil, 256)
	under := r.escapedPath()
	if q := r.keptQuery(t); q != "" {
		under += "?" + q
	}
	b.Address(&manifest.Shape{Prefix: r.ch.prefix, Cohort: r.cohortText()}, r.ch.cdns[r.order.First()].id, under)
	r.values[manifest.SlotSession] = r.session
	r.trace.Plan(explain.PlanRedirect, r.device.Name, "")
	r.ex.Status = 302
	r.ex.SetField("Location", string(b.Form().Append(nil, r.values[:])))
	r.ex.SetField("Cache-Control", "private, no-store")
	r.crossOrigin()
	r.ex.Body = r.ex.Body[:0]
}

// looksLikeXML tells an MPD from a playlist: the first character after a byte
// order mark and white space is "<".
func looksLikeXML(body []byte) bool {
	s := strings.TrimPrefix(string(body[:min(len(body), 64)]), "\ufeff")
	return strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "<")
}

// render writes the answer. Where viewers have the same tokens and the
// manifest names no session, they are sent the same memory.
func (r *request) render(t template, plan *manifest.Plan) {
	r.stop = atRender
	ex := r.ex
	ex.Status = 200
	if t.Kind() == manifest.DASH {
		ex.SetField("Content-Type", typeDASH)
	} else {
		ex.SetField("Content-Type", typeHLS)
	}
	ex.SetField("Cache-Control", r.cacheControl(t.Index()))
	r.crossOrigin()
	ex.SetField("Vary", "Accept-Encoding")
	how, gzip := explain.RenderPlain, r.device.Gzip && acceptsGzip(ex.Header.Get("Accept-Encoding"))
	if gzip {
		how = explain.RenderGzip
		ex.SetField("Content-Encoding", "gzip")
	}
	if !r.viewer.Bound.IsValid() { // else the tokens are nobody else's
		ex.Shared = t.Shared(plan, gzip)
	}
	switch {
	case ex.Shared != nil:
	case gzip:
		ex.Body = t.AppendGzip(ex.Body[:0], plan)
	default:
		ex.Body = t.Append(ex.Body[:0], plan)
	}
	r.trace.Render(how, ex.Status, len(ex.Content()), "")
	r.offer(t, plan)
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip is named,
// or "*" stands for it, with a weight that is not 0.
func acceptsGzip(field string) bool {
	if strings.HasPrefix(field, "gzip,") || field == "gzip" {
		return true // as browsers say it
	}
	star := false
	for field != "" {
		var item string
		item, field, _ = strings.Cut(field, ",")
		name, params, _ := strings.Cut(item, ";")
		name = strings.TrimSpace(name)
		switch {
		case strings.EqualFold(name, "gzip") || strings.EqualFold(name, "x-gzip"):
			return !zeroWeight(params)
		case name == "*":
			star = !zeroWeight(params)
		}
	}
	return star
}

// zeroWeight tells q=0, q=0.0 and so on.
func zeroWeight(params string) bool {
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(k), "q") {
			return strings.Trim(strings.TrimSpace(v), "0.") == ""
		}
	}
	return false
}
