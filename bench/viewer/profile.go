package viewer

import "time"

// Profile is how a kind of player behaves.
type Profile struct {
	Name string
	// HLS and DASH tell which formats it is steered in.
	HLSSteering, DASHSteering bool

	// Goal is how much it buffers ahead. Where Bytes is not 0 the goal is as
	// long as Bytes of the quality last, but at least Goal and at most Most.
	Goal, Most time.Duration
	Bytes      int64
	// Resume is how much must be buffered to begin and to go on after the
	// buffer ran dry; one segment of each track is always needed.
	Resume time.Duration
	// Element tells that it plays in Chromium's media element, which after each
	// time it ran dry wants twice as much before it goes on, up to 3 s.
	Element bool
	// Show is from when there is enough to begin to the first picture, Turn from
	// the choice of another quality to the request for it, Pause from one segment
	// to the request for the next.
	Show, Turn, Pause time.Duration
	// LiveSegments is how many target durations from the live edge it begins
	// where the stream does not say; LiveDelay where it is a time instead.
	LiveSegments float64
	LiveDelay    time.Duration
	ABR          string // the name of its rate adaptation

	// What ends its steering, and what does not.
	Dead429        bool // 429: no steering for the rest of the session
	Wait429        bool // 429: Retry-After is kept
	Stop404        bool // 404 ends it
	Stop410        bool // 410 ends it
	Retry5xx       bool // 5xx: once more at once, then after the last TTL
	NeedsTTL       bool // 5xx before there ever was a TTL ends it
	DeadRelative   bool // a relative RELOAD-URI ends it
	ReloadFromList bool // no RELOAD-URI: back to the manifest's, else the last one is kept
	OnlyListed     bool // what the answer does not list is not used even when the rest fails

	// Busy, Gone and Refused are how long a pathway may fail with 5xx (or 429,
	// or no answer in time), with another 4xx, and without a connection, before
	// it is left. Penalty is for how long it is not used then; 0: the TTL.
	Busy, Gone, Refused, Penalty time.Duration
	// GiveUp is how long it goes on where no pathway is left; negative: for ever.
	GiveUp time.Duration
	// Retry is how long it waits to try again, doubled up to RetryMost.
	Retry, RetryMost time.Duration
}

// Profiles are the players that are modelled. The steering rows, Busy for
// hls.js and dash.js, the penalties, hls.js' Show, Turn and Pause, and Chromium's wish
// for more after each stall were observed; buffer goals and rate
// adaptation are the players' published defaults; the rest (GiveUp, Retry, Show, all
// of the conservative player) is assumed.
var Profiles = []*Profile{
	{
		Name: "hlsjs", HLSSteering: true,
		Goal: 30 * time.Second, Most: 600 * time.Second, Bytes: 60_000_000, LiveSegments: 3, ABR: "throughput",
		Element: true, Show: 200 * time.Millisecond, Turn: 100 * time.Millisecond, Pause: 13 * time.Millisecond,
		Dead429: true, Stop410: true, Retry5xx: true, OnlyListed: true,
		Busy: 13600 * time.Millisecond, Penalty: 300 * time.Second, GiveUp: 20 * time.Second, Retry: time.Second, RetryMost: 8 * time.Second,
	},
	{
		Name: "dashjs", DASHSteering: true,
		Goal: 18 * time.Second, LiveSegments: 4, ABR: "bola", Element: true, Show: 200 * time.Millisecond,
		Wait429: true, Stop404: true, Stop410: true, NeedsTTL: true, ReloadFromList: true,
		Busy: 1500 * time.Millisecond, Gone: 1500 * time.Millisecond, GiveUp: 30 * time.Second, Retry: 500 * time.Millisecond, RetryMost: time.Second,
	},
	{
		Name: "shaka", HLSSteering: true, DASHSteering: true,
		Goal: 10 * time.Second, LiveSegments: 3, ABR: "throughput", Element: true, Show: 200 * time.Millisecond,
		Retry5xx: true, DeadRelative: true,
		Penalty: 60 * time.Second, GiveUp: -1, Retry: time.Second, RetryMost: 8 * time.Second,
	},
	{
		Name: "conservative",
		Goal: 20 * time.Second, Resume: 2 * time.Second, LiveSegments: 3, ABR: "throughput", Show: 200 * time.Millisecond,
		Busy: 5 * time.Second, Gone: 2 * time.Second, Refused: 2 * time.Second, Penalty: 60 * time.Second, GiveUp: 30 * time.Second, Retry: time.Second, RetryMost: 4 * time.Second,
	},
}

// ProfileNamed finds a profile, or gives nil.
func ProfileNamed(name string) *Profile {
	for _, p := range Profiles {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// resume is how much must be buffered after so many times of having run dry.
func (p *Profile) resume(stalls int) time.Duration {
	if !p.Element || stalls == 0 {
		return p.Resume
	}
	return max(p.Resume, min(200*time.Millisecond<<min(stalls, 8), 3*time.Second))
}

// goal is how much to buffer of a quality of so many bits a second.
func (p *Profile) goal(bits float64) time.Duration {
	if p.Bytes == 0 || bits <= 0 {
		return p.Goal
	}
	return min(max(time.Duration(float64(p.Bytes)*8/bits*float64(time.Second)), p.Goal), p.Most)
}

// Names are the profiles' names.
func Names() []string {
	var out []string
	for _, p := range Profiles {
		out = append(out, p.Name)
	}
	return out
}
