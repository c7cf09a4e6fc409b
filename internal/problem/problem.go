// Package problem is how a package tells what is wrong with its configuration:
// a list of problems, each with the place it is about, so that the reader of a
// file can be shown all of them at once, at their lines.
//
// It knows neither files nor YAML; config turns places into lines. No locks.
package problem

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong.
type Problem struct {
	// Path is the place: keys and indices as in "channels[2].origin.url".
	Path string
	// Text says what is wrong, Hint what to do; Hint may be empty.
	Text, Hint string
}

// String is the problem on one line.
func (p Problem) String() string {
	s := p.Text
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// List collects problems. The zero List is ready.
type List []Problem

// Add adds a problem at path.
func (l *List) Add(path, format string, args ...any) {
	*l = append(*l, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

// AddHint adds a problem with a hint.
func (l *List) AddHint(path, hint, format string, args ...any) {
	*l = append(*l, Problem{Path: path, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// Under adds the problems of a part, whose paths are relative to prefix.
func (l *List) Under(prefix string, part List) {
	for _, p := range part {
		p.Path = Join(prefix, p.Path)
		*l = append(*l, p)
	}
}

// Err is the list as an error, or nil where it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Error is all problems, a line each.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Join joins two paths.
func Join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	case b[0] == '[':
		return a + b
	}
	return a + "." + b
}

// At is the path of element i of a list.
func At(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
