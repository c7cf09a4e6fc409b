package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
)

// Error is all that is wrong with a file, in the order of its lines.
type Error struct {
	File     string
	Problems []Located
}

// Located is a problem with its place; 0 where it has none.
type Located struct {
	problem.Problem
	Line, Column int
	Source       string
}

// Error lists the problems, each with its line and a caret under the place.
func (e *Error) Error() string {
	var b strings.Builder
	const most = 50
	for i, p := range e.Problems {
		if i == most {
			fmt.Fprintf(&b, "\n%s: and %d more", e.File, len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Text)
		if p.Source == "" {
			if p.Hint != "" {
				b.WriteString(" (" + p.Hint + ")")
			}
			continue
		}
		n := strconv.Itoa(p.Line)
		fmt.Fprintf(&b, "\n  %s | %s\n  %s | %s^", n, p.Source, strings.Repeat(" ", len(n)), strings.Repeat(" ", max(p.Column-1, 0)))
		if p.Hint != "" {
			b.WriteString(" " + p.Hint)
		}
	}
	return b.String()
}

const (
	maxFile  = 64 << 10
	maxDepth = 20
)

// Load reads a scenario's file. lookup finds what ${NAME} stands for.
func Load(name string, lookup func(string) (string, bool)) (*Scenario, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	return Parse(name, data, lookup)
}

// Parse reads a scenario's text; name is the file's, for messages. The error is
// an [*Error].
func Parse(name string, data []byte, lookup func(string) (string, bool)) (*Scenario, error) {
	fail := func(list []Located) error {
		lines := strings.Split(string(data), "\n")
		slices.SortStableFunc(list, func(a, b Located) int {
			if a.Line == 0 || b.Line == 0 {
				return b.Line - a.Line
			}
			return (a.Line-b.Line)*10_000 + a.Column - b.Column
		})
		for i := range list {
			if p := &list[i]; p.Line > 0 && p.Line <= len(lines) {
				p.Source, p.Column = excerpt(strings.TrimRight(lines[p.Line-1], "\r"), p.Column)
			}
		}
		return &Error{name, list}
	}
	root, bad := tree(data)
	if bad != nil {
		return nil, fail([]Located{*bad})
	}
	s := &Scenario{}
	d := &decoder{where: map[string]*token.Token{}, lookup: lookup}
	d.decode(root, s)
	var list problem.List
	if len(d.found) > 0 && d.found[0].Path == "" {
		return nil, fail(d.found) // there is nothing that could be looked at
	}
	if err := s.Validate(); errors.As(err, &list) {
		for _, p := range list {
			if !d.told(p.Path) {
				d.found = append(d.found, d.locate(p))
			}
		}
	}
	if len(d.found) > 0 {
		return nil, fail(d.found)
	}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	return s, nil
}

// tree parses YAML, within bounds and without a panic.
func tree(data []byte) (root ast.Node, bad *Located) {
	defer func() {
		if r := recover(); r != nil {
			root, bad = nil, &Located{Problem: problem.Problem{Text: "the YAML cannot be read"}}
		}
	}()
	if len(data) > maxFile {
		return nil, &Located{Problem: problem.Problem{Text: fmt.Sprintf("the file has more than %d bytes", maxFile)}}
	}
	depth := 0
	for i, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '\t':
			if k := strings.LastIndexByte(string(data[:i]), '\n') + 1; strings.TrimSpace(string(data[k:i])) == "" {
				return nil, &Located{Problem: problem.Problem{Text: "a tab stands where the line is indented", Hint: "indent with spaces"}, Line: strings.Count(string(data[:i]), "\n") + 1, Column: i - k + 1}
			}
		}
		if depth > maxDepth {
			return nil, &Located{Problem: problem.Problem{Text: "this is nested too deep"}, Line: strings.Count(string(data[:i]), "\n") + 1, Column: 1}
		}
	}
	for line, text := range strings.Split(string(data), "\n") {
		if trimmed := strings.TrimLeft(text, " -?"); len(text)-len(trimmed) > 4*maxDepth && trimmed != "" {
			return nil, &Located{Problem: problem.Problem{Text: "this is nested too deep"}, Line: line + 1, Column: 1}
		}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		l := &Located{Problem: problem.Problem{Text: "the YAML cannot be read"}}
		var ye yaml.Error
		if errors.As(err, &ye) {
			l.Text += ": " + ye.GetMessage()
			if t := ye.GetToken(); t != nil && t.Position != nil {
				l.Line, l.Column = t.Position.Line, t.Position.Column
			}
		}
		return nil, l
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case root == nil:
			root = doc.Body
		default:
			t := doc.Body.GetToken()
			return nil, &Located{Problem: problem.Problem{Text: "a second document stands here"}, Line: t.Position.Line, Column: t.Position.Column}
		}
	}
	return root, nil
}

// query is that of an address: it may hold a token.
var query = regexp.MustCompile(`\?[^\s"',}\]]+`)

// excerpt is a line as it is shown: without tokens and what moves a cursor, and
// the part around the column of a long one.
func excerpt(line string, column int) (string, int) {
	runes := []rune(query.ReplaceAllString(line, "?…"))
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	if from := column - 60; len(runes) > 120 && from > 0 {
		runes = append([]rune{'…'}, runes[min(from, len(runes)):]...)
		column -= from - 1
	}
	return string(runes[:min(len(runes), 120)]), column
}
