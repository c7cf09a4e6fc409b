package scenario

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"manifold/bench/result"
	"manifold/internal/problem"
)

// decoder fills a scenario, and goes on after a problem.
type decoder struct {
	found  []Located
	where  map[string]*token.Token
	lookup func(string) (string, bool)
}

func (d *decoder) decode(root ast.Node, s *Scenario) {
	if root == nil {
		return
	}
	d.value("", root, reflect.ValueOf(s).Elem())
}

func (d *decoder) add(path string, t *token.Token, hint, format string, args ...any) {
	l := Located{Problem: problem.Problem{Path: path, Text: fmt.Sprintf(format, args...), Hint: hint}}
	if t != nil && t.Position != nil {
		l.Line, l.Column = t.Position.Line, t.Position.Column
	}
	d.found = append(d.found, l)
}

// told tells whether there was a problem at a path or above it.
func (d *decoder) told(path string) bool {
	for ; path != ""; path = parent(path) {
		for _, l := range d.found {
			if l.Path == path {
				return true
			}
		}
	}
	return false
}

// locate finds the place of a path, or of what stands above it.
func (d *decoder) locate(p problem.Problem) Located {
	l := Located{Problem: p}
	for path := p.Path; path != ""; path = parent(path) {
		if t := d.where[path]; t != nil && t.Position != nil {
			l.Line, l.Column = t.Position.Line, t.Position.Column
			return l
		}
	}
	return l
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	if path != "" {
		d.where[path] = first(n)
	}
	switch n.Type() {
	case ast.AliasType, ast.AnchorType, ast.TagType:
		d.add(path, n.GetToken(), "write out what is meant", "anchors, aliases and tags are not read here")
		return
	case ast.NullType:
		return // a key with nothing, or with comments only
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			d.add(path, first(n), `begin each entry with "- "`, "%s stands where a list belongs", kind(n))
			return
		}
		for i, item := range list.Values {
			e := reflect.New(v.Type().Elem()).Elem()
			d.value(problem.At(path, i), item, e)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Map:
		values, ok := mapping(n)
		if !ok {
			d.add(path, first(n), "", "%s stands where a mapping belongs", kind(n))
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, e := range values {
			text, ok := scalar(e.Value)
			if !ok {
				d.add(problem.Join(path, e.Key.String()), first(e.Value), "", "%s stands where a text belongs", kind(e.Value))
				continue
			}
			v.SetMapIndex(reflect.ValueOf(keyOf(e)), reflect.ValueOf(d.expand(path, e.Value, text)))
		}
	default:
		text, ok := scalar(n)
		if !ok {
			d.add(path, first(n), "", "%s stands where %s belongs", kind(n), noun(v))
			return
		}
		if hint := d.scalar(path, n, text, v); hint != nil {
			d.add(path, n.GetToken(), *hint, "%q is not %s", clip(text), noun(v))
		}
	}
}

func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	values, ok := mapping(n)
	if !ok {
		d.add(path, first(n), "its keys are "+strings.Join(keys(v.Type()), ", "), "%s stands where a mapping belongs", kind(n))
		return
	}
	seen := map[string]bool{}
	for _, e := range values {
		key := keyOf(e)
		at := problem.Join(path, key)
		i := field(v.Type(), key)
		switch {
		case i < 0:
			hint := meant(key, keys(v.Type()))
			d.add(at, e.Key.GetToken(), hint, "unknown key %q", clip(key))
		case seen[key]:
			d.add(at, e.Key.GetToken(), "take one of them out", "the key %q is there twice", key)
		default:
			d.value(at, e.Value, v.Field(i))
		}
		seen[key] = true
	}
}

// scalar reads one text; the result is nil, or a hint at how it is written.
func (d *decoder) scalar(path string, n ast.Node, text string, v reflect.Value) *string {
	no := func(hint string) *string { return &hint }
	switch v.Interface().(type) {
	case time.Duration:
		x, err := time.ParseDuration(text)
		if err != nil {
			return no("write it like 500ms, 20s or 1h30m")
		}
		v.SetInt(int64(x))
		return nil
	case Percent:
		number, is := strings.CutSuffix(text, "%")
		x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(x) || !is && x != 0 {
			return no("write it like 1%")
		}
		v.SetFloat(x / 100)
		return nil
	case Rate:
		number, unit, _ := strings.Cut(text, "/")
		per, ok := map[string]float64{"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}[strings.TrimSpace(unit)]
		x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !ok || !(x >= 0 && x < 1e9) {
			return no("write it like 50/s or 300/m")
		}
		v.SetFloat(x / per)
		return nil
	case Bits:
		x, err := result.ParseBits(text)
		if err != nil {
			return no("write it in bits a second, like 800k or 8M")
		}
		v.SetFloat(x)
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return no("write true or false")
		}
		v.SetBool(text == "true")
	case reflect.Int:
		x, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 32)
		if err != nil {
			return no("write it in digits")
		}
		v.SetInt(x)
	default:
		v.SetString(d.expand(path, n, text))
	}
	return nil
}

// expand puts the environment's values in.
func (d *decoder) expand(path string, n ast.Node, text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			d.add(path, n.GetToken(), "close it with }", "${ has no end")
			return ""
		}
		value, known := "", false
		if d.lookup != nil {
			value, known = d.lookup(name)
		}
		if !known {
			d.add(path, n.GetToken(), "", "the environment has no %s", clip(name))
		}
		b.WriteString(value)
		text = after
	}
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func keyOf(e *ast.MappingValueNode) string {
	if n, ok := e.Key.(ast.Node); ok {
		if text, ok := scalar(n); ok {
			return text
		}
	}
	return e.Key.GetToken().Value
}

// first is where a node begins, for a reader.
func first(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func kind(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.NullType:
		return "nothing"
	}
	return "a text"
}

func noun(v reflect.Value) string {
	switch v.Interface().(type) {
	case time.Duration:
		return "a length of time"
	case Percent:
		return "a share"
	case Rate:
		return "a rate"
	case Bits:
		return "a speed"
	}
	switch v.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	}
	return "a text"
}

func keys(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		if k := t.Field(i).Tag.Get("yaml"); k != "-" {
			out = append(out, k)
		}
	}
	return out
}

func field(t reflect.Type, key string) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == key && key != "-" {
			return i
		}
	}
	return -1
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// meant is the hint for a word that is not known.
func meant(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "one of " + strings.Join(known, ", ")
}

// nearest is the known word that takes the fewest letters to change, if these
// are at most a third.
func nearest(word string, known []string) string {
	best, least := "", 1<<30
	if len(word) > 40 {
		return ""
	}
	for _, k := range known {
		row := make([]int, len(k)+1)
		for j := range row {
			row[j] = j
		}
		for i := 1; i <= len(word); i++ {
			diagonal := row[0]
			row[0] = i
			for j := 1; j <= len(k); j++ {
				cost := diagonal
				if word[i-1] != k[j-1] {
					cost++
				}
				diagonal = row[j]
				row[j] = min(row[j]+1, row[j-1]+1, cost)
			}
		}
		if d := row[len(k)]; d < least && d <= max(1, max(len(k), len(word))/3) {
			best, least = k, d
		}
	}
	return best
}
