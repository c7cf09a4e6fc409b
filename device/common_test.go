package device

import (
	"reflect"
	"slices"
	"testing"
)

func TestCommon(t *testing.T) {
	if Common() != nil {
		t.Error("nobody can do something")
	}
	table, err := NewTable([]Profile{
		{Name: "hd", MaxHeight: 1080, Codecs: []string{"avc1", "mp4a", "hvc1"}, BaseURLs: 3, Evict: 404},
		{Name: "sd", MaxHeight: 576, Codecs: []string{"mp4a", "avc1"}, SDROnly: true, BaseURLs: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := Common(table.ByName("hd"), table.ByName("sd"))
	want := &Profile{Name: "hd+sd", MaxHeight: 576, Codecs: []string{"avc1", "mp4a"}, SDROnly: true, BaseURLs: 1, DRM: nil}
	if len(c.DRM) == 0 {
		c.DRM = nil
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v, want %+v", c, want)
	}
	c = Common(table.ByName("hlsjs"), table.ByName("shaka"))
	if c.Steering != SteersHLS || c.BaseURLs != 0 || !c.Redirects || c.Location || c.Evict != 404 {
		t.Errorf("%+v", c)
	}
	limits := map[string]bool{"SDROnly": true, "PlainBaseURL": true}
	// Whatever the profiles, the common one can no more than any of them.
	all := Shipped()
	for i := range all {
		for j := range all {
			c := reflect.ValueOf(*Common(&all[i], &all[j]))
			for _, p := range []Profile{all[i], all[j]} {
				v := reflect.ValueOf(p)
				for k := range v.NumField() {
					f := v.Field(k)
					if name := v.Type().Field(k).Name; f.Kind() == reflect.Bool && c.Field(k).Bool() != f.Bool() && f.Bool() == limits[name] {
						t.Errorf("%s and %s: %s", all[i].Name, all[j].Name, v.Type().Field(k).Name)
					}
				}
			}
		}
	}
	if again := Shipped(); !slices.EqualFunc(all, again, func(a, b Profile) bool { return reflect.DeepEqual(a, b) }) {
		t.Error("the profiles themselves were changed")
	}
}
