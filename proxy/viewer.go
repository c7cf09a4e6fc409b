package proxy

import (
	"errors"
	"strings"
	"unsafe"

	"manifold/geo"
	"manifold/proxy/access"
	"manifold/session"
)

// access finds who the viewer is: at the entry by token, in a session by the
// signed address, at the steering server by the session in its URL.
func (r *request) access() bool {
	r.stop = atAccess
	about := &r.about
	about.Path, about.Remote, about.Now = r.addr.Path, r.ex.Remote.Addr(), r.now
	about.UserAgent = r.ex.Header.Get("User-Agent")
	var err error
	switch {
	case r.addr.Cohort != "":
		err = r.meet(about)
	case r.asked == steeringAnswer:
		err = r.ch.access.Steer(&r.viewer, r.addr.Session, about)
		r.session = r.keep(r.addr.Session)
	case r.addr.Session != "":
		err = r.ch.access.Return(&r.viewer, r.addr.Session, about)
		r.session = r.keep(r.addr.Session)
	default:
		err = r.enter(about)
	}
	if err != nil {
		r.viewer = access.Viewer{}
		r.refuseAccess(err)
		return false
	}
	if r.addr.Cohort == "" {
		r.knowDevice(about)
	}
	r.chooseTier()
	if r.trace != nil {
		r.traceViewer(about)
	}
	return true
}

// knowDevice finds where the viewer is and with which player, in a session as
// it was found at the entry; there, the session is made.
func (r *request) knowDevice(about *access.Request) {
	r.place = r.locate()
	if name := rawQueryValue(r.ex.RawQuery, "device"); name != "" || r.addr.Session == "" {
		r.device = r.snap.devices.Match(name, about.UserAgent)
	} else {
		r.device = r.snap.devices.ByID(r.viewer.Claims.Device)
	}
	if r.addr.Session != "" {
		r.cohort = r.ch.cohortOf(r.viewer.Claims.Cohort)
		return
	}
	r.viewer.Claims.Country = session.Country(r.place.Country)
	r.viewer.Claims.Device = r.device.ID
	r.findCohort()
	if r.ch.noSessions {
		r.device, r.session = r.ch.cohorts[r.cohort].shared, r.ch.cohorts[r.cohort].text
		return
	}
	r.makeSession()
}

// makeSession writes the session's text from the claims.
func (r *request) makeSession() {
	from := len(r.text)
	r.text = r.ch.access.AppendAddress(r.text, &r.viewer.Claims)
	r.session = r.text[from:len(r.text):len(r.text)]
}

// locate places the viewer's address, or the imagined viewer where it was put.
func (r *request) locate() geo.Place {
	place := r.p.geo.Find(r.ex.Remote.Addr())
	if r.imagined != nil {
		if c := r.imagined.Country; c != (session.Country{}) {
			place.Country = c
		}
		if r.imagined.ASN != 0 {
			place.ASN = r.imagined.ASN
		}
	}
	return place
}

// enter checks the token shown at the entry.
func (r *request) enter(about *access.Request) (err error) {
	h := r.ex.Header
	if !r.ch.noSessions { // else the steering server could not know it
		about.Player = r.cmcdSession()
	}
	if about.Token, err = r.ch.access.Find(r.ex.RawQuery, h.Get("Authorization"), h.Get("Cookie")); err != nil {
		return err
	}
	if r.imagined != nil && about.Token == "" {
		return r.ch.access.Enter(&r.viewer, &access.Grant{Tier: r.imagined.Tier}, about)
	}
	grant, err := r.ch.access.Check(about)
	if err != nil {
		return err
	}
	return r.ch.access.Enter(&r.viewer, grant, about)
}

// refuseAccess answers what access said.
func (r *request) refuseAccess(err error) {
	var refusal *access.Error
	if !errors.As(err, &refusal) {
		r.p.log.Error("cannot check access", "channel", r.ch.name, "error", err)
		r.refuse(500, "access cannot be checked")
		return
	}
	r.trace.Refused(refusal.Status(), refusal.Error())
	r.refuse(refusal.Status(), refusal.Error())
	if c := refusal.Challenge(); c != "" {
		r.ex.SetField("WWW-Authenticate", c)
	}
}

// cmcdSession finds the session id in CMCD (CTA-5004, sid), which tells the
// players of one viewer apart: in the query, else in the header where players
// send it that way; "" where there is none.
func (r *request) cmcdSession() string {
	raw := rawQueryValue(r.ex.RawQuery, "CMCD")
	if raw == "" {
		return sidOf(r.ex.Header.Get("CMCD-Session"))
	}
	from := len(r.text)
	r.text = appendUnescaped(r.text, raw)
	text := r.text[from:]
	return sidOf(unsafe.String(unsafe.SliceData(text), len(text)))
}

// sidOf gives the value of the key sid, which stands at the beginning or after
// a comma: other keys may end in the same letters.
func sidOf(cmcd string) string {
	for rest := cmcd; ; {
		before, after, ok := strings.Cut(rest, `sid="`)
		if !ok {
			return ""
		}
		if before = strings.TrimRight(before, " "); before == "" && len(rest) == len(cmcd) || strings.HasSuffix(before, ",") {
			sid, _, ok := strings.Cut(after, `"`)
			if !ok {
				return ""
			}
			return sid
		}
		rest = after
	}
}
