package inspect

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// pageWidth is the most columns that a page has.
const pageWidth = 100

// labelWidth is the width of the labels on the left.
const labelWidth = 14

// style is how a piece of text is shown, as the parameters of ECMA-48's SGR;
// "" plain.
type style string

const (
	plain  style = ""
	strong style = "1"
	faint  style = "2"
	red    style = "1;31"
	yellow style = "33"
	green  style = "32"
)

// page is text for a terminal. All of it passes put: what a manifest brings
// along never reaches the terminal as a control sequence.
type page struct {
	b     strings.Builder
	color bool
}

// put writes a piece of text.
func (p *page) put(s style, text string) {
	text = printable(text)
	if s == plain || !p.color || text == "" {
		p.b.WriteString(text)
		return
	}
	p.b.WriteString("\x1b[" + string(s) + "m" + text + "\x1b[0m")
}

func (p *page) end() { p.b.WriteByte('\n') }

// heading begins a section.
func (p *page) heading(title, note string) {
	p.end()
	p.put(strong, title)
	if note != "" {
		p.put(faint, "  "+fit(note, pageWidth-utf8.RuneCountInString(title)-2))
	}
	p.end()
}

// field writes "label  value", where a value that is too long goes on in the
// next line. Nothing is written where there is no value.
func (p *page) field(label string, values ...string) {
	text := strings.Join(some(values), " · ")
	if text == "" {
		return
	}
	for i, l := range wrap(text, pageWidth-labelWidth) {
		if i > 0 {
			label = ""
		}
		p.put(faint, fmt.Sprintf("%-*s", labelWidth, label))
		p.put(plain, l)
		p.end()
	}
}

// some leaves out what is empty.
func some(values []string) (list []string) {
	for _, v := range values {
		if v != "" {
			list = append(list, v)
		}
	}
	return list
}

// when is text where cond holds, else "".
func when(cond bool, text string) string {
	if cond {
		return text
	}
	return ""
}

// wrap breaks text into lines at spaces; words that are too long are cut.
func wrap(text string, width int) (lines []string) {
	line, n := "", 0
	for _, word := range strings.Fields(text) {
		word = fit(word, width)
		w := utf8.RuneCountInString(word)
		if n > 0 && n+1+w > width {
			lines = append(lines, line)
			line, n = "", 0
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+w
	}
	return append(lines, line)
}

// fit cuts text that is too wide.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}

// column is a column of a table.
type column struct {
	name  string
	right bool // aligned
	// least is how narrow it may become where the page is too narrow; 0: it
	// keeps its width.
	least int
}

// table writes rows under the names of the columns, where they have any. Columns without a value are
// left out, and those that may be narrower are made so until the table fits.
func (p *page) table(indent int, columns []column, rows [][]string) {
	widths := make([]int, len(columns))
	used := make([]bool, len(columns))
	for _, row := range rows {
		for i, v := range row {
			if n := utf8.RuneCountInString(v); n > 0 {
				used[i] = true
				widths[i] = max(widths[i], n, utf8.RuneCountInString(columns[i].name))
			}
		}
	}
	const gap = 2
	for {
		sum, widest := indent-gap, -1
		for i := range columns {
			if !used[i] {
				continue
			}
			sum += gap + widths[i]
			if least := columns[i].least; least > 0 && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if sum <= pageWidth || widest < 0 {
			break
		}
		widths[widest]--
	}
	if slices.ContainsFunc(columns, func(c column) bool { return c.name != "" }) {
		p.row(indent, columns, widths, used, faint, nil)
	}
	for _, row := range rows {
		p.row(indent, columns, widths, used, plain, row)
	}
}

// row writes a row, or the names of the columns where it is nil.
func (p *page) row(indent int, columns []column, widths []int, used []bool, s style, row []string) {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", indent))
	for i, c := range columns {
		if !used[i] {
			continue
		}
		text := c.name
		if row != nil {
			text = row[i]
		}
		text = fit(text, widths[i])
		fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		if c.right {
			b.WriteString(fill + text)
		} else {
			b.WriteString(text + fill)
		}
		b.WriteString("  ")
	}
	p.put(s, fit(strings.TrimRight(b.String(), " "), pageWidth))
	p.end()
}

// problems writes what is wrong.
func (p *page) problems(all []Problem, name string) {
	for i := range all {
		pr := &all[i]
		s := yellow
		if pr.Grade == Error {
			s = red
		}
		where := pr.place()
		if name != "" {
			where = strings.TrimSpace(short(name) + " " + where)
		}
		p.put(plain, "  ")
		p.put(s, fmt.Sprintf("%-9s", pr.Grade))
		p.put(faint, fit(where, pageWidth-11))
		text := pr.Text
		if pr.More > 0 {
			text += fmt.Sprintf(" (and %d more)", pr.More)
		}
		const indent = "           "
		if n := utf8.RuneCountInString(where); n > 0 && n+2+utf8.RuneCountInString(text) <= pageWidth-len(indent) {
			p.put(plain, "  "+text)
		} else {
			for j, l := range wrap(text, pageWidth-len(indent)) {
				if j > 0 || where != "" {
					p.end()
					p.put(plain, indent)
				}
				p.put(plain, l)
			}
		}
		p.end()
		if tail := strings.Join(some([]string{when(pr.Cure != "", "→ "+pr.Cure), pr.Clause}), " · "); tail != "" {
			for _, l := range wrap(tail, pageWidth-len(indent)) {
				p.put(plain, indent)
				p.put(faint, l)
				p.end()
			}
		}
	}
}

// printable replaces what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r == utf8.RuneError || r == '\u202e' || r == '\u2066' || r == '\u2067' {
			return '�'
		}
		return r
	}, s)
}
