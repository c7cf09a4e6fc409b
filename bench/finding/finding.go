package finding

import (
	"sync"
	"time"
)

// Line is a line of a document, as evidence.
type Line struct {
	Number int    `json:"line"`
	Text   string `json:"text"`
}

// Finding is one rule broken at one place, with the evidence of the first time.
type Finding struct {
	Rule *Rule
	// Where is the place in the words of the presentation ("alpha 640x360"),
	// URL its address; both without tokens.
	Where, URL string
	// Reload and Previous number the versions of the document that were
	// compared, from 1; Previous is 0 where one version is enough.
	Reload, Previous int
	// At is when it was seen first, Last when last, Count how often.
	At, Last time.Time
	Count    int
	// Said is what was found, in numbers.
	Said string
	// Before and After are the lines it is about.
	Before, After []Line
	// Places are further places of the same finding (their number is MorePlaces
	// larger), Under its consequences: only in a report.
	Places     []string
	MorePlaces int
	Under      []*Finding
	// Known is why this is accepted, or empty.
	Known string
}

// Limits of a log: whatever is served, it holds no more.
const (
	maxFindings  = 2000
	maxLines     = 8
	maxLine      = 300
	maxSaid      = 600
	maxPlaces    = 12
	maxNamesLost = 1 << 30
)

type key struct {
	id    ID
	where string
}

// Log collects findings: one for each rule and place, with a count.
type Log struct {
	mu   sync.Mutex
	by   map[key]*Finding
	list []*Finding
	lost int
}

// Add records f; its Count and Last are the log's business. It tells whether
// the log has nothing of this rule yet.
func (l *Log) Add(f Finding) (first bool) {
	f.Said = cut(f.Said, maxSaid)
	f.Where = cut(f.Where, maxLine)
	f.URL = cut(f.URL, maxSaid)
	f.Before, f.After = trim(f.Before), trim(f.After)
	f.Count = 1
	if f.Last.Before(f.At) {
		f.Last = f.At
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key{f.Rule.ID, f.Where}
	if had := l.by[k]; had != nil {
		had.Count++
		if f.Last.After(had.Last) {
			had.Last = f.Last
		}
		return false
	}
	first = true
	for _, other := range l.list {
		first = first && other.Rule != f.Rule
	}
	if len(l.list) >= maxFindings {
		l.lost = min(l.lost+1, maxNamesLost)
		return first
	}
	if l.by == nil {
		l.by = map[key]*Finding{}
	}
	l.by[k] = &f
	l.list = append(l.list, &f)
	return first
}

// Counts are the findings so far, by severity.
func (l *Log) Counts() (violations, warnings, notes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.list {
		switch f.Rule.Severity {
		case Violation:
			violations++
		case Warning:
			warnings++
		default:
			notes++
		}
	}
	return violations, warnings, notes
}

// snapshot copies what is there.
func (l *Log) snapshot() (list []*Finding, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.list {
		c := *f
		list = append(list, &c)
	}
	return list, l.lost
}

func trim(lines []Line) []Line {
	if len(lines) > maxLines {
		lines = lines[:maxLines]
	}
	for i := range lines {
		lines[i].Text = cut(lines[i].Text, maxLine)
	}
	return lines
}

// cut shortens s to n bytes and makes it printable on one line.
func cut(s string, n int) string {
	more := len(s) > n
	if more {
		s = s[:n]
	}
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r == '\t' {
			r = ' '
		}
		if r < ' ' || r == 0x7f || r == 0xfffd || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			r = '·'
		}
		out = append(out, r)
	}
	if more {
		return string(out) + " …"
	}
	return string(out)
}
