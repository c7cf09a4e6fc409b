package proxy

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"manifold/device"
	"manifold/explain"
	"manifold/internal/problem"
	"manifold/manifest"
	"manifold/proxy/access"
	"manifold/session"
	"manifold/steering"
)

// CohortConfig is one named audience group of a channel. Of each list that is
// not empty, one must hold; a viewer is in the first cohort that fits.
type CohortConfig struct {
	// Name is [A-Za-z0-9._-]+; it stands in addresses of channels without
	// sessions.
	Name string
	// MatchConfig is where its viewers are.
	MatchConfig
	// Tiers and Devices are names of tiers and of device profiles.
	Tiers, Devices []string
	// Tier is what its viewers are offered whose token names none; empty: the
	// channel's default.
	Tier string
}

// everyone is the cohort of those who are in no other, where there are no
// sessions.
const everyone = "all"

// cohort is a CohortConfig in use.
type cohort struct {
	name    string
	text    []byte // what stands after "~" in its addresses
	id      session.Name
	match   steering.Match
	tiers   []int
	devices []*device.Profile
	tier    int // an index of the channel's tiers, or noTier
	// shared is what all of its devices can do, and viewer what is known of
	// all its viewers: what answers are made for that all of them may get.
	shared *device.Profile
	viewer steering.Viewer
}

// noCohort is the index of no cohort.
const noCohort = -1

func (c *ChannelConfig) validateCohorts(l *problem.List, devices *device.Table) {
	names := make([]string, 0, len(c.Cohorts))
	for i := range c.Cohorts {
		k := &c.Cohorts[i]
		at := problem.At("cohorts", i)
		checkName(l, at+".name", "cohort", k.Name, names)
		names = append(names, k.Name)
		if _, err := k.match(); err != nil {
			l.Add(at, "%v", err)
		}
		for j, name := range k.Tiers {
			c.checkTier(l, problem.At(at+".tiers", j), name)
		}
		if k.Tier != "" {
			c.checkTier(l, at+".tier", k.Tier)
		}
		for j, name := range k.Devices {
			if devices != nil && devices.ByName(name) == nil {
				l.AddHint(problem.At(at+".devices", j), "name a shipped profile, as in hlsjs or tizen, or one under devices", "there is no device profile %q", name)
			}
		}
		if c.NoSessions && k.Name == everyone && k.conditional() {
			l.AddHint(at+".name", "give it another name", "%q is the cohort of those who are in no other: it has no conditions", everyone)
		}
	}
	if err := session.Distinct(names...); err != nil {
		l.Add("cohorts", "%v", err)
	}
	if c.NoSessions && c.Access.Token != "" && c.Access.Token != "none" {
		l.AddHint("sessions", "write sessions: signed, or access: {token: none}", "without sessions there is nothing that carries a viewer's right: everybody may watch")
	}
}

func (c *CohortConfig) conditional() bool {
	return len(c.Countries)+len(c.ASNs)+len(c.Addresses)+len(c.Tiers)+len(c.Devices) > 0
}

// newCohorts makes the cohorts of a valid configuration. A channel without
// sessions has one for everybody.
func (ch *channel) newCohorts(c *ChannelConfig, devices *device.Table) {
	list := slices.Clone(c.Cohorts)
	if c.NoSessions { // wherever it stands, it comes last
		last := CohortConfig{Name: everyone}
		list = slices.DeleteFunc(list, func(k CohortConfig) bool {
			if k.Name == everyone {
				last = k
			}
			return k.Name == everyone
		})
		list = append(list, last)
	}
	ch.noSessions = c.NoSessions
	for _, k := range list {
		made := cohort{name: k.Name, text: []byte("c." + k.Name), id: session.NameOf(k.Name), tier: noTier, viewer: k.viewer()}
		made.match, _ = k.match()
		for _, name := range k.Tiers {
			made.tiers = append(made.tiers, ch.tierOf(session.NameOf(name)))
		}
		for _, name := range k.Devices {
			if p := devices.ByName(name); p != nil {
				made.devices = append(made.devices, p)
			}
		}
		if k.Tier != "" {
			made.tier = ch.tierOf(session.NameOf(k.Tier))
		}
		made.shared = device.Common(made.devices...)
		if made.shared == nil {
			made.shared = devices.ByName(device.Conservative)
		}
		ch.cohorts = append(ch.cohorts, made)
	}
}

// viewer is what is known of everybody in the cohort.
func (c *CohortConfig) viewer() (v steering.Viewer) {
	v.Session = xxhash.Sum64String(c.Name)
	if len(c.Countries) == 1 {
		v.Country, _ = steering.CountryOf(c.Countries[0])
	}
	if len(c.ASNs) == 1 {
		v.ASN = c.ASNs[0]
	}
	return v
}

// cohortOf finds a cohort by what a session address says of it.
func (ch *channel) cohortOf(id session.Name) int {
	for i := range ch.cohorts {
		if ch.cohorts[i].id == id {
			return i
		}
	}
	return noCohort
}

