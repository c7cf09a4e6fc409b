package explain

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the trace for people: a line or two for each decision, the
// stage's name only where it changes.
func (t *Trace) Text(w io.Writer) error {
	var b strings.Builder
	last := Stage("")
	for _, e := range t.Entries {
		name := ""
		if e.Stage != last {
			name = string(e.Stage)
		}
		last = e.Stage
		fmt.Fprintf(&b, "%-8s %s\n", name, e.line())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line is an entry without its stage.
func (e *Entry) line() string {
	var b strings.Builder
	if e.Subject != "" {
		b.WriteString(e.Subject + ": ")
	}
	b.WriteString(e.Why)
	for i, f := range e.Facts {
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		b.WriteString(sep + f.Name + " " + f.Value)
	}
	if len(e.Facts) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// Diff writes two traces side by side: what is the same once, with "  " in
// front, what only one has with "< " or "> ".
func Diff(w io.Writer, a, b *Trace) error {
	left, right := a.lines(), b.lines()
	var out strings.Builder
	for _, op := range align(left, right) {
		out.WriteString(op + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (t *Trace) lines() []string {
	out := make([]string, len(t.Entries))
	for i := range t.Entries {
		out[i] = fmt.Sprintf("%-8s %s", t.Entries[i].Stage, t.Entries[i].line())
	}
	return out
}

// align is the longest common subsequence of two short lists.
func align(a, b []string) []string {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, "  "+a[i])
			i++
			j++
		case i < len(a) && (j == len(b) || n[i+1][j] >= n[i][j+1]):
			out = append(out, "< "+a[i])
			i++
		default:
			out = append(out, "> "+b[j])
			j++
		}
	}
	return out
}
