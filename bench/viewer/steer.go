package viewer

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"manifold/bench/read"
)

// steering is how a player polls (draft-pantos-content-steering, ETSI TS 103
// 998), with the habits of its profile.
type steering struct {
	on, dash bool
	dead     bool
	before   bool // nothing is fetched until the first answer
	heard    bool // there was an answer
	retried  bool
	origin   *url.URL // the manifest's server
	at       *url.URL
	id       uint32
	due      time.Time
	ttl      time.Duration
	priority []string
}

const usualTTL = 300 * time.Second

func (s *steering) begin(does bool, server string, at *url.URL, dash bool, now time.Time) {
	u, err := at.Parse(server)
	if !does || err != nil || server == "" {
		return
	}
	s.on, s.dash, s.origin, s.at, s.due = true, dash, u, u, now
}

// holds tells that playback waits for the first answer.
func (s *steering) holds() bool { return s.before }

// period is the last TTL.
func (s *steering) period() time.Duration {
	if s.ttl > 0 {
		return s.ttl
	}
	return usualTTL
}

// poll asks when it is time.
func (v *Viewer) poll(now time.Time) {
	s := &v.steer
	if !s.on || s.dead || s.id != 0 || !v.due(now, s.due) {
		return
	}
	u := *s.at
	q := u.RawQuery
	prefix := "_HLS_"
	pathway := v.Pathway()
	if s.dash {
		prefix, pathway = "_DASH_", `"`+pathway+`"`
	}
	if q != "" {
		q += "&"
	}
	q += prefix + "pathway=" + url.QueryEscape(pathway)
	if v.est.known() {
		q += "&" + prefix + "throughput=" + strconv.FormatInt(int64(v.est.throughput()), 10)
	}
	u.RawQuery = q
	v.out.Polls++
	s.id = v.send(Request{Kind: Steering, URL: u.String(), Every: s.ttl})
}

// steered takes an answer.
func (v *Viewer) steered(now time.Time, a *Answer) {
	s, p := &v.steer, v.cfg.Profile
	s.before = false
	if doc, ok := a.Doc.(*read.SteeringAnswer); ok && a.OK() {
		s.retried = false
		v.obey(now, doc, a.URL)
		return
	}
	v.out.Errors++
	s.due = now.Add(s.period())
	switch {
	case a.Status == http.StatusTooManyRequests && p.Dead429:
		s.dead = true
	case a.Status == http.StatusTooManyRequests && p.Wait429:
		if a.RetryAfter > 0 {
			s.due = now.Add(a.RetryAfter)
		}
	case a.Status == http.StatusGone && p.Stop410, a.Status == http.StatusNotFound && p.Stop404:
		s.dead = true
	case a.OK(): // an answer that cannot be read is none
		s.dead = p.NeedsTTL && s.ttl == 0
	case p.NeedsTTL && s.ttl == 0:
		s.dead = true
	case p.Retry5xx && !s.retried:
		s.retried = true
		s.due = now.Add(p.Retry)
		return
	}
	s.retried = false
	v.out.Deaf = s.dead
}

func (v *Viewer) obey(now time.Time, doc *read.SteeringAnswer, at *url.URL) {
	s, p := &v.steer, v.cfg.Profile
	if doc.Version.String() != "1" {
		s.dead, v.out.Deaf = true, true
		return
	}
	s.ttl = usualTTL
	if n, err := doc.TTL.Int64(); err == nil && n > 0 && n < 1<<31 {
		s.ttl = time.Duration(n) * time.Second
	}
	s.due = now.Add(s.ttl)
	switch {
	case doc.ReloadURI == nil && p.ReloadFromList:
		s.at = s.origin
	case doc.ReloadURI == nil:
	case p.DeadRelative && !strings.Contains(*doc.ReloadURI, "://"):
		s.dead, v.out.Deaf = true, true
	default:
		if u, err := at.Parse(*doc.ReloadURI); err == nil {
			s.at = u
		}
	}
	s.heard, s.priority = true, doc.Priority
	for _, name := range doc.Priority {
		i := slices.Index(v.pathways, name)
		if i < 0 || now.Before(v.barred[i]) {
			continue
		}
		if i != v.pathway {
			v.out.Steered++
			v.move(i)
		}
		return
	}
}
