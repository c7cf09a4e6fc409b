package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"manifold/internal/testkit/sample"
)

// TestUnreadable asks for a clear word about what is no manifest.
func TestUnreadable(t *testing.T) {
	tests := map[string]struct {
		body       string
		text, cure string // parts of the one problem
	}{
		"empty":         {"", "it is empty", "the body is empty"},
		"a web page":    {"<!DOCTYPE html>\n<html><body>404</body></html>", "DOCTYPE", "web page"},
		"a bare page":   {"<html><head></head></html>", "root element is <html>", "web page"},
		"JSON":          {`{"error":"no such asset"}`, "#EXTM3U", "JSON"},
		"VAST":          {`<VAST version="4.2"></VAST>`, "root element is <VAST>", "ad server"},
		"Smooth":        {`<SmoothStreamingMedia MajorVersion="2"/>`, "root element", "Smooth"},
		"a TS segment":  {"\x47\x40\x00\x10" + strings.Repeat("\xff", 184) + "\x47", "#EXTM3U", "MPEG-TS"},
		"an MP4":        {"\x00\x00\x00\x18ftypiso6\x00\x00\x00\x00", "#EXTM3U", "MP4"},
		"gzip":          {"\x1f\x8b\x08\x00abc", "#EXTM3U", "gzip"},
		"WebVTT":        {"WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n", "#EXTM3U", "subtitle"},
		"broken XML":    {`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period></MPD>`, "does not match <Period>", ""},
		"a wrong root":  {`<MPD xmlns="urn:other"/>`, "not in the namespace", ""},
		"an entity":     {"<!DOCTYPE MPD [<!ENTITY a \"b\">]>\n<MPD>&a;</MPD>", "DOCTYPE", ""},
		"open quotes":   {"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"x\n", "unterminated quote", ""},
		"a long line":   {"#EXTM3U\n#" + strings.Repeat("x", 20<<10) + "\n", "longer than 16 KiB", ""},
		"a large one":   {"#EXTM3U\n" + strings.Repeat("#\n", 3<<20), "larger than 4 MiB", ""},
		"deep elements": {`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">` + strings.Repeat("<a>", 5000), "deeper than 64", ""},
	}
	for name, c := range tests {
		r := Inspect(&Source{Name: name, Body: []byte(c.body)}, atNoon)
		if r.Kind != "" || len(r.Problems) != 1 || r.Errors() != 1 {
			t.Errorf("%s: kind %q, problems %v", name, r.Kind, r.Problems)
			continue
		}
		p := r.Problems[0]
		if !strings.Contains(p.Text, c.text) || !strings.Contains(p.Cure, c.cure) {
			t.Errorf("%s: %+v, want %q and %q", name, p, c.text, c.cure)
		}
		if p.Line == 0 {
			t.Errorf("%s: the problem has no line", name)
		}
		var page bytes.Buffer
		if err := r.WriteText(&page, true); err != nil || !strings.Contains(page.String(), "not a manifest") {
			t.Errorf("%s: %v, page %q", name, err, page.String())
		}
	}
}

func TestControlCharacters(t *testing.T) {
	r := Inspect(&Source{Body: []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\x1b[2J\x01\na.ts\n#EXT-X-ENDLIST\n")}, atNoon)
	if r.Errors() != 1 || r.Problems[0].Line != 3 || r.Problems[0].Column != 11 || !strings.Contains(r.Problems[0].Text, "U+001B") {
		t.Errorf("%+v", r.Problems)
	}
	r = Inspect(&Source{Body: []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\xff\na.ts\n#EXT-X-ENDLIST\n")}, atNoon)
	if r.Errors() != 1 || r.Problems[0].Line != 3 || !strings.Contains(r.Problems[0].Text, "UTF-8") {
		t.Errorf("%+v", r.Problems)
	}
}

// TestPagesNeverMoveTheCursor puts what a terminal would act on everywhere.
func TestPagesNeverMoveTheCursor(t *testing.T) {
	const evil = "\x1b[31m\a\x9b2J\u202e"
	for _, body := range []string{
		"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"" + evil + "\",AUDIO=\"" + evil + "\",PATHWAY-ID=\"" + evil + "\"\n" + evil + "\n#EXT-X-MEDIA:TYPE=" + evil + ",NAME=\"" + evil + "\"\n",
		"#EXTM3U\n#EXT-X-TARGETDURATION:" + evil + "\n#EXT-X-CUE-OUT:" + evil + "\n#EXT-X-DATERANGE:ID=\"" + evil + "\",CLASS=\"" + evil + "\"\n#EXTINF:" + evil + "\n" + evil + "\n#EXT-X-KEY:METHOD=" + evil + ",URI=\"" + evil + "\"\n",
		"<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" id=\"\u202e\" profiles=\"\u009b\"><BaseURL>\u009b</BaseURL><Period id=\"\u202e\"/></MPD>",
	} {
		r := Inspect(&Source{Name: evil, Body: []byte(body)}, atNoon)
		var page bytes.Buffer
		if err := r.WriteText(&page, false); err != nil {
			t.Fatal(err)
		}
		for _, c := range page.String() {
			if c < ' ' && c != '\n' || c >= 0x7f && c <= 0x9f || c == '\u202e' {
				t.Errorf("the page has %U:\n%q", c, page.String())
				break
			}
		}
	}
}

// TestBounds gives large and hostile manifests: each is read in bounded time.
func TestBounds(t *testing.T) {
	var groups, doubles, unknown, sets, shared, timeline strings.Builder
	groups.WriteString("#EXTM3U\n")
	for i := range 4000 {
		fmt.Fprintf(&groups, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"%d\",NAME=\"%d\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"%d\"\nv.m3u8\n", i, i, i%7)
	}
	doubles.WriteString("#EXTM3U\n")
	unknown.WriteString("#EXTM3U\n")
	for i := range 100_000 {
		fmt.Fprintf(&unknown, "#EXT-X-TARGETDURATIO%d\n", i)
	}
	for range 90_000 {
		doubles.WriteString("#EXT-X-DATERANGE:ID=\"a\",X=1\n")
	}
	const head = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>`
	sets.WriteString(head)
	for range 60_000 {
		sets.WriteString(`<AdaptationSet><Representation/></AdaptationSet>`)
	}
	sets.WriteString(`</Period></MPD>`)
	shared.WriteString(head + `<AdaptationSet><SegmentTemplate media="$Time$"><SegmentTimeline>` + strings.Repeat(`<S d="1" r="9"/>`, 90_000) + `</SegmentTimeline></SegmentTemplate>`)
	shared.WriteString(strings.Repeat(`<Representation/>`, 90_000) + `</AdaptationSet></Period></MPD>`)
	timeline.WriteString(head)
	for range 2000 {
		timeline.WriteString(`<AdaptationSet><SegmentTemplate media="$Time$"><SegmentTimeline><S d="1" r="99999999"/></SegmentTimeline></SegmentTemplate><Representation/></AdaptationSet>`)
	}
	timeline.WriteString(`</Period></MPD>`)
	for name, body := range map[string]string{
		"groups": groups.String(), "doubles": doubles.String(), "unknown": unknown.String(), "sets": sets.String(),
		"shared": shared.String(), "timeline": timeline.String(), "vod": string(sample.Playlist(90_000, true)),
		"comments": head + strings.Repeat("<!---->x", 190_000) + `</Period></MPD>`,
	} {
		from := time.Now() // for the bound below
		r := Inspect(&Source{Name: name, Body: []byte(body)}, time.Now)
		took := time.Since(from)
		if r.Kind == "" || len(r.Problems) > maxProblems {
			t.Errorf("%s: kind %q, %d problems: %v", name, r.Kind, len(r.Problems), r.Problems[:min(3, len(r.Problems))])
		}
		if took > 30*time.Second { // a bound on its order, also under the race detector
			t.Errorf("%s took %v", name, took)
		}
		var page bytes.Buffer
		if err := r.WriteText(&page, false); err != nil || page.Len() > 1<<20 {
			t.Errorf("%s: a page of %d bytes, %v", name, page.Len(), err)
		}
	}
}

// TestJSON reads reports back.
func TestJSON(t *testing.T) {
	for _, pattern := range corpora {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := Inspect(&Source{Name: file, Body: body}, atNoon)
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back Report
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			again, err := json.Marshal(&back)
			if err != nil || !bytes.Equal(text, again) {
				t.Errorf("%s: %v\n%s\n%s", file, err, text, again)
			}
			if back.Errors() != r.Errors() || back.Warnings() != r.Warnings() {
				t.Errorf("%s: grades were lost", file)
			}
		}
	}
}

// FuzzInspect asks of any input: no panic, a page that fits, JSON that reads
// back.
func FuzzInspect(f *testing.F) {
	for _, pattern := range corpora {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body)
		}
	}
	f.Add([]byte("#EXTM3U\n#EXTINF:\n#EXT-X-PROGRAM-DATE-TIME:2026-11-23T05:16:57Z\n0\n#EXTINF:0700\n#EXT-X-PROGRAM-DATE-TIME:0026-11-23T05:16:59Z\nc"))
	f.Add([]byte("#EXTM3U\n#EXT-X-MAP:\n0"))
	f.Add([]byte("#EXTM3U\n#EXT-X-KEY:\n00"))
	f.Add([]byte("#EXTM3U\n#EXT-X-DATERANGE:ID=\"\",START-DATE=\"0000-01-01T00:00:00Z\",END-DATE=\"9999-01-01T00:00:00Z\"\n"))
	f.Add([]byte(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><SegmentTemplate><SegmentTimeline><S t="18446744073709551615" d="18446744073709551615" r="9223372036854775807"/></SegmentTimeline></SegmentTemplate><Representation/></AdaptationSet></Period></MPD>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := Inspect(&Source{Name: "input", Body: body, HTTP: &Answer{}}, atNoon)
		var page bytes.Buffer
		if err := r.WriteText(&page, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(page.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > pageWidth {
				t.Errorf("a line of %d columns: %q", n, line)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}
