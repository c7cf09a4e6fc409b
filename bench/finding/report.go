package finding

import "time"

// Resource is one document that was followed, for the report's table.
type Resource struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Reloads  int    `json:"reloads"`
	Segments int    `json:"segments"`
	Fetched  int    `json:"fetched"`
	// Edge is how far the newest segment ends behind the wall clock, where the
	// document says so.
	Edge *float64 `json:"edge_seconds,omitempty"`
}

// Report is what a watch found.
type Report struct {
	URL, Kind       string
	Began, Ended    time.Time
	Edges           int
	Client          string
	Resources       []Resource
	SegmentsSeen    int
	SegmentsFetched int
	Bytes           int64
	Findings        []*Finding
	// Lost findings were more than a log holds.
	Lost int
	// Facts are further lines worth printing (steering, clocks).
	Facts []string
}

// Fill sets the findings of a report from a log; known maps a rule to the
// reason why its findings are accepted.
func (r *Report) Fill(l *Log, known map[ID]string) {
	list, lost := l.snapshot()
	for _, f := range list {
		f.Known = known[f.Rule.ID]
	}
	r.Findings, r.Lost = tree(list), lost
}

// Failed tells whether there is a violation that is not known, as a root or
// under one that is.
func (r *Report) Failed() bool {
	v, _, _, _ := r.Counts()
	return v > 0 || r.Lost > 0
}

// Counts are the roots by severity, those that are known apart. A violation
// that follows from something milder counts for itself.
func (r *Report) Counts() (violations, warnings, notes, known int) {
	var count func(f *Finding, root bool)
	count = func(f *Finding, root bool) {
		switch {
		case f.Known != "":
			if root {
				known++
			}
			return // and so is what follows from it
		case f.Rule.Severity == Violation:
			violations++
			return // what follows from it is explained by it
		case !root:
		case f.Rule.Severity == Warning:
			warnings++
		default:
			notes++
		}
		for _, u := range f.Under {
			count(u, false)
		}
	}
	for _, f := range r.Findings {
		count(f, true)
	}
	return violations, warnings, notes, known
}
