package finding

import (
	"fmt"
	"slices"
	"strings"
)

// Severity orders findings: only violations fail a run.
type Severity uint8

const (
	// Violation breaks a clause that says must, or a promise of the stream's own.
	Violation Severity = iota
	// Warning breaks a clause that says should, or will stop some players.
	Warning
	// Note is worth knowing and nothing is wrong.
	Note
)

func (s Severity) String() string {
	switch s {
	case Violation:
		return "violation"
	case Warning:
		return "warning"
	}
	return "note"
}

// ID names a rule; it is stable and may be used in scripts and --known.
type ID string

// Rule is one thing that can be wrong.
type Rule struct {
	ID       ID
	Severity Severity
	// Title is what is wrong, in the words of an engineer on call.
	Title string
	// Clause is the specification it stands on.
	Clause string
	// Cure is what to do about it.
	Cure string
	// Causes are the rules this one may be a consequence of, and Wide says
	// that they need not be about the same place.
	Causes []ID
	Wide   bool
}

var byID = func() map[ID]*Rule {
	m := map[ID]*Rule{}
	for _, list := range [][]Rule{transportRules, hlsRules, hlsLiveRules, lowLatencyRules, dashRules, dashLiveRules, mediaRules, steeringRules} {
		for i := range list {
			r := &list[i]
			if _, dup := m[r.ID]; dup {
				panic("two rules are called " + r.ID)
			}
			// One MPD has all of a presentation: what is wrong in one place of it
			// shows in others.
			r.Wide = r.Wide || strings.HasPrefix(string(r.ID), "dash-")
			m[r.ID] = r
		}
	}
	return m
}()

// Of finds a rule. It panics on an id that is not in the list, which is a
// mistake of the program.
func Of(id ID) *Rule {
	r, ok := byID[id]
	if !ok {
		panic(fmt.Sprintf("there is no rule %q", id))
	}
	return r
}

// Exists tells whether there is such a rule.
func Exists(id ID) bool { _, ok := byID[id]; return ok }

// Rules lists all, sorted by id.
func Rules() []*Rule {
	out := make([]*Rule, 0, len(byID))
	for _, r := range byID {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Rule) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// closure has, for each rule, all it may follow from, directly or over others.
var closure = func() map[ID]map[ID]bool {
	m := map[ID]map[ID]bool{}
	for id := range byID {
		all := map[ID]bool{}
		var visit func(ID)
		visit = func(at ID) {
			for _, cause := range Of(at).Causes {
				if !all[cause] {
					all[cause] = true
					visit(cause)
				}
			}
		}
		visit(id)
		m[id] = all
	}
	return m
}()

// follows tells whether r may be a consequence of cause, perhaps over others.
func (r *Rule) follows(cause ID) bool { return closure[r.ID][cause] }
