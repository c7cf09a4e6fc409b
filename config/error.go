package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
)

// Error is all that is wrong with one file, in the order of its lines.
type Error struct {
	File     string
	Problems []Located
	// Files are all files that were looked at: when one changes, the next
	// attempt may go better.
	Files []string
}

// Located is a problem at its place in the file; Line and Column begin at 1,
// and are 0 where the place is not in the file.
type Located struct {
	problem.Problem
	Line, Column int
	// Source is the line itself, without what may be a secret.
	Source string

	caret int  // the column in Source
	veil  bool // the line could not be read: secrets are searched for
}

// maxShown bounds the problems of one message; fixing these will show the
// rest.
const maxShown = 50

// Error lists the problems, each with its line and a caret under the place.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxShown {
			fmt.Fprintf(&b, "\n%s: and %d more problems", e.File, len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		p.write(&b, e.File, "")
	}
	return b.String()
}

// Warning is the problem as a warning about a file.
func (p *Located) Warning(file string) string {
	var b strings.Builder
	p.write(&b, file, "warning: ")
	return b.String()
}

func (p *Located) write(b *strings.Builder, file, kind string) {
	b.WriteString(file)
	if p.Line > 0 {
		fmt.Fprintf(b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": " + kind)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	if p.Source == "" {
		if p.Hint != "" {
			b.WriteString(" (" + p.Hint + ")")
		}
		return
	}
	number := strconv.Itoa(p.Line)
	margin := strings.Repeat(" ", len(number))
	fmt.Fprintf(b, "\n  %s | %s\n  %s | %s^", number, p.Source, margin, strings.Repeat(" ", max(0, p.caret-1)))
	if p.Hint != "" {
		b.WriteString(" " + p.Hint)
	}
}

// show sorts problems, leaves out those beyond [maxFound], and gives those that
// will be shown their source lines, without secrets.
func show(data []byte, list []Located, secrets []*token.Token) []Located {
	slices.SortStableFunc(list, func(a, b Located) int {
		if a.Line == 0 || b.Line == 0 {
			return b.Line - a.Line // those without a place come last
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	list = list[:min(len(list), maxFound)]
	lines := linesOf(data)
	hidden := map[int][]*token.Token{}
	for _, t := range secrets {
		hidden[t.Position.Line] = append(hidden[t.Position.Line], t)
	}
	for i := range list {
		p := &list[i]
		p.Text = hideUser(p.Text)
		if p.Line > 0 && i < maxShown {
			p.Source, p.caret = excerpt(lines.line(p.Line), p.Column, hidden[p.Line], p.veil)
		}
	}
	return list
}

// excerpt is a line as it is shown: secrets replaced, nothing that moves a
// terminal's cursor, and of a long line the part around the column.
func excerpt(line string, column int, secrets []*token.Token, search bool) (string, int) {
	runes := []rune(line)
	caret := column
	slices.SortFunc(secrets, func(a, b *token.Token) int { return b.Position.Column - a.Position.Column })
	for _, t := range secrets { // from the right, so that columns stay
		from := min(max(t.Position.Column-1, 0), len(runes))
		to := secretEnd(runes, from, t)
		runes = append(append(slices.Clone(runes[:from]), '…'), runes[to:]...)
		if caret > to {
			caret -= to - from - 1
		}
	}
	text := hideUser(string(runes))
	if search {
		text = veil(text)
	}
	runes = []rune(text)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	const before, width = 60, 120
	if from := min(caret, len(runes)) - before; len(runes) > width && from > 0 {
		runes = append([]rune{'…'}, runes[from:]...)
		caret -= from - 1
	}
	if len(runes) > width {
		runes = append(runes[:width:width], '…')
	}
	return string(runes), max(caret, 1)
}

// userInfo finds the user and password of a URL.
var userInfo = regexp.MustCompile(`://[^/@\s"']+@`)

// hideUser writes stars over the users and passwords of URLs.
func hideUser(text string) string {
	return userInfo.ReplaceAllStringFunc(text, func(s string) string {
		return "://" + strings.Repeat("*", len([]rune(s))-4) + "@"
	})
}

// secretEnd is where a secret that begins at from ends in its line: at its
// closing quote, or where the plain text does. When in doubt all is hidden.
func secretEnd(line []rune, from int, t *token.Token) int {
	rest := line[from:]
	if len(rest) == 0 {
		return from
	}
	if text := strings.TrimSpace(t.Origin); rest[0] != '"' && rest[0] != '\'' && text != "" {
		if n := len([]rune(text)); n <= len(rest) && string(rest[:n]) == text {
			return from + n
		}
	}
	if q := rest[0]; q == '"' || q == '\'' {
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\\' && q == '"' {
				i++
			} else if rest[i] == q {
				return from + i + 1
			}
		}
	}
	return len(line)
}
