package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
)

// The bounds of a file. Its parser needs time by the square of the depth, and
// memory by the number of marks.
const (
	maxFile  = 4 << 20 // bytes
	maxMarks = 1 << 20 // of the characters that YAML is made of
	maxDepth = 40      // levels
	maxEmpty = 500     // keys and entries with nothing behind them
)

// parseYAML gives the document of a file, or nil where it is empty.
func parseYAML(data []byte) (root ast.Node, err *Located) {
	if err := checkText(data); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil { // the library's own fault: found by fuzzing, in files no one would write
			root, err = nil, &Located{Problem: problem.Problem{Text: "the YAML cannot be read"}}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, perr := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if perr != nil {
		return nil, syntaxError(perr)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			return nil, at(firstToken(doc.Body), "a second document begins here", "a configuration is one document: take the --- out")
		}
		root = doc.Body
	}
	return root, nil
}

// checkText refuses what is not text, or too much of it.
func checkText(data []byte) *Located {
	if len(data) > maxFile {
		return &Located{Problem: problem.Problem{Text: fmt.Sprintf("the file is too large: at most %d bytes are read", maxFile)}}
	}
	marks := 0
	for _, c := range data {
		if strings.IndexByte("\n,:-?[]{}&*!|>'\"#%@`", c) >= 0 {
			marks++
		}
	}
	if marks > maxMarks {
		return &Located{Problem: problem.Problem{Text: fmt.Sprintf("the file is too intricate: more than %d marks of punctuation and lines", maxMarks)}}
	}
	line, column := 1, 0
	for rest := data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		rest = rest[n:]
		column++
		switch {
		case r == utf8.RuneError && n == 1:
			return &Located{Problem: problem.Problem{Text: "this is not UTF-8 text"}, Line: line, Column: column, veil: true}
		case r == '\n':
			line, column = line+1, 0
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return &Located{Problem: problem.Problem{Text: fmt.Sprintf("a control character (U+%04X) stands here", r)}, Line: line, Column: column, veil: true}
		}
	}
	return nil
}

// checkTokens refuses what a configuration has no use for and what the parser
// would take too long over: tags, directives, deep nesting.
func checkTokens(tokens token.Tokens) *Located {
	if t := emptyOver(tokens, maxEmpty); t != nil {
		return at(t, fmt.Sprintf("this is one of more than %d keys or entries with nothing behind them", maxEmpty), "take them out")
	}
	var (
		depth         int // of brackets
		chain, column int // of entries in one another: - - - x
		anchors, line int // of anchors in one line, which may stand in one another
	)
	for i, t := range tokens {
		if t.Position == nil {
			continue
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.TagType:
			return at(t, "a tag stands here", "tags (!…) are not used in a configuration: quote the text if it is meant as text")
		case token.DirectiveType:
			return at(t, "a directive stands here", "directives (%…) are not used in a configuration: quote the text if it is meant as text")
		case token.MappingKeyType:
			return at(t, "a complex key stands here", "keys are plain words here: quote the text if it begins with ?")
		case token.MappingValueType:
			if i == 0 || tokens[i-1].Position != nil && tokens[i-1].Position.Line < t.Position.Line && tokens[i-1].Type != token.SingleQuoteType && tokens[i-1].Type != token.DoubleQuoteType {
				return at(t, "a colon stands here without its key", `write "key: value" in one line`)
			}
		case token.AnchorType:
			if t.Position.Line != line {
				anchors, line = 0, t.Position.Line
			}
			anchors++
		case token.SequenceEntryType:
			if t.Position.Column <= column {
				chain = 0
			}
			chain, column = chain+1, t.Position.Column
		}
		if t.Type != token.SequenceEntryType {
			chain, column = 0, 0
		}
		if depth > maxDepth || chain > maxDepth || anchors > maxDepth || t.Position.IndentNum > 8*maxDepth {
			return at(t, "this is nested too deep", fmt.Sprintf("at most %d levels are read", maxDepth))
		}
	}
	return nil
}

// emptyOver counts the keys and entries that have no value, and gives the one
// after most, or nil. (The parser needs time by the square of their number.)
func emptyOver(tokens token.Tokens, most int) *token.Token {
	var (
		open  []token.Type // brackets
		colon bool         // seen in this entry of a flow mapping
	)
	count := 0
	for i, t := range tokens {
		next := following(tokens, i)
		empty := false
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open, colon = append(open, t.Type), false
		case token.CollectEntryType, token.MappingEndType, token.SequenceEndType:
			empty = len(open) > 0 && open[len(open)-1] == token.MappingStartType && !colon
			if colon = false; t.Type != token.CollectEntryType && len(open) > 0 {
				open, colon = open[:len(open)-1], true // what it closes is a value
			}
		case token.SequenceEntryType:
			empty = next == nil || next.Position.Line > t.Position.Line && next.Position.Column <= t.Position.Column
		case token.LiteralType, token.FoldedType:
			empty = true // it may be, and nothing in a configuration needs many
		case token.MappingValueType:
			colon = true
			if next == nil {
				empty = true
				break
			}
			column := 1
			if i > 0 {
				column = tokens[i-1].Position.Column
			}
			switch next.Type {
			case token.CollectEntryType, token.MappingEndType, token.SequenceEndType, token.MappingValueType:
				empty = true
			case token.SequenceEntryType:
				empty = next.Position.Line > t.Position.Line && next.Position.Column < column
			default:
				empty = next.Position.Line > t.Position.Line && next.Position.Column <= column
			}
		}
		if empty {
			if count++; count > most {
				return t
			}
		}
	}
	return nil
}

