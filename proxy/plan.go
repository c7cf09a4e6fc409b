package proxy

import (
	"log/slog"
	"strings"
	"time"

	"manifold/device"
	"manifold/explain"
	"manifold/manifest"
	"manifold/proxy/access/token"
	"manifold/session"
	"manifold/steering"
)

// planFor makes the plan of this request: the shape, interned, and the values
// of its slots.
func (r *request) planFor(t template) *manifest.Plan {
	r.stop = atPlan
	key := &r.key
	*key = shapeKey{channel: r.ch, device: r.device, kind: t.Kind(), tls: r.ex.TLS, host: r.ex.Host, cohort: r.cohortText()}
	switch key.kind {
	case manifest.HLSMedia:
		r.mediaPathway(key, t)
	default:
		key.tier, key.theirs = r.tier, t.Steered()
		key.order, key.n = r.order.Index, uint8(r.order.N)
	}
	if key.kind == manifest.DASH && r.device.PlainBaseURL {
		r.plainFirst(key)
	}
	if key.kind == manifest.DASH && t.Index().Live {
		if key.since = r.since; r.trace != nil && r.since != 0 {
			r.trace.Plan(explain.PlanSince, time.Unix(r.since, 0).UTC().Format(time.RFC3339), "")
		}
	}
	shape := r.snap.shapes.get(key, newShape)
	if r.trace != nil {
		r.tracePlan(shape, key)
		r.traceFilter(t, shape.Filter)
	}
	if !r.fillSlots(shape, key) {
		return nil
	}
	r.plan = manifest.Plan{Shape: shape, Path: r.addr.Path, Asked: r.addr.Path, Values: r.values[:1+len(shape.Pathways)]}
	if key.kind == manifest.DASH && shape.Location {
		r.plan.Query = r.ch.group.DeclaredQuery(r.ex.RawQuery)
	}
	if r.at != "" {
		r.plan.Path = r.at
	}
	return &r.plan
}

// plainFirst puts a CDN first whose BaseURL this player can read, where there is
// one.
func (r *request) plainFirst(key *shapeKey) {
	for i, n := range key.order[:key.n] {
		b := r.ch.cdns[n].base(r.ex.TLS)
		if strings.Contains(b.url, "&") || b.minter != nil && b.minter.Ampersand(key.kind) {
			continue
		}
		if i > 0 {
			r.trace.Plan(explain.PlanPlainBase, r.ch.cdns[n].id, "instead of "+r.ch.cdns[key.order[0]].id)
			copy(key.order[1:i+1], key.order[:i])
			key.order[0] = n
		}
		return
	}
}

// fillSlots puts the session and the pathways' tokens into the values.
func (r *request) fillSlots(shape *manifest.Shape, key *shapeKey) bool {
	r.values[manifest.SlotSession] = r.session
	for i := range shape.Pathways {
		if shape.Pathways[i].Token == manifest.NoToken {
			continue
		}
		cdn := &r.ch.cdns[key.order[i]]
		value, err := r.token(cdn.base(r.ex.TLS).minter, key.kind)
		if err != nil {
			r.complain(slog.LevelWarn, "cannot make a CDN token", "pathway", cdn.id, "error", err)
			r.trace.Plan(explain.PlanTokenFail, cdn.id, err.Error())
			r.refuse(403, "this viewer's access cannot be expressed at the CDN")
			return false
		}
		r.values[manifest.SlotToken(i)] = value
		if r.trace != nil {
			r.traceToken(cdn, key.kind)
		}
	}
	return true
}

// token is the viewer's access token at a CDN: never wider than what the
// viewer was granted, and shared by all who were granted the same.
func (r *request) token(m *token.Minter, kind manifest.Kind) ([]byte, error) {
	if err := r.ch.access.CDNScope(&r.scope, &r.viewer, m, "", r.now); err != nil {
		return nil, err
	}
	return m.Token(&r.scope, m.Form(kind))
}

// unsteered is the bit of session.Claims.Limits which says that the player
// entered at a media playlist: nobody told it of the steering server.
const unsteered = 1 << 0

// mediaPathway puts the pathway whose URLs a media playlist carries into the
// key: the one in the address, or at the entry the one that the viewer would be
// sent to were nothing drained. A player that does not steer would stay with it
// for ever, so when it is not to be used, such a player gets the viewer's first
// choice: at once where the CDN fails, with the segments to come where it is
// drained. So does any player whose pathway a new configuration does not have:
// it will not fetch the multivariant playlist again to learn of others.
func (r *request) mediaPathway(key *shapeKey, t template) {
	key.n = 1
	i := r.ch.pathway(r.addr.Pathway)
	if r.atEntry() {
		i = r.usual()
	}
	if i < 0 {
		key.order[0] = r.order.Index[0]
		if r.trace != nil && r.addr.Pathway != "" && r.addr.Pathway != manifest.NoPathway {
			r.trace.Plan(explain.PlanMoved, r.ch.cdns[key.order[0]].id, "instead of "+r.addr.Pathway)
		}
		return
	}
	key.order[0] = uint8(i)
	// An origin's own steering server does not know of our conditions.
	told := !r.atEntry() && r.viewer.Claims.Limits&unsteered == 0
	if told && r.ch.theirs != OriginSteeringKept && steers(r.ch, r.device, manifest.HLSMedia) {
		r.trace.Plan(explain.PlanPathway, r.ch.cdns[i].id, "")
		return
	}
	served := r.order.Has(i) && r.state.Conditions[i].Health != steering.Down
	usable := served && r.state.Conditions[i].Usable(r.now)
	if other := r.otherThan(i); served && r.isBetter(other, i, usable) && r.absences[i].show(t, r.now) {
		key.order[1], key.n, key.away = uint8(other), 2, r.absences[i]
		if r.trace != nil {
			r.traceAway(key)
		}
		return
	}
	if usable || served && r.order.First() == i {
		r.trace.Plan(explain.PlanPathway, r.ch.cdns[i].id, "")
		return
	}
	key.order[0] = r.order.Index[0]
	if r.trace != nil {
		r.trace.Plan(explain.PlanMoved, r.ch.cdns[key.order[0]].id, "instead of "+r.addr.Pathway)
	}
}

