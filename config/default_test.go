package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold"
)

// The file of defaults says what the program does without it.
func TestDefaultFile(t *testing.T) {
	f, d, bad := read([]byte(manifold.Defaults))
	if bad != nil {
		t.Fatal(bad)
	}
	for _, p := range d.found {
		t.Error(p.Line, p.Problem)
	}
	if want := Default(); !reflect.DeepEqual(f, want) {
		for _, c := range changes(want, f) {
			t.Errorf("%s is not the compiled default", c.Path)
		}
	}
	if _, err := Parse("manifold.yml", []byte(manifold.Defaults)); err != nil {
		t.Error(err)
	}
}

// An empty file means the defaults.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "listen:\nchannels:\n", "{}"} {
		f, d, bad := read([]byte(text))
		if bad != nil || len(d.found) > 0 || !reflect.DeepEqual(f, Default()) {
			t.Errorf("%q: %v %v", text, bad, d)
		}
	}
}

// example finds the lines of manifold.yml that are examples: a comment that
// begins with a key or a list entry.
var example = regexp.MustCompile(`^( *)# ( *(?:- )?[a-z_0-9]+:(?: .*)?)$`)

// withExamples is manifold.yml with its examples turned on.
func withExamples() string {
	lines := strings.Split(manifold.Defaults, "\n")
	started := false
	for i, line := range lines {
		started = started || strings.HasPrefix(line, "log:") // before it stands the introduction
		if m := example.FindStringSubmatch(line); m != nil && started {
			lines[i] = m[1] + m[2]
		}
	}
	return strings.Join(lines, "\n")
}

// Every key of every section stands in manifold.yml, and the examples of lists
// show the defaults of their elements.
func TestDefaultFileIsComplete(t *testing.T) {
	f, d, bad := read([]byte(withExamples()))
	if bad != nil {
		t.Fatal(bad)
	}
	for _, p := range d.found {
		t.Error(p.Line, p.Problem)
	}
	index := regexp.MustCompile(`\[\d+\]`)
	have := map[string]bool{}
	for path := range d.where {
		have[index.ReplaceAllString(strings.Replace(path, "pathways.main", "pathways", 1), "")] = true
	}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if path != "" && !have[path] {
			t.Errorf("%s is missing", path)
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		if typ == reflect.TypeFor[PathwayList]() {
			return // shown by its short forms
		}
		if typ == reflect.TypeFor[Where]() && !strings.HasSuffix(path, ".only") {
			return // shown once
		}
		for _, k := range infoOf(typ).keys {
			walk(strings.TrimPrefix(path+"."+k, "."), infoOf(typ).fields[k].typ)
		}
	}
	walk("", reflect.TypeFor[File]())
	if len(f.Channels) != 1 || len(f.Pathways) != 1 || len(f.Devices) != 1 {
		t.Fatal("the examples were not read")
	}
	for path, v := range map[string]any{
		"channels": &f.Channels[0], "pathways": &f.Pathways["main"][0], "token": f.Pathways["main"][0].Token,
		"probe": f.Pathways["main"][0].Probe, "devices": &f.Devices[0], "tiers": &f.Channels[0].Tiers[0], "cohorts": &f.Channels[0].Cohorts[0], "audio": &f.Transcoder.Audio[0],
	} {
		fresh := reflect.New(reflect.TypeOf(v).Elem())
		if def, ok := fresh.Interface().(defaulted); ok {
			def.defaults("")
		}
		for _, c := range changes(fresh.Interface(), v) {
			if k := c.new.Kind(); k != reflect.String && k != reflect.Slice && k != reflect.Pointer && k != reflect.Struct && k != reflect.Invalid {
				t.Errorf("%s: the example's %s is %v, the default %v", path, c.Path, c.new, c.old)
			}
		}
	}
}

// The tags of the structs are themselves right: every field has a key, every
// bound can be read, every word is a word.
func TestTags(t *testing.T) {
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		info := infoOf(typ)
		if len(info.fields) != typ.NumField() {
			t.Errorf("%v: keys are missing or twice", typ)
		}
		for _, f := range info.fields {
			for _, b := range []string{f.min, f.max} {
				if _, err := parseNumber(f.typ, b); b != "" && err != nil {
					t.Errorf("%v.%s: bound %q: %v", typ, f.key, b, err)
				}
			}
			if (f.min != "" || f.max != "" || len(f.words) > 0) && f.typ.Kind() != reflect.Int && f.typ.Kind() != reflect.Int64 && f.typ != reflect.TypeFor[[]int]() {
				t.Errorf("%v.%s: bounds and words are for whole numbers, durations and sizes", typ, f.key)
			}
			if f.key == "" || strings.ToLower(f.key) != f.key {
				t.Errorf("%v: key %q", typ, f.key)
			}
			walk(f.typ)
		}
	}
	walk(reflect.TypeFor[File]())
	if s := (7 * 24 * time.Hour); durationText(s) != "7d" {
		t.Error(durationText(s))
	}
}