// following gives the token after i that is no comment, or nil.
func following(tokens token.Tokens, i int) *token.Token {
	for i++; i < len(tokens); i++ {
		if tokens[i].Type != token.CommentType && tokens[i].Position != nil {
			return tokens[i]
		}
	}
	return nil
}

// at makes a problem at a token, without a path.
func at(t *token.Token, text, hint string) *Located {
	l := &Located{Problem: problem.Problem{Text: text, Hint: hint}}
	if t != nil && t.Position != nil {
		l.Line, l.Column = t.Position.Line, t.Position.Column
	}
	return l
}

// plainer puts what the YAML library says into words for who wrote the file.
var plainer = []struct{ theirs, text, hint string }{
	{"found a tab character", "a tab stands where the line is indented", "indent with spaces"},
	{"found character '\t'", "a tab stands where the line is indented", "indent with spaces"},
	{"could not find end character of", "a quoted text has no closing quote", "close the quote, or take the opening one away"},
	{"value is not allowed in this context", "this does not belong here", "check the indentation, and that quotes and the colon before it are as meant"},
	{"unexpected key name", "this is not a key", `write "key: value"`},
	{"non-map value is specified", "this is not a key", `write "key: value"`},
	{"map key definition includes an implicit line break", "this key runs over the end of its line", `write "key: value"`},
	{"sequence end token ']' not found", "a list is not closed", "close it with ]"},
	{"could not find flow map content", "a mapping is not closed", "close it with }"},
	{"could not find flow mapping end token", "a mapping is not closed", "close it with }"},
	{"could not find map value", "a mapping is not closed", "close it with }"},
	{"',' or ']' must be specified", "a comma or ] is missing here", ""},
	{"',' or '}' must be specified", "a comma or } is missing here", ""},
	{"invalid character", "a text here cannot begin with this character", "put it in quotes"},
}

// syntaxError makes a problem of what the library said.
func syntaxError(err error) *Located {
	var ye yaml.Error
	if !errors.As(err, &ye) {
		return &Located{Problem: problem.Problem{Text: "the YAML cannot be read: " + err.Error()}}
	}
	text, hint := "the YAML cannot be read: "+ye.GetMessage(), ""
	for _, p := range plainer {
		if strings.Contains(ye.GetMessage(), p.theirs) {
			text, hint = p.text, p.hint
			break
		}
	}
	l := at(ye.GetToken(), text, hint)
	l.veil = true
	return l
}

var (
	// secretKey finds the value of a key that says or may say a secret.
	secretKey = regexp.MustCompile(`(?i)(["']?\b(?:` + strings.Join(refKeys(reflect.TypeFor[File]()), "|") + `|\w*(?:key|secret|token|salt|pass)\w*)["']?\s*:\s*)([^#]*)`)
	// anyKey begins a line with a key of some kind.
	anyKey = regexp.MustCompile(`^[\s-]*[\w"']+\s*:`)
	// secretText finds what looks like key material in a line without a key.
	secretText = regexp.MustCompile(`[^\s:,\[\]{}]{6,}`)
)

// refKeys gives the keys of all references to secrets.
func refKeys(t reflect.Type) (names []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return refKeys(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Type == refType || f.Type == refsType {
				names = append(names, regexp.QuoteMeta(f.Tag.Get("yaml")))
			} else {
				names = append(names, refKeys(f.Type)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// veil hides what may be a secret in a line whose structure is not known: all
// that follows a key of secrets, and in a line without a key all longer words.
func veil(line string) string {
	if !anyKey.MatchString(line) {
		return secretText.ReplaceAllString(line, "…")
	}
	return secretKey.ReplaceAllStringFunc(line, func(s string) string {
		m := secretKey.FindStringSubmatch(s)
		if v := strings.Trim(m[2], "\"' [{"); v == "" || strings.HasPrefix(v, "file:") || strings.HasPrefix(v, "env:") {
			return s
		}
		return m[1] + "…"
	})
}

// lineTable is a file cut at its line ends.
type lineTable [][]byte

func linesOf(data []byte) lineTable { return bytes.Split(data, []byte("\n")) }

// line gives line n, from 1, without its end.
func (t lineTable) line(n int) string {
	if n < 1 || n > len(t) {
		return ""
	}
	return strings.TrimRight(string(t[n-1]), "\r")
}
