package viewer

import (
	"math"
	"time"
)

// least is a buffer that is as good as none: the media element shows nothing
// of it.
const least = 50 * time.Millisecond

// ahead is how much media lies before the picture, in the shortest track.
func (v *Viewer) ahead() time.Duration {
	if !v.placed || len(v.tracks) == 0 {
		return 0
	}
	least := time.Duration(math.MaxInt64)
	for _, t := range v.tracks {
		if !t.done {
			least = min(least, t.end-v.pos)
		}
	}
	if least == math.MaxInt64 { // all are there to their ends
		least = v.last() - v.pos
	}
	return max(least, 0)
}

// last is where the longest track ends.
func (v *Viewer) last() time.Duration {
	end := time.Duration(0)
	for _, t := range v.tracks {
		end = max(end, t.end)
	}
	return end
}

func (v *Viewer) complete() bool {
	for _, t := range v.tracks {
		if !t.done {
			return false
		}
	}
	return len(v.tracks) > 0
}

// advance lets the picture run until now, or until the buffer is dry.
func (v *Viewer) advance(now time.Time) {
	if v.out.State != Playing || now.Before(v.posAt) {
		return
	}
	run, have := now.Sub(v.posAt), v.ahead()
	if run < have {
		v.pos += run
		v.posAt = now
		v.out.Played += run
		return
	}
	dry := v.posAt.Add(have)
	v.pos += have
	v.out.Played += have
	v.posAt = dry
	if v.complete() {
		v.finish(dry, Ended, "")
		return
	}
	v.out.State, v.since = Stalled, dry
	v.out.Stalls++
}

// account closes the time that is running when a state ends.
func (v *Viewer) account(now time.Time) {
	switch v.out.State {
	case Stalled:
		v.out.Stood += now.Sub(v.since)
	case Seeking:
		v.out.Sought += now.Sub(v.since)
	}
	v.since = now
}

// play begins, or goes on, when there is enough; else it says when the buffer
// will be dry.
func (v *Viewer) play(now time.Time) {
	if v.out.State == Playing {
		v.wakeAt(v.posAt.Add(v.ahead()))
		return
	}
	have := v.ahead()
	if have < least && !v.complete() || have < v.cfg.Profile.resume(v.out.Stalls) && !v.complete() {
		return
	}
	for _, t := range v.tracks {
		if t.end-v.pos < least && !t.done {
			return
		}
	}
	if v.out.State == Starting {
		if v.showAt.IsZero() {
			v.showAt = now.Add(v.cfg.Profile.Show)
		}
		if !v.due(now, v.showAt) {
			return
		}
		v.out.Startup = now.Sub(v.began)
	}
	v.account(now)
	v.out.State, v.posAt = Playing, now
	v.wakeAt(now.Add(have))
}

// place sets the picture to a position, with nothing buffered.
func (v *Viewer) place(now time.Time, pos time.Duration) {
	v.pos, v.posAt, v.placed = pos, now, true
	for _, t := range v.tracks {
		v.cancel(&t.media)
		t.end, t.done, t.gap = pos, false, false
	}
}

// jump goes to the live edge, when what comes next is there no more.
func (v *Viewer) jump(now time.Time) {
	v.out.Jumps++
	if v.out.State == Playing {
		v.out.State, v.since = Stalled, now
		v.out.Stalls++
	}
	v.place(now, v.begin(now))
}

func (v *Viewer) drawSeek(now time.Time) {
	if v.cfg.Seek > 0 {
		v.seekAt = now.Add(time.Duration(v.rng.ExpFloat64() * float64(v.cfg.Seek)))
	}
}

// seek lets the person go elsewhere when they feel like it.
func (v *Viewer) seek(now time.Time) {
	if v.seekAt.IsZero() || !v.due(now, v.seekAt) {
		return
	}
	v.drawSeek(now)
	v.wakeAt(v.seekAt)
	if v.out.State != Playing {
		return // nobody seeks in a picture that is not there
	}
	from, to := v.window(now)
	if to <= from {
		return
	}
	v.out.Seeks++
	v.account(now)
	v.out.State = Seeking
	v.place(now, from+time.Duration(v.rng.Float64()*float64(to-from)))
}
