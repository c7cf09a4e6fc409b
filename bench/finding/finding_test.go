package finding

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func found(l *Log, id ID, where string, after time.Duration) {
	l.Add(Finding{Rule: Of(id), Where: where, At: at.Add(after), Said: "said " + string(id), Reload: 7, Previous: 6,
		Before: []Line{{4, "#EXT-X-MEDIA-SEQUENCE:812"}}, After: []Line{{4, "#EXT-X-MEDIA-SEQUENCE:3"}}})
}

func report(l *Log, known map[ID]string) *Report {
	r := &Report{URL: "http://x.test/", Kind: "HLS", Began: at, Ended: at.Add(time.Minute)}
	r.Fill(l, known)
	return r
}

// Consequences stand under their root, wherever they were seen first, and the
// same finding at many places is one.
func TestTree(t *testing.T) {
	var l Log
	for i := range 20 {
		where := fmt.Sprintf("playlist %02d", i)
		found(&l, "hls-date-jump", where, 0)
		found(&l, "hls-segment-uri-changed", where, time.Second)
		found(&l, "hls-media-sequence-back", where, time.Second)
		found(&l, "hls-media-sequence-back", where, 2*time.Second)
	}
	found(&l, "segment-unavailable", "another", time.Second)
	r := report(&l, nil)
	if len(r.Findings) != 2 {
		t.Fatalf("%d roots", len(r.Findings))
	}
	root := r.Findings[0]
	if root.Rule.ID != "hls-media-sequence-back" || root.Count != 40 || len(root.Places) != maxPlaces || root.MorePlaces != 19-maxPlaces || len(root.Under) != 2 {
		t.Errorf("root %s, %d times, %d places and %d more, %d under it", root.Rule.ID, root.Count, len(root.Places), root.MorePlaces, len(root.Under))
	}
	if v, _, _, _ := r.Counts(); v != 2 || !r.Failed() {
		t.Errorf("%d violations", v)
	}
}

// A consequence long before its cause is none.
func TestTimeMatters(t *testing.T) {
	var l Log
	found(&l, "hls-segment-uri-changed", "x", 0)
	found(&l, "hls-media-sequence-back", "x", time.Minute)
	if r := report(&l, nil); len(r.Findings) != 2 {
		t.Errorf("%d roots", len(r.Findings))
	}
}

func TestKnown(t *testing.T) {
	var l Log
	found(&l, "hls-media-sequence-back", "x", 0)
	found(&l, "hls-segment-uri-changed", "x", 0)
	found(&l, "views-differ", "x", 0)
	r := report(&l, map[ID]string{"hls-media-sequence-back": "agreed"})
	v, w, n, k := r.Counts()
	if v != 0 || w != 1 || n != 0 || k != 1 || r.Failed() {
		t.Errorf("%d violations, %d warnings, %d notes, %d known", v, w, n, k)
	}
}

func TestLogIsBounded(t *testing.T) {
	var l Log
	for i := range maxFindings + 10 {
		found(&l, "hls-syntax", fmt.Sprint(i), 0)
	}
	r := report(&l, nil)
	if r.Lost != 10 || !r.Failed() {
		t.Errorf("%d lost", r.Lost)
	}
	l.Add(Finding{Rule: Of("hls-syntax"), Where: "0", Said: strings.Repeat("x", 1<<20)})
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil || b.Len() > 64<<10 {
		t.Errorf("%d bytes of text, %v", b.Len(), err)
	}
}

func TestForms(t *testing.T) {
	var l Log
	found(&l, "hls-media-sequence-back", "alpha 640x360", 0)
	found(&l, "hls-segment-uri-changed", "alpha 640x360", 0)
	l.Add(Finding{Rule: Of("not-a-manifest"), Where: "evil\x1b[31m\n\u202e", At: at})
	r := report(&l, nil)
	var text, js bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"VIOLATION  hls-media-sequence-back", "before      4 | #EXT-X-MEDIA-SEQUENCE:812", "after       4 | #EXT-X-MEDIA-SEQUENCE:3",
		"clause  rfc8216bis 6.2.2", "cure    keep", "hence   hls-segment-uri-changed", "reload 7 after 6", "FAILED: 2 violations"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.ContainsAny(text.String(), "\x1b\u202e") {
		t.Error("control characters pass")
	}
	if err := r.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Failed   bool
		Findings []struct {
			Rule         string
			Before       []Line
			Consequences []struct{ Rule string }
		}
	}
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || !back.Failed || len(back.Findings) != 2 || back.Findings[0].Consequences[0].Rule != "hls-segment-uri-changed" {
		t.Errorf("%+v, %v", back, err)
	}
	clean := report(&Log{}, nil)
	text.Reset()
	if err := clean.WriteText(&text); err != nil || !strings.Contains(text.String(), "PASSED: nothing found.") {
		t.Errorf("%s %v", text.String(), err)
	}
}
