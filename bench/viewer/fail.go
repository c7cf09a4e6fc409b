package viewer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"
)

// reason is why an answer is none, for the report.
func reason(a *Answer) string {
	switch {
	case a.Status >= 400:
		return fmt.Sprintf("status %d", a.Status)
	case a.Err != nil:
		return a.Err.Error()
	}
	return fmt.Sprintf("status %d without what was asked for", a.Status)
}

// patience is how long a pathway may fail like this.
func (p *Profile) patience(a *Answer) time.Duration {
	var slow net.Error
	switch {
	case a.Status == 429 || a.Status == 408 || a.Status >= 500:
		return p.Busy
	case a.Status >= 400:
		return p.Gone
	case a.Status != 0 || errors.Is(a.Err, os.ErrDeadlineExceeded) || errors.As(a.Err, &slow) && slow.Timeout():
		return p.Busy
	}
	return p.Refused
}

// failed is what a player does when a segment or playlist does not come: try
// again, leave the pathway, or give up. fails is since when.
func (v *Viewer) failed(now time.Time, t *track, fails *time.Time, a *Answer, what string) {
	v.out.Errors++
	p := v.cfg.Profile
	if fails.IsZero() {
		*fails = a.Begin
	}
	since := now.Sub(*fails)
	if since >= p.patience(a) && v.flee(now) {
		return
	}
	if p.GiveUp >= 0 && since >= p.GiveUp && v.refuge(now) < 0 {
		v.finish(now, Failed, fmt.Sprintf("%s: %s", what, reason(a)))
		return
	}
	t.retry = backoff(t.retry, p)
	t.retryAt = now.Add(t.retry)
	if left := p.patience(a) - since; left > 0 && left < t.retry && v.refuge(now) >= 0 {
		t.retryAt = now.Add(left)
	}
}

// refuge is the pathway to flee to, or -1.
func (v *Viewer) refuge(now time.Time) int {
	var order []string
	if v.steer.heard {
		order = append(order, v.steer.priority...)
	}
	if !v.steer.heard || !v.cfg.Profile.OnlyListed {
		order = append(order, v.pathways...)
	}
	for _, name := range order {
		if i := slices.Index(v.pathways, name); i >= 0 && i != v.pathway && !now.Before(v.barred[i]) {
			return i
		}
	}
	return -1
}

// flee leaves the pathway for another.
func (v *Viewer) flee(now time.Time) bool {
	to := v.refuge(now)
	if to < 0 {
		return false
	}
	penalty := v.cfg.Profile.Penalty
	if penalty == 0 {
		penalty = v.steer.period()
	}
	v.barred[v.pathway] = now.Add(penalty)
	v.move(to)
	return true
}

// move changes the pathway: what is buffered stays, what failed is forgotten.
func (v *Viewer) move(to int) {
	if to == v.pathway {
		return
	}
	v.out.Moves++
	v.pathway = to
	for _, t := range v.tracks {
		t.mediaFails, t.listFails, t.retryAt, t.retry = time.Time{}, time.Time{}, time.Time{}, 0
	}
}
