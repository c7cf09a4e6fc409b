package proxy

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"manifold/exchange"
	"manifold/explain"
	"manifold/manifest"
	"manifold/origin"
	"manifold/proxy/access"
	"manifold/proxy/route"
	"manifold/session"
	"manifold/steering"
)

// Imagined is a viewer who did not ask. Zero fields are left to chance: what
// the edge would find out by itself.
type Imagined struct {
	// URL is what the viewer asks for, as its player would write it. Where it
	// carries no token, one that allows the path is assumed.
	URL string
	// Country and ASN are where the viewer is, Address where it asks from.
	Country session.Country
	ASN     uint32
	Address netip.Addr
	// Device is a profile's name, UserAgent what the player says of itself.
	Device, UserAgent string
	// Tier is the tier of the assumed token.
	Tier string
	// Gzip says that the player takes compressed answers.
	Gzip bool
	// At is the moment; the zero time is now. Another moment affects policy and
	// schedule; the manifest is that of now.
	At time.Time
}

// Explained is what an imagined viewer would get, and why.
type Explained struct {
	Trace  *explain.Trace `json:"trace"`
	Status int            `json:"status"`
	// Body is the answer's content where it is text.
	Body string `json:"body,omitempty"`
}

// Explain runs the serving code for an imagined viewer. Nothing is changed by
// it but what the shield holds.
func (p *Proxy) Explain(ctx context.Context, im *Imagined) (*Explained, error) {
	u, err := url.Parse(im.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("cannot explain %q: it is not an absolute http or https URL", im.URL)
	}
	if snap := p.current.Load(); snap != nil && im.Device != "" && snap.devices.ByName(im.Device) == nil {
		return nil, fmt.Errorf("there is no device profile %q; there are %s", im.Device, strings.Join(snap.devices.Names(), ", "))
	}
	ex := exchange.Acquire(ctx, nil)
	defer exchange.Release(ex)
	ex.Protocol, ex.TLS, ex.Method, ex.Host = exchange.HTTP2, u.Scheme == "https", "GET", u.Host
	ex.Header = imaginedHeaders{im}
	addr := im.Address
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified()
	}
	ex.Remote = netip.AddrPortFrom(addr, 0)
	target := u.RequestURI()
	if im.Device != "" {
		target = withParameter(target, "device="+url.QueryEscape(im.Device))
	}
	if err := ex.SetTarget(target); err != nil {
		return nil, fmt.Errorf("cannot explain %q: %w", im.URL, err)
	}
	r := p.begin(ex)
	r.imagined, r.trace = im, &explain.Trace{}
	if !im.At.IsZero() {
		r.now = im.At
	}
	r.trace.Listen(explain.ListenImaginary, "", ex.Method, ex.Host, ex.Path, addr.String())
	r.serve()
	out := &Explained{Trace: r.trace, Status: ex.Status}
	if ex.Stream == nil && !im.Gzip {
		out.Body = string(ex.Content())
	}
	p.end(r)
	return out, nil
}

// withParameter puts a parameter before those that a target has: the first of a
// name counts.
func withParameter(target, pair string) string {
	path, query, _ := strings.Cut(target, "?")
	if query != "" {
		pair += "&" + query
	}
	return path + "?" + pair
}

type imaginedHeaders struct{ im *Imagined }

func (h imaginedHeaders) Get(name string) string {
	switch {
	case strings.EqualFold(name, "User-Agent"):
		return h.im.UserAgent
	case h.im.Gzip && strings.EqualFold(name, "Accept-Encoding"):
		return "gzip"
	}
	return ""
}

func (h imaginedHeaders) Each(f func(name, value string) bool) {
	for _, name := range []string{"User-Agent", "Accept-Encoding"} {
		if v := h.Get(name); v != "" && !f(name, v) {
			return
		}
	}
}

// explainHeader carries the secret in a request, and the trace in its answer.
const explainHeader = "Manifold-Explain"

func secretSum(secret []byte) []byte {
	if len(secret) == 0 {
		return nil
	}
	sum := sha256.Sum256(secret)
	return sum[:]
}