// usual is the pathway that the viewer would be sent to were nothing drained,
// whatever they were sent to before: who asks at the entry again and again gets
// what was listed under the address it had.
func (r *request) usual() int {
	v := r.chooser
	v.HasPrev = false
	o := steering.Choose(&v, r.undrained, r.now)
	for _, i := range o.Index[:o.N] {
		if r.order.Has(int(i)) {
			return int(i)
		}
	}
	return -1
}

// isBetter tells whether the segments of the absences of i are to come from
// another pathway: not while the viewer is best off with i all the same, nor
// from one that is down.
func (r *request) isBetter(other, i int, usable bool) bool {
	switch {
	case other < 0:
		return false
	case usable: // the absences are over
		return r.state.Conditions[other].Health != steering.Down
	}
	return r.order.First() != i
}

// otherThan is the viewer's first choice among all pathways but i; -1: there is
// none. It is the same while i is drained and afterwards.
func (r *request) otherThan(i int) int {
	for _, k := range r.order.Index[:r.order.N] {
		if int(k) != i {
			return int(k)
		}
	}
	return -1
}

// steers tells whether a player is given content steering.
func steers(ch *channel, d *device.Profile, kind manifest.Kind) bool {
	return ch.steering && len(ch.cdns) > 1 && follows(d, kind)
}

// follows tells whether a player follows content steering.
func follows(d *device.Profile, kind manifest.Kind) bool {
	if kind == manifest.DASH {
		return d.Steering&device.SteersDASH != 0
	}
	return d.Steering&device.SteersHLS != 0
}

// newShape makes the shape of a key.
func newShape(k *shapeKey) *manifest.Shape { return shapeOf(k, k.channel.segments) }

// shapeOf makes the shape of a key with segments fetched as given.
func shapeOf(k *shapeKey, segments manifest.SegmentMode) *manifest.Shape {
	ch := k.channel
	s := &manifest.Shape{
		Prefix:      ch.prefix,
		Cohort:      k.cohort,
		Stay:        k.cohort != "",
		Edge:        scheme(k.tls) + "://" + k.host,
		Source:      ch.source,
		Segments:    segments,
		Location:    k.device.Location,
		SlotLengths: []int{session.TextLen},
	}
	if k.since != 0 {
		s.Since = time.Unix(k.since, 0)
	}
	if k.away != nil {
		s.Away = k.away.of(1)
	}
	for _, i := range k.order[:k.n] {
		p, length := ch.cdns[i].shaped(k.tls, k.kind)
		if segments != manifest.SegmentsDirect {
			p.Token, length = manifest.NoToken, 0
		}
		s.Pathways = append(s.Pathways, p)
		s.SlotLengths = append(s.SlotLengths, length)
	}
	if k.kind != manifest.HLSMedia {
		s.Filter = ch.filterOf(k.tier, k.device)
	}
	switch {
	case k.kind == manifest.HLSMedia:
	case k.keepsTheirs():
		s.OriginSteering = true
		return s
	case k.theirs && ch.theirs == OriginSteeringRemoved:
		s.Backups = backups(k)
	case steers(ch, k.device, k.kind):
		s.Steering = &manifest.Steering{Before: ch.steerBefore, QueryBeforeStart: true}
		if k.cohort != "" {
			s.Steering.Before += "c." + k.cohort
			s.Steering.NoSession = true
		}
	default:
		s.Backups = backups(k)
	}
	s.Backups = max(0, min(s.Backups, len(s.Pathways)-1))
	return s
}

// backups is how many further pathways are listed the plain way.
func backups(k *shapeKey) int {
	switch {
	case k.kind == manifest.DASH:
		return min(k.device.BaseURLs, len(k.channel.cdns)) - 1
	case k.device.RedundantVariants:
		return 1
	}
	return 0
}

// keepsTheirs tells whether a manifest keeps the origin's own steering: it has
// some, the channel wants it so, and the player follows it.
func (k *shapeKey) keepsTheirs() bool {
	return k.theirs && k.channel.theirs == OriginSteeringKept && follows(k.device, k.kind)
}

// shaped is the pathway as a shape sees it, with the length of its token: that
// of the channel's whole directory, which nearly all viewers get. A token of
// another length still renders; only its gzip form is not a template.
func (c *cdn) shaped(tls bool, kind manifest.Kind) (manifest.Pathway, int) {
	b := c.base(tls)
	p := manifest.Pathway{ID: c.id, Base: b.url}
	if b.minter == nil {
		return p, 0
	}
	form := b.minter.Form(kind)
	p.Token, p.TokenAt = form.Place, b.minter.At()
	n, err := b.minter.Len(&token.Scope{Expires: 1 << 31}, form)
	if err != nil {
		n = 0
	}
	return p, n
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}
