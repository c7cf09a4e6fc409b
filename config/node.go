package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
)

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	token *token.Token
	value ast.Node
}

// entries gives the keys of a mapping, each once: what "<<" merges in comes
// after what stands there itself, and is overridden by it (yaml.org/type/merge).
func (d *decoder) entries(path string, n ast.Node) []entry {
	var own, merged []entry
	have := map[string]*token.Token{}
	for _, v := range mappingValues(n) {
		if v.Key.IsMergeKey() {
			merged = d.merge(path, v.Value, merged)
			continue
		}
		e := entry{keyText(v.Key), v.Key.GetToken(), v.Value}
		if first := have[e.key]; first != nil {
			d.add(problem.Join(path, e.key), e.token, "take one of them out", "the key %q is there twice, first in line %d", e.key, first.Position.Line)
			continue
		}
		have[e.key] = e.token
		own = append(own, e)
	}
	for _, e := range merged {
		if have[e.key] == nil {
			have[e.key] = e.token
			own = append(own, e)
		}
	}
	return own
}

// merge adds the keys of a "<<" value: an alias of a mapping, or a list of
// such, of which the first that has a key wins.
func (d *decoder) merge(path string, n ast.Node, out []entry) []entry {
	if d.spend(path, n) {
		return out
	}
	t := firstToken(n)
	n, done := d.resolve(path, n)
	defer done()
	switch s, list := n.(*ast.SequenceNode); {
	case n == nil:
	case list:
		for _, v := range s.Values {
			out = d.merge(path, v, out)
		}
	case isMapping(n):
		add := d.entries(path, n)
		d.left -= len(add)
		out = append(out, add...)
	default:
		d.add(path, t, "write <<: *name, with &name at the mapping", "what is merged in is not a mapping")
	}
	return out
}

func mappingValues(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func isMapping(n ast.Node) bool {
	return n.Type() == ast.MappingType || n.Type() == ast.MappingValueType
}

// isScalar tells whether n is one text; what an alias stands for is not looked
// at.
func isScalar(n ast.Node) bool {
	_, ok := scalarText(n)
	return ok || n.Type() == ast.AliasType || n.Type() == ast.NullType
}

// scalarText is a scalar as it is written, without quotes.
func scalarText(n ast.Node) (string, bool) {
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

func keyText(k ast.MapKeyNode) string {
	if text, ok := scalarText(k); ok {
		return text
	}
	if t := k.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

// firstToken is where a node begins, for a reader: the first key of a mapping,
// the bracket or first entry of a list.
func firstToken(n ast.Node) *token.Token {
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

// kindOf names what a node is.
func kindOf(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.NullType:
		return "nothing"
	case ast.BoolType:
		return "true or false"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	}
	return "a text"
}

// structInfo is what the tags of a struct say.
type structInfo struct {
	keys         []string // in the order of the struct
	fields       map[string]*fieldInfo
	scalar, list *fieldInfo // what stands for the whole
	secret       bool       // a field is a Ref
}

// fieldInfo is what the tags of a field say.
type fieldInfo struct {
	key      string
	index    int
	typ      reflect.Type
	one      []string
	words    []word
	min, max string
}

// word stands for a value.
type word struct {
	text  string
	value int64
}

var (
	refType    = reflect.TypeFor[Ref]()
	refsType   = reflect.TypeFor[[]Ref]()
	secretWord = regexp.MustCompile(`(?i)key|secret|token|salt|password|credential`)
)

// info reads the tags of a struct, once.
func (d *decoder) info(t reflect.Type) *structInfo {
	if have := d.types[t]; have != nil {
		return have
	}
	info := infoOf(t)
	d.types[t] = info
	return info
}

func infoOf(t reflect.Type) *structInfo {
	info := &structInfo{fields: map[string]*fieldInfo{}}
	for i := range t.NumField() {
		s := t.Field(i)
		f := &fieldInfo{
			key: s.Tag.Get("yaml"), index: i, typ: s.Type, one: strings.Fields(s.Tag.Get("one")),
			words: parseWords(s.Tag.Get("word")), min: s.Tag.Get("min"), max: s.Tag.Get("max"),
		}
		info.keys = append(info.keys, f.key)
		info.fields[f.key] = f
		info.secret = info.secret || s.Type == refType || s.Type == refsType
		for _, kind := range strings.Fields(s.Tag.Get("short")) {
			if kind == "scalar" {
				info.scalar = f
			} else {
				info.list = f
			}
		}
	}
	return info
}

// sortedKeys gives the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
