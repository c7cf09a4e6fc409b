package dash

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func corpusOf(t *testing.T, name string) *Template {
	t.Helper()
	src, err := os.ReadFile("testdata/corpus/" + name + ".mpd")
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, src)
}

func TestPeriods(t *testing.T) {
	for name, want := range map[string]string{
		"static-multi-period":  "1 0s+8s [0+2 2+1]; 2 8s+8s [3+2 5+1]; 3 16s+8s [6+2 8+1]; ",
		"live-multi-period":    "1 0s+20s [0+2 2+1]; 2 20s+8s [3+2]; 3 28s+0s [5+2]; ",
		"static-empty-period":  "1 0s+0s []; 2 0s+24s []; ",
		"live-timeline-offset": "17 1h0m0s+0s [0+2 2+1]; ",
		"no-children":          "",
	} {
		tmpl := corpusOf(t, name)
		var b strings.Builder
		for _, p := range tmpl.Periods() {
			fmt.Fprintf(&b, "%s %v+%v [", p.ID, p.Start, p.Duration)
			for i, s := range p.Sets {
				if i > 0 {
					b.WriteByte(' ')
				}
				fmt.Fprintf(&b, "%d+%d", s.First, s.Count)
				if text := string(tmpl.Source()[s.From:s.To]); !strings.HasPrefix(text, "<AdaptationSet") || !strings.HasSuffix(text, "</AdaptationSet>") {
					t.Errorf("%s: a set is %q", name, text)
				}
			}
			b.WriteString("]; ")
			if text := string(tmpl.Source()[p.From:p.To]); !strings.HasPrefix(text, "<Period") || !strings.HasSuffix(text, ">") {
				t.Errorf("%s: a Period is %q", name, text)
			}
		}
		if got := b.String(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestEvents(t *testing.T) {
	tmpl := corpusOf(t, "live-events")
	var b strings.Builder
	for _, e := range tmpl.Periods()[0].Events {
		fmt.Fprintf(&b, "%s %q %s %v+%v %.60q\n", e.Scheme, e.Value, e.ID, e.Start, e.Duration, strings.Join(strings.Fields(string(e.Raw)), " "))
		if text := string(tmpl.Source()[e.From:e.To]); !strings.HasPrefix(text, "<Event ") || !strings.HasSuffix(text, ">") {
			t.Errorf("an event is %q", text)
		}
	}
	want := `urn:scte:scte35:2014:xml+bin "" 101 10s+30s "<scte35:Signal xmlns:scte35=\"http://www.scte.org/schemas/35/"
urn:scte:scte35:2014:xml+bin "" 102 1m40s+0s "<![CDATA[<MPD><BaseURL>not ours</BaseURL></MPD>]]>"
urn:example:callback:2024 "1" 1 4s+0s "https://events.example/?a=1&b=2"
`
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	src := mpdTag + `<Period start="PT1M"><EventStream schemeIdUri="urn:a" timescale="10" presentationTimeOffset="100"><Event presentationTime="150"/><Event presentationTime="50"/></EventStream></Period>` +
		`<Period start="PT2M"><EventStream schemeIdUri="urn:b" timescale="0"><Event presentationTime="5" duration="7">x</Event></EventStream></Period></MPD>`
	b.Reset()
	for _, p := range compile(t, []byte(src)).Periods() {
		for _, e := range p.Events {
			fmt.Fprintf(&b, "%s %v+%v %s; ", e.Scheme, e.Start, e.Duration, e.Raw)
		}
	}
	if got, want := b.String(), "urn:a 1m5s+0s ; urn:a 55s+0s ; urn:b 2m5s+7s x; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSegments(t *testing.T) {
	// number:start+duration, "?" where not all are listed
	for _, c := range []struct {
		name string
		rep  int
		want string
	}{
		{"static-template-number", 0, "1:0s+4s 2:4s+4s 3:8s+4s 4:12s+4s 5:16s+4s 6:20s+4s"},
		{"static-template-time", 2, "1:0s+3.989333333s 2:3.989333333s+4.010666666s 3:8s+4.010666666s 4:12.010666666s+4.010666666s 5:16.021333333s+4.010666666s 6:20.032s+3.968s"},
		{"static-timeline-repeat-to-end", 0, "1:0s+4s 2:4s+4s 3:8s+4s 4:12s+4s 5:16s+4s 6:20s+4s"},
		{"static-timeline-repeat-to-next", 1, "1:0s+4s 2:4s+4s 3:8s+4s 4:12s+2s 5:14s+2s 6:16s+2s 7:18s+2s 8:20s+2s 9:22s+2s"},
		{"static-timeline-gap", 0, "1:0s+4s 2:4s+4s 3:16s+4s 4:20s+4s"},
		{"static-timeline-numbered", 0, "7:0s+4s 8:4s+4s 9:8s+4s 10:12s+4s 11:16s+4s 12:20s+4s"},
		{"static-template-inherited", 2, "1:0s+4s 2:4s+4s 3:8s+4s 4:12s+4s 5:16s+4s 6:20s+4s"},
		{"static-template-in-representation", 1, "0:0s+4s 1:4s+4s 2:8s+4s 3:12s+4s 4:16s+4s 5:20s+4s"},
		{"static-multi-period", 4, "1:8s+4s 2:12s+4s"},
		{"live-timeline-offset", 0, ""},
		{"live-multi-period", 4, "1:20s+4s 2:24s+4s"},
		{"live-multi-period", 5, "1:28s+4s 2:32s+4s 3:36s+4s 4:40s+4s 5:44s+4s"},
		{"segmentlist", 0, "1:0s+8s 2:8s+8s 3:16s+8s"},
		{"segmentlist-timeline-absolute", 0, "1:0s+8s 2:8s+8s 3:16s+8s"},
		{"ffmpeg-live-timeline", 0, "1:0s+2s 2:2s+2s"},
		{"live-number", 0, "?"},
		{"ondemand-segmentbase", 0, "1:0s+1m0.5s"},
		{"static-template-number", 99, "?"},
		{"static-template-number", -1, "?"},
	} {
		tmpl := corpusOf(t, c.name)
		list, all := tmpl.Segments(c.rep)
		var parts []string
		for _, s := range list {
			parts = append(parts, fmt.Sprintf("%d:%v+%v", s.Sequence, s.Start, s.Duration))
			if text := string(tmpl.Source()[s.From:s.To]); s.To > 0 && (!strings.HasPrefix(text, "<S ") || !strings.HasSuffix(text, ">")) {
				t.Errorf("%s: a segment comes from %q", c.name, text)
			}
		}
		if !all {
			parts = append(parts, "?")
		}
		got := strings.Join(parts, " ")
		if c.name == "live-timeline-offset" {
			if len(list) != 30 || list[0].Start != time.Hour || list[29].Start != time.Hour+58*time.Second {
				t.Errorf("%s: got %s", c.name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s, %d: got %s, want %s", c.name, c.rep, got, c.want)
		}
	}
}

// TestSegmentsAreBounded holds that S@r cannot make a list of any length.
func TestSegmentsAreBounded(t *testing.T) {
	tmpl := compile(t, []byte(mpdTag+`<Period><AdaptationSet><SegmentTemplate><SegmentTimeline><S d="1" r="99999999999999999999"/><S d="1"/></SegmentTimeline></SegmentTemplate><Representation/></AdaptationSet></Period></MPD>`))
	if list, all := tmpl.Segments(0); all || len(list) != maxListed {
		t.Errorf("%d segments, all: %v", len(list), all)
	}
	open := compile(t, []byte(mpdTag+`<Period><AdaptationSet><SegmentTemplate><SegmentTimeline><S t="3" d="2" r="-1"/></SegmentTimeline></SegmentTemplate><Representation/></AdaptationSet></Period></MPD>`))
	if list, all := open.Segments(0); all || len(list) != 1 || list[0].Start != 3*time.Second {
		t.Errorf("%v, all: %v", list, all)
	}
}
