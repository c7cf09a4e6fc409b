package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
)

// decoder fills a [File] from a document. It goes on after a problem, so that
// all of them are found in one pass, and notes where each path stands, for
// problems that are only found when the whole is known.
type decoder struct {
	found   []Located
	where   map[string]*token.Token
	anchors map[string]ast.Node
	open    map[string]bool // anchors being resolved
	types   map[reflect.Type]*structInfo
	left    int            // nodes that may still be read: aliases multiply them
	secrets []*token.Token // texts that must not be shown
	spent   bool
}

// defaulted is a type whose values do not begin as zero. name is the value's
// key of that name, where it has one.
type defaulted interface{ defaults(name string) }

// decode fills v, a pointer to a struct.
func decode(root ast.Node, v any) *decoder {
	d := &decoder{
		where: map[string]*token.Token{}, anchors: map[string]ast.Node{}, open: map[string]bool{},
		types: map[reflect.Type]*structInfo{},
	}
	if root == nil {
		return d
	}
	d.left = 4*d.survey(root) + 10_000
	d.value("", root, reflect.ValueOf(v).Elem(), nil)
	return d
}

// survey finds all anchors and counts the nodes.
func (d *decoder) survey(n ast.Node) int {
	count := 1
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			count += d.survey(v)
		}
	case *ast.MappingValueNode:
		count += 1 + d.survey(n.Value)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			count += d.survey(v)
		}
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		if _, twice := d.anchors[name]; twice {
			d.add("", n.GetToken(), "each anchor needs a name of its own", "the anchor &%s is there twice", name)
		} else {
			d.anchors[name] = n.Value
		}
		count += d.survey(n.Value)
	}
	return count
}

// maxFound ends the search: nobody repairs a file that has more.
const maxFound = 1000

// add notes a problem at a token.
func (d *decoder) add(path string, t *token.Token, hint, format string, args ...any) {
	if len(d.found) >= maxFound {
		d.spent = true
		return
	}
	l := at(t, fmt.Sprintf(format, args...), hint)
	l.Path = path
	d.found = append(d.found, *l)
}

// resolve follows anchors and aliases to the node that they stand for. done
// must be called when the node has been read; nil stands for what cannot be
// resolved and has been told.
func (d *decoder) resolve(path string, n ast.Node) (_ ast.Node, done func()) {
	var names []string
	done = func() {
		for _, name := range names {
			delete(d.open, name)
		}
	}
	for {
		switch a := n.(type) {
		case *ast.AnchorNode:
			name := a.Name.GetToken().Value
			d.open[name] = true
			names = append(names, name)
			n = a.Value
		case *ast.AliasNode:
			name := a.Value.GetToken().Value
			target, ok := d.anchors[name]
			switch {
			case !ok:
				d.add(path, a.GetToken(), didYouMean(name, sortedKeys(d.anchors)), "there is no anchor &%s", name)
				return nil, done
			case d.open[name]:
				d.add(path, a.GetToken(), "", "the alias *%s stands for something that it is part of", name)
				return nil, done
			}
			d.open[name] = true
			names = append(names, name)
			n = target
		default:
			return n, done
		}
	}
}

// spend counts a node that is read, and tells whether there were too many.
func (d *decoder) spend(path string, n ast.Node) bool {
	if d.left--; d.left < 0 && !d.spent {
		d.add(path, firstToken(n), "write out what is meant", "the aliases make the file many times larger than it is")
		d.spent = true
	}
	return d.spent
}

// value reads n into v. f is the field that v is, or nil.
func (d *decoder) value(path string, n ast.Node, v reflect.Value, f *fieldInfo) {
	if d.spend(path, n) {
		return
	}
	t := firstToken(n)
	n, done := d.resolve(path, n)
	defer done()
	if n == nil {
		return
	}
	if _, have := d.where[path]; !have && path != "" && isScalar(n) {
		d.where[path] = t
	}
	if n.Type() == ast.NullType && v.Kind() != reflect.String && v.Kind() != reflect.Int && v.Kind() != reflect.Int64 && v.Kind() != reflect.Float64 && v.Kind() != reflect.Bool {
		return // a key whose contents are all comments
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.begin(p, n)
		d.value(path, n, p.Elem(), f)
		v.Set(p)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Map:
		d.mapping(path, n, v)
	case reflect.Slice:
		d.list(path, n, v, f)
	default:
		d.scalar(path, n, v, f)
	}
}

// begin gives a new value its defaults.
func (d *decoder) begin(p reflect.Value, n ast.Node) {
	if def, ok := p.Interface().(defaulted); ok {
		def.defaults(d.nameIn(n))
	}
}

