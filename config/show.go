package config

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Write writes the file with all that it leaves out: what is in force, in
// YAML that can be read back. References stay references.
func (f *File) Write(w io.Writer) error {
	var p printer
	p.fields(reflect.ValueOf(f).Elem(), "")
	_, err := io.WriteString(w, p.b.String())
	return err
}

type printer struct{ b strings.Builder }

// fields writes the keys of a struct, each on a line that begins with indent.
func (p *printer) fields(v reflect.Value, indent string) {
	info := infoOf(v.Type())
	for _, key := range info.keys {
		f := info.fields[key]
		p.entry(indent, key, v.Field(f.index), f)
	}
}

// entry writes one key and its value.
func (p *printer) entry(indent, key string, v reflect.Value, f *fieldInfo) {
	if l, ok := v.Interface().(PathwayList); ok { // its short forms are the usual ones
		if v = reflect.ValueOf(l.Set); len(l.List) > 0 {
			v = reflect.ValueOf(l.List)
		}
		f = nil
	}
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
	case v.Kind() == reflect.Pointer:
		p.entry(indent, key, v.Elem(), f)
	case v.Kind() == reflect.Struct:
		fmt.Fprintf(&p.b, "%s%s:\n", indent, key)
		p.fields(v, indent+"  ")
	case v.Kind() == reflect.Map && v.Len() > 0:
		fmt.Fprintf(&p.b, "%s%s:\n", indent, key)
		m := byKey(v)
		for _, k := range sortedKeys(m) {
			p.entry(indent+"  ", quote(k), m[k], nil)
		}
	case v.Kind() == reflect.Map:
		fmt.Fprintf(&p.b, "%s%s: {}\n", indent, key)
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct:
		fmt.Fprintf(&p.b, "%s%s:\n", indent, key)
		for i := range v.Len() {
			var item printer
			item.fields(v.Index(i), indent+"    ")
			p.b.WriteString(indent + "  - " + strings.TrimPrefix(item.b.String(), indent+"    "))
		}
	case v.Kind() == reflect.Slice:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = scalarYAML(v.Index(i), nil)
		}
		fmt.Fprintf(&p.b, "%s%s: [%s]\n", indent, key, strings.Join(texts, ", "))
	default:
		fmt.Fprintf(&p.b, "%s%s: %s\n", indent, key, scalarYAML(v, f))
	}
}

// scalarYAML writes one value so that it is read back as the same.
func scalarYAML(v reflect.Value, f *fieldInfo) string {
	if f != nil && v.CanInt() {
		for _, w := range f.words {
			if w.value == v.Int() {
				return w.text
			}
		}
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return durationText(x)
	case Size:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.String:
		return quote(v.String())
	}
	return strconv.FormatInt(v.Int(), 10)
}

// plainText is what needs no quotes in YAML, neither in a flow nor as a key.
var plainText = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9./_-]*(:/?/?[A-Za-z0-9./_-]+)*$`)

func quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(s)
	}
	if plainText.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// durationText writes a duration without the parts that are zero: 20s, 1h30m,
// 7d.
func durationText(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
