package config

import (
	"reflect"
	"strconv"

	"manifold/internal/problem"
)

// Change is one key whose value differs between two configurations. Elements
// of lists that have a name or id are told apart by it.
type Change struct {
	// Path is the key, as "channels.news.origin.urls".
	Path string
	// Restart says that it takes effect only when the program starts again.
	Restart bool

	old, new reflect.Value
}

// Changes lists what differs, in the order of the file.
func Changes(from, to *Config) []Change { return changes(from.File, to.File) }

// changes compares two pointers to structs of one type.
func changes(from, to any) []Change {
	var c comparison
	c.structs("", reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem(), false)
	return c.found
}

type comparison struct{ found []Change }

func (c *comparison) structs(path string, a, b reflect.Value, restart bool) {
	for i := range a.NumField() {
		tag := a.Type().Field(i).Tag
		c.values(problem.Join(path, tag.Get("yaml")), a.Field(i), b.Field(i), restart || tag.Get("reload") == "restart")
	}
}

func (c *comparison) values(path string, a, b reflect.Value, restart bool) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	switch {
	case a.Kind() == reflect.Struct:
		c.structs(path, a, b, restart)
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		c.structs(path, a.Elem(), b.Elem(), restart)
	case a.Kind() == reflect.Slice && nameOf(a.Type().Elem()) >= 0:
		c.maps(path, byName(a), byName(b), restart)
	case a.Kind() == reflect.Map:
		c.maps(path, byKey(a), byKey(b), restart)
	default:
		c.found = append(c.found, Change{path, restart, a, b})
	}
}

// maps compares elements by their names. What only changed its place is a
// change of the whole.
func (c *comparison) maps(path string, a, b map[string]reflect.Value, restart bool) {
	before := len(c.found)
	for _, name := range sortedKeys(a) {
		if other, ok := b[name]; ok {
			c.values(problem.Join(path, name), a[name], other, restart)
		} else {
			c.found = append(c.found, Change{Path: problem.Join(path, name), Restart: restart, old: a[name]})
		}
	}
	for _, name := range sortedKeys(b) {
		if _, ok := a[name]; !ok {
			c.found = append(c.found, Change{Path: problem.Join(path, name), Restart: restart, new: b[name]})
		}
	}
	if len(c.found) == before {
		c.found = append(c.found, Change{Path: path, Restart: restart})
	}
}

// nameOf gives the field that names an element, or -1.
func nameOf(t reflect.Type) int {
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if k := t.Field(i).Tag.Get("yaml"); (k == "name" || k == "id") && t.Field(i).Type.Kind() == reflect.String {
				return i
			}
		}
	}
	return -1
}

func byName(list reflect.Value) map[string]reflect.Value {
	m := map[string]reflect.Value{}
	field := nameOf(list.Type().Elem())
	for i := range list.Len() {
		name := list.Index(i).Field(field).String()
		if _, taken := m[name]; taken || name == "" {
			name += "#" + strconv.Itoa(i)
		}
		m[name] = list.Index(i)
	}
	return m
}

func byKey(v reflect.Value) map[string]reflect.Value {
	m := map[string]reflect.Value{}
	for _, k := range v.MapKeys() {
		m[k.String()] = v.MapIndex(k)
	}
	return m
}
