package proxy

import (
	"manifold/proxy/access"
	"manifold/steering"
)

// choose orders the pathways. A CDN whose tokens cannot say what the viewer
// was granted (it sees viewers at other addresses than we do) is left out. The
// country is that of the entry, the network that of the present address.
func (r *request) choose() bool {
	r.stop = atChoose
	conditions := r.ch.set.state.Load()
	r.state, r.undrained, r.absences = &conditions.State, &conditions.undrained, conditions.absences
	r.since = max(conditions.since(r.now), r.snap.since)
	v := &r.chooser
	*v = steering.Viewer{
		Session: r.sessionNumber(), Country: steering.Country(r.viewer.Claims.Country), ASN: r.place.ASN, Address: r.viewer.Address, Dwell: r.ch.dwell,
	}
	if !r.shared() { // one viewer stays where they were sent lately
		v.Prev, v.Since, v.HasPrev = r.snap.memory.recall(v.Session, r.now)
	}
	r.order.Set(v, r.state, r.now)
	if r.shared() {
		r.firstOfAddress()
	}
	if r.order.N == 0 {
		if r.trace != nil {
			r.traceChoice()
		}
		r.refuse(403, "no CDN may serve this viewer here")
		return false
	}
	if r.viewer.Bound.IsValid() && !r.leaveOutUnbound() {
		return false
	}
	if r.trace != nil {
		r.traceChoice()
	}
	if first := r.order.First(); !r.shared() && r.imagined == nil && (!v.HasPrev || v.Prev != first) {
		r.snap.memory.remember(v.Session, first, r.now)
	}
	return true
}

// leaveOutUnbound takes the CDNs out of the order whose tokens cannot be bound
// to the viewer's address.
func (r *request) leaveOutUnbound() bool {
	r.order.Keep(func(i int) bool {
		m := r.ch.cdns[i].base(r.ex.TLS).minter
		if m == nil {
			return true
		}
		return r.ch.access.CDNScope(&r.scope, &r.viewer, m, r.viewer.Scope, r.now) == nil
	})
	if r.order.N == 0 {
		r.refuse(403, access.ErrUnbound.Error())
		return false
	}
	return true
}