// traceIfAsked turns the trace on for who knows the secret.
func (r *request) traceIfAsked() {
	given := r.ex.Header.Get(explainHeader)
	if given == "" {
		return
	}
	if sum := sha256.Sum256([]byte(given)); subtle.ConstantTimeCompare(sum[:], r.snap.explain) != 1 {
		return
	}
	ex := r.ex
	r.trace = &explain.Trace{}
	r.trace.Listen(explain.ListenReal, ex.Protocol.String(), ex.Method, ex.Host, ex.Path, ex.Remote.Addr().String())
}

// showTrace adds the trace to the answer: as the body where the query says
// ?explain, else in a header field.
func (r *request) showTrace() {
	text, err := json.Marshal(r.trace)
	if err != nil {
		r.p.log.Error("cannot write trace", "error", err)
		return
	}
	ex := r.ex
	ex.SetField("Cache-Control", "private, no-store")
	if !hasParameter(ex.RawQuery, "explain") {
		ex.SetField(explainHeader, string(text))
		return
	}
	if c, ok := ex.Stream.(io.Closer); ok {
		_ = c.Close()
	}
	ex.Fail(200, "")
	r.crossOrigin()
	ex.SetField("Content-Type", "application/json")
	ex.Body = append(append(ex.Body[:0], text...), '\n')
}

// The methods below put into a trace what the stages found. They are called
// with and without one; without, they cost a comparison.

var routeReasons = [...]explain.Reason{
	route.ByNone: explain.RouteNone, route.ByAnyHost: explain.RouteAnyHost,
	route.ByWildcard: explain.RouteWildcard, route.ByHost: explain.RouteHost,
}

// The methods below are called where there is a trace.

func (r *request) traceViewer(about *access.Request) {
	why, byDevice := explain.AccessSession, explain.DeviceSession
	switch {
	case r.shared():
		why = explain.AccessShared
	case r.addr.Cohort != "":
		why = explain.AccessOpen
	case r.asked == steeringAnswer:
		why = explain.AccessSteer
	case r.addr.Session != "":
	case !r.ch.access.NeedsToken():
		why = explain.AccessOpen
	case r.imagined != nil && about.Token == "":
		why = explain.AccessAssumed
	default:
		why = explain.AccessToken
	}
	c := &r.viewer.Claims
	until := time.Unix(c.Expires, 0)
	if c.Expires == 0 {
		until = time.Time{}
	}
	r.trace.Access(why, c.ID.String(), c.Country.String(), r.viewer.Tier, until)
	if len(r.ch.tiers) > 0 {
		r.trace.Tier(r.tierWhy, r.ch.tiers[r.tier].name, r.viewer.Tier)
	}
	if r.cohort != noCohort && (r.cohortWhy != "" || r.addr.Session != "") {
		r.trace.Cohort(or(r.cohortWhy, explain.AccessCohortSession), r.ch.cohorts[r.cohort].name, r.addr.Cohort)
	}
	if r.ch.noSessions && r.addr.Session == "" {
		r.trace.Device(explain.DeviceCohort, r.device.Name, about.UserAgent)
		return
	}
	if named := rawQueryValue(r.ex.RawQuery, "device"); named != "" && r.device.Name == named {
		byDevice = explain.DeviceNamed
	} else if r.addr.Session == "" && len(r.device.UserAgents) > 0 {
		byDevice = explain.DeviceUserAgent
	} else if r.addr.Session == "" {
		byDevice = explain.DeviceUnknown
	}
	r.trace.Device(byDevice, r.device.Name, about.UserAgent)
}

var chooseReasons = [...]explain.Reason{
	steering.ByOverride: explain.ChooseOverride, steering.ByPrefer: explain.ChoosePreferred, steering.ByStay: explain.ChooseStay,
	steering.BySplit: explain.ChooseSplit, steering.ByCommit: explain.ChooseCommit, steering.ByCapacity: explain.ChooseCapacity,
	steering.ByNoWeight: explain.ChooseNoWeight, steering.ByDegraded: explain.ChooseDegraded, steering.ByDrain: explain.ChooseDrained,
	steering.ByDown: explain.ChooseDown, steering.ByForbidden: explain.ChooseForbidden,
}

