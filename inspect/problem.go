package inspect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Grade is how bad a problem is.
type Grade uint8

// The grades. An Error breaks what the specification demands (MUST, shall), or
// keeps the edge from reading the manifest; a Warning is against its advice,
// or what players are known to stumble over.
const (
	Warning Grade = iota + 1
	Error
)

// String is "warning" or "error".
func (g Grade) String() string {
	if g == Error {
		return "error"
	}
	return "warning"
}

// MarshalJSON gives the name.
func (g Grade) MarshalJSON() ([]byte, error) { return json.Marshal(g.String()) }

// UnmarshalJSON reads the name.
func (g *Grade) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"error"`:
		*g = Error
	case `"warning"`:
		*g = Warning
	default:
		return fmt.Errorf("cannot read grade %s", text)
	}
	return nil
}

// Problem is one thing that is wrong with a manifest.
type Problem struct {
	Grade Grade `json:"grade"`
	// Line and Column begin at 1; 0 where the problem has no place of its own.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path is the element path in an MPD: "MPD/Period[1]/AdaptationSet[2]/@id".
	Path string `json:"path,omitempty"`
	// Text says what is wrong, Cure what to do, Clause where it is written.
	Text   string `json:"text"`
	Cure   string `json:"cure,omitempty"`
	Clause string `json:"clause,omitempty"`
	// More is how many further places have the same problem.
	More int `json:"more,omitempty"`
}

// String is the problem on one line, its place first.
func (p *Problem) String() string {
	s := p.Grade.String() + ": "
	if at := p.place(); at != "" {
		s = at + ": " + s
	}
	s += p.Text
	if p.More > 0 {
		s += " (and " + strconv.Itoa(p.More) + " more)"
	}
	return s
}

// place is "12:3" or "12", with the element path behind it; "" where there is
// none.
func (p *Problem) place() string {
	if p.Line == 0 {
		return p.Path
	}
	s := strconv.Itoa(p.Line)
	if p.Column > 1 || p.Path != "" {
		s += ":" + strconv.Itoa(p.Column)
	}
	if p.Path != "" {
		s += " " + p.Path
	}
	return s
}

// rule is what a check goes by: its clause, and its cure.
type rule struct {
	grade        Grade
	clause, cure string
}

// maxProblems bounds the different problems of one manifest.
const maxProblems = 200

// findings collects problems. What is wrong in many places in the same way is
// told once, with its first place.
type findings struct {
	list []Problem
	seen map[string]int
}

// at is a place in a manifest.
type at struct {
	line, column int
	path         string
}

// again counts a problem that is there already; false where it is new.
func (f *findings) again(key string) bool {
	i, ok := f.seen[key]
	if ok {
		f.list[i].More++
	}
	return ok
}

// add adds a problem. key tells which problems are the same; "" for the text
// itself.
func (f *findings) add(where at, r rule, key, text string) {
	if key == "" {
		key = text
	}
	if f.again(key) || len(f.list) == maxProblems {
		return
	}
	if f.seen == nil {
		f.seen = make(map[string]int)
	}
	f.seen[key] = len(f.list)
	f.list = append(f.list, Problem{
		Grade: r.grade, Line: where.line, Column: where.column, Path: where.path,
		Text: text, Cure: r.cure, Clause: r.clause,
	})
}

// sorted gives the problems, errors first, each grade in the order of its
// places.
func (f *findings) sorted() []Problem {
	slices.SortStableFunc(f.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.Grade, a.Grade), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if f.list == nil {
		return []Problem{} // JSON shows that there are none
	}
	return f.list
}
