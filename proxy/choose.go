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
	r.state, r.absences, r.since = &conditions.State, conditions.absences, max(conditions.since(r.now), r.snap.since)
	v := steering.Viewer{
		Session: r.sessionNumber(), Country: steering.Country(r.viewer.Claims.Country), ASN: r.place.ASN, Address: r.viewer.Address, Dwell: r.ch.dwell,
	}
	if r.shared() {
		r.order = steering.Choose(&v, r.state, r.now)
		r.firstOfAddress()
	} else {
		r.chooseForOne(&v)
	}
	if r.order.N == 0 {
		r.traceChoice()
		r.refuse(403, "no CDN may serve this viewer here")
		return false
	}
	if r.viewer.Bound.IsValid() && !r.leaveOutUnbound() {
		return false
	}
	r.traceChoice()
	if first := r.order.First(); !r.shared() && r.imagined == nil && (!v.HasPrev || v.Prev != first) {
		r.snap.memory.remember(v.Session, first, r.now)
	}
	return true
}

// chooseForOne is the choice for one viewer, who stays where they were sent
// lately.
func (r *request) chooseForOne(v *steering.Viewer) {
	v.Prev, v.Since, v.HasPrev = r.snap.memory.recall(v.Session, r.now)
	r.order = steering.Choose(v, r.state, r.now)
}

// leaveOutUnbound takes the CDNs out of the order whose tokens cannot be bound
// to the viewer's address.
func (r *request) leaveOutUnbound() bool {
	r.order.Keep(func(i int) bool {
		m := r.ch.cdns[i].base(r.ex.TLS).minter
		if m == nil {
			return true
		}
		_, err := r.ch.access.CDNScope(&r.viewer, m, r.viewer.Scope, r.now)
		return err == nil
	})
	if r.order.N == 0 {
		r.refuse(403, access.ErrUnbound.Error())
		return false
	}
	return true
}
