package dash

import (
	"bytes"
	"testing"

	"manifold/internal/testkit/sample"
	"manifold/manifest"
)

// An MPD without Location and steering is shared by those with the same
// tokens; what names a session is not shared.
func TestShared(t *testing.T) {
	tmpl, err := Compile(sample.MPD(1, 5))
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{
		Path:   "manifest.mpd",
		Values: [][]byte{[]byte("session"), []byte("t=1&u=2")},
		Shape: &manifest.Shape{
			Prefix: "/news", Edge: "https://edge.example", Source: "https://origin.example/",
			Pathways:    []manifest.Pathway{{ID: "a", Base: "https://a.example/", Token: manifest.InPath, TokenAt: len("https://a.example/")}},
			SlotLengths: []int{7, 7},
		},
	}
	want := tmpl.Append(nil, plan)
	if tmpl.Shared(nil, false) != nil || tmpl.Shared(plan, false) != nil {
		t.Error("shared before anybody came twice")
	}
	plan.Values[0] = []byte("another")
	if got := tmpl.Shared(plan, false); !bytes.Equal(got, want) || !bytes.Contains(got, []byte("t=1&amp;u=2")) {
		t.Errorf("shared %q, want %q", got, want)
	}
	located := *plan.Shape
	located.Location = true
	plan.Shape = &located
	for range 3 {
		_ = tmpl.Append(nil, plan)
		if got := tmpl.Shared(plan, false); got != nil {
			t.Errorf("an MPD with a session in it is shared: %q", got)
		}
	}
}