// cohortNamed finds the cohort of an address. One that a reload has taken away
// is everybody's: its viewers go on.
func (ch *channel) cohortNamed(name string) (i int, why explain.Reason) {
	last := noCohort
	for i := range ch.cohorts {
		switch ch.cohorts[i].name {
		case name:
			return i, explain.AccessCohortAddress
		case everyone:
			last = i
		}
	}
	return last, explain.AccessCohortGone
}

// findCohort finds the viewer's cohort at the entry: the first that fits.
func (r *request) findCohort() {
	r.cohort = noCohort
	if len(r.ch.cohorts) == 0 {
		return
	}
	offer := r.ch.tierOf(r.viewer.Claims.Tier)
	if offer == noTier {
		offer = r.ch.defaultTier
	}
	v := steering.Viewer{Country: r.place.Country, ASN: r.place.ASN, Address: r.viewer.Address}
	for i := range r.ch.cohorts {
		c := &r.ch.cohorts[i]
		if !c.match.Holds(&v) || len(c.tiers) > 0 && !slices.Contains(c.tiers, offer) ||
			len(c.devices) > 0 && !slices.Contains(c.devices, r.device) {
			continue
		}
		r.cohort, r.cohortWhy = i, explain.AccessCohort
		break
	}
	if r.cohort != noCohort {
		r.viewer.Claims.Cohort = r.ch.cohorts[r.cohort].id
	}
}

// shared tells whether the answer is the same bytes for all who ask for it: it
// may depend on nothing but the address and the moment.
func (r *request) shared() bool { return r.addr.Cohort != "" && r.asked != steeringAnswer }

// atEntry tells whether the address is the operator's own.
func (r *request) atEntry() bool { return r.addr.Session == "" && r.addr.Cohort == "" }

// meet makes the viewer of a cohort address: whoever asks for a manifest is
// answered as everybody in the cohort is; steering answers are for one.
func (r *request) meet(about *access.Request) (err error) {
	r.cohort, r.cohortWhy = r.ch.cohortNamed(r.addr.Cohort)
	c := &r.ch.cohorts[r.cohort]
	r.device, r.session = c.shared, c.text
	if r.asked == steeringAnswer {
		r.place = r.locate()
		err = r.ch.access.Enter(&r.viewer, anyone, about)
		r.viewer.Claims.Country = session.Country(r.place.Country)
		return err
	}
	binary.BigEndian.PutUint64(r.viewer.Claims.ID[:], c.viewer.Session^xxhash.Sum64String(r.addr.Pathway))
	r.viewer.Claims.Country = session.Country(c.viewer.Country)
	r.place.Country, r.place.ASN = c.viewer.Country, c.viewer.ASN
	return nil
}

// anyone is the grant of whom a channel does not ask who they are.
var anyone = &access.Grant{}

// firstOfAddress puts the pathway that a cohort's address names first: viewers
// were split at the entry, where it was known whom each CDN may serve. While
// that CDN is not to be used, the cohort's own order holds.
func (r *request) firstOfAddress() {
	i := r.ch.pathway(r.addr.Pathway)
	if i < 0 || r.order.N > 0 && !r.state.Conditions[i].Usable(r.now) {
		return
	}
	o := steering.Order{N: 1}
	o.Index[0], o.Reason[0] = uint8(i), steering.ByStay
	for k := range r.order.N {
		if j := int(r.order.Index[k]); j != i {
			o.Index[o.N], o.Reason[o.N], o.Score[o.N] = uint8(j), r.order.Reason[k], r.order.Score[k]
			o.N++
		}
	}
	r.order, r.addressed = o, true
}

// cohortText is what stands in addresses in the place of a session, or "".
func (r *request) cohortText() string {
	if !r.ch.noSessions || r.addr.Session != "" {
		return ""
	}
	return r.ch.cohorts[r.cohort].name
}

// cacheControl says who may keep the answer, and for how long. What names a
// session, or was made for one viewer, is nobody else's. What a cohort shares
// may be kept for half a target duration, and no longer than it is fresh here.
func (r *request) cacheControl(x *manifest.Index) string {
	switch {
	case r.shared():
		most := int64(x.Target.Milliseconds() / 2000)
		if x.Target == 0 && !x.Live {
			most = 1 // a multivariant playlist does not say whether its streams are live
		}
		return r.publicFor(min(most, max(int64(r.fresh.Seconds()), 1)))
	case x.Live:
		return "private, no-store"
	}
	return "private, max-age=30"
}

// publicFor writes a lifetime in seconds.
func (r *request) publicFor(seconds int64) string {
	ex := r.ex
	from := len(ex.Text)
	ex.Text = append(ex.Text, "public, max-age="...)
	ex.Text = strconv.AppendInt(ex.Text, seconds, 10)
	return ex.Piece(from)
}
