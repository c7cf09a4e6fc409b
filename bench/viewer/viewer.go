package viewer

import (
	"math/rand/v2"
	"net/url"
	"time"

	"manifold/bench/glance"
)

// Config is one viewer.
type Config struct {
	// ID is its number, and with Seed where its randomness comes from.
	ID   int
	Seed uint64
	// URL is the address that it is given.
	URL     string
	Profile *Profile
	// ABR is how it chooses its quality; nil is the profile's way.
	ABR ABR
	// Estimate is the throughput in bits/s it believes in before it has
	// measured any; 0 means 500,000.
	Estimate float64
	// Stay is how long the person stays; 0: to the end.
	Stay time.Duration
	// Seek is after how much time, on average, the person goes elsewhere in the
	// programme (VOD, and inside the window of live); 0: never.
	Seek time.Duration
	// Media tells that segments need their addresses, because they are fetched.
	Media bool
}

// Viewer is one player with its person.
type Viewer struct {
	cfg  Config
	port Port
	rng  *rand.Rand
	out  Outcome

	ids   uint32
	began time.Time
	next  time.Time

	entry   pending
	entryAt *url.URL // what answered
	mpd     *glance.MPD
	hls     *ladder
	levels  []level
	first   int // the level that the manifest lists first
	tracks  []*track

	pathways []string
	pathway  int
	barred   []time.Time // until when each pathway is not used
	steer    steering

	// The media clock: pos was right at posAt; it runs while Playing.
	pos       time.Duration
	posAt     time.Time
	placed    bool // pos has a meaning
	since     time.Time
	showAt    time.Time // the first picture is being made ready
	est       estimate
	listTook  time.Duration
	zero      time.Time // the date of position 0, where playlists have dates
	leaveAt   time.Time
	seekAt    time.Time
	updateAt  time.Time // DASH: when to reload
	updateID  uint32
	updateWas time.Time
}

// pending is a request that is repeated until it succeeds.
type pending struct {
	id      uint32
	at      time.Time // when to try again
	wait    time.Duration
	failing time.Time
}

// level is a quality; for HLS with an address for each pathway.
type level struct {
	peak, average float64
}

// New makes a viewer that acts through port.
func New(cfg Config, port Port) *Viewer {
	if cfg.Estimate == 0 {
		cfg.Estimate = 500_000
	}
	if cfg.ABR == nil {
		cfg.ABR, _ = NewABR(cfg.Profile.ABR) // a test makes all profiles' own
	}
	return &Viewer{
		cfg: cfg, port: port, est: newEstimate(cfg.Estimate), out: Outcome{Startup: -1},
		rng: rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.ID)+1)),
	}
}

// Config is what it was made of.
func (v *Viewer) Config() *Config { return &v.cfg }

// Outcome is what it got so far.
func (v *Viewer) Outcome() *Outcome { return &v.out }

// Next is when it wants to be woken; zero: only by an answer.
func (v *Viewer) Next() time.Time { return v.next }

// Pathway is the one it is on, empty where it does not know.
func (v *Viewer) Pathway() string {
	if len(v.pathways) == 0 {
		return ""
	}
	return v.pathways[v.pathway]
}

// Start begins.
func (v *Viewer) Start(now time.Time) {
	v.began, v.since, v.posAt = now, now, now
	if v.cfg.Stay > 0 {
		v.leaveAt = now.Add(v.cfg.Stay)
	}
	v.drawSeek(now)
	v.step(now)
}

// Wake tells that the time has come that Next gave.
func (v *Viewer) Wake(now time.Time) { v.step(now) }

// Leave ends it from outside.
func (v *Viewer) Leave(now time.Time) {
	v.advance(now)
	v.finish(now, Left, "")
}

func (v *Viewer) finish(now time.Time, s State, why string) {
	if v.out.State.Over() {
		return
	}
	v.account(now)
	for _, t := range v.tracks {
		v.cancel(&t.media)
		v.cancel(&t.init)
		v.cancel(&t.list)
	}
	v.cancel(&v.entry.id)
	v.cancel(&v.updateID)
	v.cancel(&v.steer.id)
	v.out.State, v.out.Why, v.next = s, why, time.Time{}
}

func (v *Viewer) cancel(id *uint32) {
	if *id != 0 {
		v.port.Cancel(v, *id)
		*id = 0
	}
}

// send sends a request and gives its id.
func (v *Viewer) send(r Request) uint32 {
	v.ids++
	r.ID = v.ids
	v.port.Send(v, r)
	return r.ID
}

// Answer tells what came of a request.
func (v *Viewer) Answer(now time.Time, a *Answer) {
	if v.out.State.Over() || a.ID == 0 {
		return
	}
	v.advance(now)
	switch a.ID {
	case v.entry.id:
		v.entry.id = 0
		v.opened(now, a)
	case v.updateID:
		v.updateID = 0
		v.updated(now, a)
	case v.steer.id:
		v.steer.id = 0
		v.steered(now, a)
	default:
		for _, t := range v.tracks {
			switch a.ID {
			case t.list:
				t.list = 0
				v.listed(now, t, a)
			case t.media:
				t.media = 0
				v.loaded(now, t, a)
			case t.init:
				t.init = 0
				v.initialised(now, t, a)
			}
		}
	}
	v.step(now)
}

// step does what is due, and says when the next thing is.
func (v *Viewer) step(now time.Time) {
	v.advance(now)
	if v.out.State.Over() {
		return
	}
	if !v.leaveAt.IsZero() && !now.Before(v.leaveAt) {
		v.finish(now, Left, "")
		return
	}
	v.next = v.leaveAt
	if v.mpd == nil && v.hls == nil {
		if v.entry.id == 0 && v.due(now, v.entry.at) {
			v.entry.id = v.send(Request{Kind: Entry, URL: v.cfg.URL})
		}
		return
	}
	v.poll(now)
	if v.steer.holds() {
		return
	}
	v.seek(now)
	v.update(now)
	for _, t := range v.tracks {
		if v.feed(now, t); v.out.State.Over() {
			return
		}
	}
	v.play(now)
}

// due tells whether a time has come (zero: it has), and else sees to it that
// the viewer is woken then.
func (v *Viewer) due(now, at time.Time) bool {
	if !now.Before(at) {
		return true
	}
	v.wakeAt(at)
	return false
}

func (v *Viewer) wakeAt(at time.Time) {
	if v.next.IsZero() || at.Before(v.next) {
		v.next = at
	}
}

// opened takes what the entry address gave.
func (v *Viewer) opened(now time.Time, a *Answer) {
	if !a.OK() || a.Doc == nil {
		v.out.Errors++
		if v.entry.failing.IsZero() {
			v.entry.failing = a.Begin
		}
		p := v.cfg.Profile
		if p.GiveUp >= 0 && now.Sub(v.entry.failing) >= p.GiveUp {
			v.finish(now, Failed, "cannot open the presentation: "+reason(a))
			return
		}
		v.entry.wait = backoff(v.entry.wait, p)
		v.entry.at = now.Add(v.entry.wait)
		return
	}
	v.entryAt = a.URL
	v.take(now, a)
}

// backoff is how long to wait before the next try.
func backoff(last time.Duration, p *Profile) time.Duration {
	if last == 0 {
		return p.Retry
	}
	return min(2*last, p.RetryMost)
}
