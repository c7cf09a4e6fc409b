package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"manifold/internal/problem"
)

// maxFile bounds a configuration file in bytes.
const maxFile = 16 << 20

// Error is all that is wrong with one file.
type Error struct {
	File     string
	Problems []Located
}

// Located is a problem at its place in the file; Line and Column begin at 1,
// and are 0 where the place is not in the file.
type Located struct {
	problem.Problem
	Line, Column int
	// Source is the line itself.
	Source string
}

// Error lists the problems in the order of the file, each with its line and a
// caret under the place.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
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
		if p.Source != "" {
			number := strconv.Itoa(p.Line)
			fmt.Fprintf(&b, "\n  %s | %s\n  %s | %s^", number, p.Source, strings.Repeat(" ", len(number)), strings.Repeat(" ", max(0, p.Column-1)))
			if p.Hint != "" {
				b.WriteString(" " + p.Hint)
			}
		} else if p.Hint != "" {
			b.WriteString(" (" + p.Hint + ")")
		}
	}
	return b.String()
}

// Load reads a file and makes the program's configuration of it. The error is
// an [*Error] where the file could be read but is not right.
func Load(name string) (*Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration: %w", err)
	}
	return Parse(name, data)
}

// Parse makes the program's configuration of a file's text.
func Parse(name string, data []byte) (*Config, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("cannot read configuration: %s has %d bytes, at most %d are read", name, len(data), maxFile)
	}
	fail := func(l problem.List, file *ast.File) error { return locate(name, data, file, l) }
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(name, data, err)
	}
	f := Default()
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(f); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return nil, syntaxError(name, data, err)
	}
	c, problems := f.build()
	if len(problems) > 0 {
		return nil, fail(problems, file)
	}
	return c, nil
}

// syntaxError places what the YAML library found, and takes its own words
// about Go types away.
func syntaxError(name string, data []byte, err error) error {
	e := &Error{File: name}
	var ye yaml.Error
	if !errors.As(err, &ye) {
		e.Problems = []Located{{Problem: problem.Problem{Text: err.Error()}}}
		return e
	}
	text := ye.GetMessage()
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		text = fmt.Sprintf("this is a %s where %s belongs", plainType(typed.SrcType.String()), plainType(typed.DstType.String()))
	}
	p := Located{Problem: problem.Problem{Text: text}}
	if t := ye.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
		p.Source = line(data, p.Line)
	}
	e.Problems = []Located{p}
	return e
}

// plainType names a Go type as a writer of YAML would.
func plainType(t string) string {
	switch {
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "whole number"
	case strings.HasPrefix(t, "float"):
		return "number"
	case strings.HasPrefix(t, "[]"):
		return "list"
	case strings.HasPrefix(t, "map"), strings.HasPrefix(t, "config."), strings.HasPrefix(t, "*config."):
		return "mapping"
	}
	return t
}

// locate finds the places of problems.
func locate(name string, data []byte, file *ast.File, l problem.List) error {
	e := &Error{File: name}
	for _, p := range l {
		at := Located{Problem: p}
		at.Line, at.Column = position(file, p.Path)
		at.Source = line(data, at.Line)
		e.Problems = append(e.Problems, at)
	}
	sort.SliceStable(e.Problems, func(i, j int) bool { return e.Problems[i].Line < e.Problems[j].Line })
	return e
}

// position finds where a path stands; where it does not, where its nearest
// parent does.
func position(file *ast.File, path string) (line, column int) {
	for path != "" {
		if p, err := yaml.PathString("$." + quotePath(path)); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil {
				if t := node.GetToken(); t != nil && t.Position != nil {
					return t.Position.Line, t.Position.Column
				}
			}
		}
		path = parent(path)
	}
	return 0, 0
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// quotePath quotes the keys of a path that are not plain names.
func quotePath(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		key, index, _ := strings.Cut(p, "[")
		if index != "" {
			index = "[" + index
		}
		if strings.ContainsAny(key, "-/ ") {
			parts[i] = "'" + key + "'" + index
		}
	}
	return strings.Join(parts, ".")
}

func line(data []byte, n int) string {
	for ; n > 1; n-- {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return ""
		}
		data = data[i+1:]
	}
	if n < 1 {
		return ""
	}
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		data = data[:i]
	}
	return strings.TrimRight(string(data), "\r")
}