// nameIn gives the key "name" of a mapping, or "".
func (d *decoder) nameIn(n ast.Node) string {
	n, done := d.resolve("", n)
	defer done()
	for _, v := range mappingValues(n) {
		if keyText(v.Key) == "name" {
			if text, ok := scalarText(v.Value); ok {
				return text
			}
		}
	}
	return ""
}

func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	info := d.info(v.Type())
	if !isMapping(n) {
		short := info.scalar
		if n.Type() == ast.SequenceType {
			short = info.list
		}
		if short == nil {
			d.mismatch(path, n, "a mapping", "its keys are "+listed(info.keys))
			return
		}
		d.value(problem.Join(path, short.key), n, v.Field(short.index), short)
		return
	}
	for _, e := range d.entries(path, n) {
		if d.spent {
			return
		}
		f := info.fields[e.key]
		at := problem.Join(path, e.key)
		if f == nil {
			if path == "" && strings.HasPrefix(e.key, "x-") {
				continue // a place for anchors
			}
			if info.secret || secretWord.MatchString(e.key) {
				d.hide(e.value)
			}
			d.add(at, e.token, d.unknownHint(e.key, info), "unknown key %q", e.key)
			continue
		}
		d.where[at] = e.token
		if isScalar(e.value) {
			d.where[at] = firstToken(e.value)
		}
		d.value(at, e.value, v.Field(f.index), f)
	}
}

// unknownHint says which key was meant, where it belongs, or which there are.
func (d *decoder) unknownHint(key string, info *structInfo) string {
	if h := didYouMean(key, info.keys); h != "" {
		return h
	}
	for _, k := range info.keys {
		t := info.fields[k].typ
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && d.info(t).fields[key] != nil {
			return "it belongs under " + k
		}
	}
	return "the keys here are " + listed(info.keys)
}

func (d *decoder) mapping(path string, n ast.Node, v reflect.Value) {
	if !isMapping(n) {
		d.mismatch(path, n, "a mapping", "")
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, e := range d.entries(path, n) {
		at := problem.Join(path, e.key)
		d.where[at] = e.token
		elem := reflect.New(v.Type().Elem())
		d.begin(elem, e.value)
		d.value(at, e.value, elem.Elem(), nil)
		m.SetMapIndex(reflect.ValueOf(e.key), elem.Elem())
	}
	if m.Len() == 0 {
		m = reflect.Zero(v.Type())
	}
	v.Set(m)
}

func (d *decoder) list(path string, n ast.Node, v reflect.Value, f *fieldInfo) {
	elem := v.Type().Elem()
	nodes := []ast.Node{n}
	if s, ok := n.(*ast.SequenceNode); ok {
		nodes = s.Values
	} else if !d.isEntry(n, elem) {
		d.mismatch(path, n, "a list", `begin each entry with "- "`)
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, min(len(nodes), 1<<16))
	for i, item := range nodes {
		at := problem.At(path, i)
		if t := firstToken(item); t != nil {
			d.where[at] = t
		}
		p := reflect.New(elem)
		d.begin(p, item)
		d.value(at, item, p.Elem(), f)
		out = reflect.Append(out, p.Elem())
		if d.spent {
			break
		}
	}
	if len(nodes) == 0 {
		out = reflect.Zero(v.Type())
	}
	v.Set(out)
}

// isEntry tells whether n stands for a list of one: a scalar where entries may
// be scalars, or a mapping with a key of theirs.
func (d *decoder) isEntry(n ast.Node, elem reflect.Type) bool {
	if elem.Kind() != reflect.Struct {
		return isScalar(n)
	}
	info := d.info(elem)
	if isScalar(n) {
		return info.scalar != nil
	}
	return slices.ContainsFunc(mappingValues(n), func(v *ast.MappingValueNode) bool { return info.fields[keyText(v.Key)] != nil })
}

// mismatch tells that n is of the wrong kind.
func (d *decoder) mismatch(path string, n ast.Node, want, hint string) {
	what := kindOf(n)
	if text, ok := scalarText(n); ok && what == "a text" {
		what = fmt.Sprintf("%q", clip(text))
	}
	d.add(path, firstToken(n), hint, "%s stands where %s belongs", what, want)
}

// hide keeps all texts of a node from being shown.
func (d *decoder) hide(n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.hide(v.Value)
		}
	case *ast.MappingValueNode:
		d.hide(n.Value)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			d.hide(v)
		}
	case *ast.AnchorNode:
		d.hide(n.Value)
	default:
		if n != nil && n.GetToken() != nil {
			d.secrets = append(d.secrets, n.GetToken())
		}
	}
}
