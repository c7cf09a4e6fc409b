package explain

import (
	"strconv"
	"time"
)

// Trace is what was decided for one request, and why. The zero Trace is
// ready; nil is off.
type Trace struct {
	// Entries are in the order of the stages.
	Entries []Entry `json:"entries"`
}

// Entry is one decision.
type Entry struct {
	Stage  Stage  `json:"stage"`
	Reason Reason `json:"reason"`
	// Subject is what was decided on: a channel, a pathway, a profile.
	Subject string `json:"subject,omitempty"`
	// Why is the reason in words.
	Why string `json:"why"`
	// Facts are what it was decided by.
	Facts []Fact `json:"facts,omitempty"`
}

// Fact is a named value.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// add records a decision; empty facts are left out.
func (t *Trace) add(s Stage, r Reason, subject string, facts ...Fact) {
	kept := facts[:0]
	for _, f := range facts {
		if f.Value != "" {
			kept = append(kept, Fact{f.Name, clone(f.Value)})
		}
	}
	t.Entries = append(t.Entries, Entry{s, r, clone(subject), r.Text(), kept})
}

// clone copies s: the strings of a request live no longer than the request.
func clone(s string) string { return string(append([]byte(nil), s...)) }

// Listen records how the request came.
func (t *Trace) Listen(r Reason, protocol, method, host, path, remote string) {
	if t == nil {
		return
	}
	t.add(Listen, r, protocol, Fact{"method", method}, Fact{"host", host}, Fact{"path", path}, Fact{"address", remote})
}

// Route records the channel, its prefix, and the rest of the path.
func (t *Trace) Route(r Reason, channel, prefix, rest string) {
	if t == nil {
		return
	}
	t.add(Route, r, channel, Fact{"prefix", prefix}, Fact{"rest", rest})
}

// Access records who the viewer is: the session's id, where the viewer was
// found to be, and when the right ends.
func (t *Trace) Access(r Reason, session, country, tier string, expires time.Time) {
	if t == nil {
		return
	}
	until := ""
	if !expires.IsZero() {
		until = expires.UTC().Format(time.RFC3339)
	}
	t.add(Access, r, session, Fact{"country", country}, Fact{"tier", tier}, Fact{"expires", until})
}

// Tier records what the viewer is offered, and the name that the token gave.
func (t *Trace) Tier(r Reason, tier, claimed string) {
	if t == nil {
		return
	}
	if claimed == tier {
		claimed = ""
	}
	t.add(Access, r, tier, Fact{"claimed", claimed})
}

// Cohort records the viewer's audience group, and what the address calls it.
func (t *Trace) Cohort(r Reason, cohort, named string) {
	if t == nil {
		return
	}
	if named == cohort {
		named = ""
	}
	t.add(Access, r, cohort, Fact{"named", named})
}

// Refused records that access was refused, and the words that the viewer got.
func (t *Trace) Refused(status int, text string) {
	if t == nil {
		return
	}
	t.add(Access, AccessRefused, "", Fact{"status", strconv.Itoa(status)}, Fact{"answer", text})
}

// Device records the profile.
func (t *Trace) Device(r Reason, profile, userAgent string) {
	if t == nil {
		return
	}
	t.add(Device, r, profile, Fact{"user-agent", userAgent})
}

// Pathway records the place of one pathway in the viewer's order; rank begins
// at 1, 0 is left out of it.
func (t *Trace) Pathway(rank int, id string, r Reason, weight, score float64, detail string) {
	if t == nil {
		return
	}
	place := "not offered"
	if rank > 0 {
		place = strconv.Itoa(rank)
	}
	t.add(Choose, r, id, Fact{"rank", place}, Fact{"weight", number(weight)}, Fact{"score", number(score)}, Fact{"detail", detail})
}

// Fetch records how the shield answered.
func (t *Trace) Fetch(r Reason, path string, age, ttl time.Duration, detail string) {
	if t == nil {
		return
	}
	t.add(Fetch, r, path, Fact{"age", span(age)}, Fact{"fresh for", span(ttl)}, Fact{"detail", detail})
}

// Compile records what the manifest is.
func (t *Trace) Compile(r Reason, kind string, live bool, segments, variants int, detail string) {
	if t == nil {
		return
	}
	state := "finished"
	if live {
		state = "live"
	}
	if r == CompileFailed {
		state = ""
	}
	t.add(Compile, r, kind, Fact{"state", state}, Fact{"segments", count(segments)}, Fact{"variants", count(variants)}, Fact{"detail", detail})
}

// Together records the reference rendition of the presentation that a media
// playlist belongs to, "" where none is known yet, and how many of its
// playlists are known, of how many.
func (t *Trace) Together(reference string, known, all int) {
	if t == nil {
		return
	}
	t.add(Compile, CompileTogether, reference, Fact{"known", strconv.Itoa(known)}, Fact{"of", strconv.Itoa(all)})
}

// Plan records a decision about the shape.
func (t *Trace) Plan(r Reason, subject, detail string) {
	if t == nil {
		return
	}
	t.add(Plan, r, subject, Fact{"detail", detail})
}

// Token records a CDN's token: its format, where it stands, what it opens.
func (t *Trace) Token(pathway, format, place, scope string, expires time.Time) {
	if t == nil {
		return
	}
	t.add(Plan, PlanToken, pathway, Fact{"format", format}, Fact{"in", place}, Fact{"opens", scope}, Fact{"expires", expires.UTC().Format(time.RFC3339)})
}

// Render records what was written.
func (t *Trace) Render(r Reason, status, bytes int, detail string) {
	if t == nil {
		return
	}
	t.add(Render, r, strconv.Itoa(status), Fact{"bytes", strconv.Itoa(bytes)}, Fact{"detail", detail})
}

func number(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.Round(100 * time.Millisecond).String()
}