func (r *request) traceChoice() {
	status := r.p.conditions.Status()
	for k := range r.order.N {
		i := int(r.order.Index[k])
		p := &r.state.Pathways[i]
		detail := ""
		for _, s := range status {
			if s.Set != r.ch.set.name || s.ID != p.ID {
				continue
			}
			if r.order.Reason[k] == steering.ByDrain && s.Drain != nil {
				detail = "by " + s.Drain.Who + ": " + s.Drain.Why
			}
			if why := r.order.Reason[k]; why == steering.ByDown || why == steering.ByDegraded {
				detail = s.Cause
				if !s.HealthSince.IsZero() {
					detail += ", since " + s.HealthSince.UTC().Format(time.RFC3339)
				}
			}
			if r.order.Reason[k] == steering.ByOverride && len(s.Overrides) > 0 {
				o := s.Overrides[0]
				detail = "by " + o.Who + " until " + o.Until.UTC().Format(time.RFC3339) + ": " + o.Why
			}
		}
		why := chooseReasons[r.order.Reason[k]]
		if k == 0 && r.addressed {
			why = explain.ChooseAddress
		}
		r.trace.Pathway(k+1, p.ID, why, p.Weight, r.order.Score[k], detail)
	}
	for i := range r.state.Pathways {
		if p := &r.state.Pathways[i]; !r.order.Has(i) {
			why := explain.ChooseForbidden
			if r.viewer.Bound.IsValid() && r.ch.cdns[i].base(r.ex.TLS).minter != nil {
				why = explain.ChooseUnbound
			}
			r.trace.Pathway(0, p.ID, why, p.Weight, 0, "")
		}
	}
}

var fetchReasons = [...]explain.Reason{
	origin.Hit: explain.FetchHit, origin.Stale: explain.FetchStale, origin.StaleError: explain.FetchStaleError,
	origin.Negative: explain.FetchNegative, origin.Miss: explain.FetchMiss, origin.Coalesced: explain.FetchCoalesced,
	origin.Revalidated: explain.FetchRevalidated, origin.Passed: explain.FetchPassed,
}

func (r *request) traceFetch(a *origin.Answer) {
	detail := ""
	if at := a.Path(); at != "" {
		detail = "redirected to " + at
	}
	r.trace.Fetch(fetchReasons[a.State()], r.addr.Path, a.Age(), a.TTL(), detail)
}

func (r *request) traceTemplate(t template, fault error) {
	x := t.Index()
	why, detail := explain.CompileDone, ""
	switch {
	case errors.Is(fault, origin.ErrWentBack):
		why, detail = explain.CompileWentBack, fault.Error()
	case fault != nil:
		why, detail = explain.CompilePrevious, fault.Error()
	}
	r.trace.Compile(why, t.Kind().String(), x.Live, x.Segments, x.Variants, detail)
	if x.Kind != manifest.HLSMedia {
		return
	}
	if name, known, all, ok := r.p.siblings.reference(r.ch.group, r.escapedPath()); ok {
		r.trace.Together(name, known, all)
	}
}

func (r *request) tracePlan(s *manifest.Shape, key *shapeKey) {
	if key.kind == manifest.HLSMedia {
		return
	}
	var ids []string
	for i := range s.Pathways {
		if s.Steering != nil || i <= s.Backups {
			ids = append(ids, s.Pathways[i].ID)
		}
	}
	why := explain.PlanSingle
	switch {
	case s.Steering != nil:
		why = explain.PlanSteered
	case s.Backups > 0:
		why = explain.PlanBackups
	}
	if key.theirs {
		r.traceTheirs(s, key)
	}
	if s.OriginSteering {
		return
	}
	r.trace.Plan(why, "", strings.Join(ids, ", "))
}

// traceTheirs says what became of the origin's own steering.
func (r *request) traceTheirs(s *manifest.Shape, key *shapeKey) {
	switch {
	case s.OriginSteering:
		r.trace.Plan(explain.PlanTheirsKept, s.Pathways[0].ID, "")
	case s.Steering != nil:
		r.trace.Plan(explain.PlanTheirsReplaced, "", "")
	case r.ch.theirs == OriginSteeringKept:
		r.trace.Plan(explain.PlanTheirsRemoved, "", key.device.Name+" does not follow it")
	default:
		r.trace.Plan(explain.PlanTheirsRemoved, "", "")
	}
}

// traceToken tells of the token that was made last.
func (r *request) traceToken(c *cdn, kind manifest.Kind) {
	m := c.base(r.ex.TLS).minter
	place := "query"
	if m.Form(kind).Place == manifest.InPath {
		place = "path"
	}
	r.trace.Token(c.id, m.Format(), place, m.Root()+r.scope.Dir, time.Unix(r.scope.Expires, 0))
}
