package explain

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
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

// Diff writes two traces side by side: what is the same once, over the whole
// width; what differs in two columns, stage beside stage, with "< " before what
// only the first has and "> " before what only the second has.
func Diff(w io.Writer, a, b *Trace) error {
	var out strings.Builder
	var left, right []*Entry
	for _, p := range align(a.Entries, b.Entries) {
		if p[0] != nil && p[1] != nil {
			columns(&out, left, right)
			left, right = left[:0], right[:0]
			fmt.Fprintf(&out, "  %-8s %s\n", p[0].Stage, p[0].line())
			continue
		}
		if p[0] != nil {
			left = append(left, p[0])
		} else {
			right = append(right, p[1])
		}
	}
	columns(&out, left, right)
	_, err := io.WriteString(w, out.String())
	return err
}

// column is how wide each side of a difference is, in characters.
const column = 56

// columns writes what only one side has, the entries of a stage beside those of
// the same stage.
func columns(out *strings.Builder, left, right []*Entry) {
	for len(left) > 0 || len(right) > 0 {
		var rows [2][]string
		switch {
		case len(left) > 0 && (len(right) == 0 || left[0].Stage == right[0].Stage || !has(right, left[0].Stage)):
			if len(right) > 0 && left[0].Stage == right[0].Stage {
				rows[1], right = right[0].wrapped(), right[1:]
			}
			rows[0], left = left[0].wrapped(), left[1:]
		default:
			rows[1], right = right[0].wrapped(), right[1:]
		}
		for k := range max(len(rows[0]), len(rows[1])) {
			out.WriteString(strings.TrimRight(cell(rows[0], k, "< ")+" │ "+strings.TrimRight(cell(rows[1], k, "> "), " "), " ") + "\n")
		}
	}
}

func has(list []*Entry, s Stage) bool {
	for _, e := range list {
		if e.Stage == s {
			return true
		}
	}
	return false
}

// cell is a row of one side, as wide as its column.
func cell(rows []string, k int, mark string) string {
	if k >= len(rows) {
		return strings.Repeat(" ", len(mark)+column)
	}
	if k > 0 {
		mark = "  "
	}
	return mark + rows[k] + strings.Repeat(" ", max(0, column-utf8.RuneCountInString(rows[k])))
}

// wrapped is an entry in rows that fit a column.
func (e *Entry) wrapped() []string {
	row, indent := fmt.Sprintf("%-8s", e.Stage), strings.Repeat(" ", 8)
	var rows []string
	for word := range strings.FieldsSeq(e.line()) {
		if row != indent && utf8.RuneCountInString(row)+1+utf8.RuneCountInString(word) > column {
			rows = append(rows, row)
			row = indent
		}
		row += " " + word
	}
	return append(rows, row)
}

// align pairs the entries of two short lists by their longest common
// subsequence: an entry that only one has stands beside nil.
func align(a, b []Entry) (pairs [][2]*Entry) {
	same := make([][]bool, len(a))
	n := make([][]int, len(a)+1)
	n[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		n[i], same[i] = make([]int, len(b)+1), make([]bool, len(b))
		for j := len(b) - 1; j >= 0; j-- {
			if same[i][j] = a[i].Stage == b[j].Stage && a[i].line() == b[j].line(); same[i][j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && same[i][j]:
			pairs = append(pairs, [2]*Entry{&a[i], &b[j]})
			i++
			j++
		case i < len(a) && (j == len(b) || n[i+1][j] >= n[i][j+1]):
			pairs = append(pairs, [2]*Entry{&a[i], nil})
			i++
		default:
			pairs = append(pairs, [2]*Entry{nil, &b[j]})
			j++
		}
	}
	return pairs
}
