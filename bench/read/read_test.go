package read

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/bench/finding"
)

const goodMedia = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,CAN-SKIP-UNTIL=24.0
#EXT-X-PART-INF:PART-TARGET=1.0
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-DEFINE:NAME="d",VALUE="dir"
#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x0102
#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z
#EXTINF:4.0,title, with a comma
{$d}/7.m4s?x=1
#EXT-X-BYTERANGE:1000@500
#EXTINF:3.5,
all.m4s
#EXT-X-BYTERANGE:200
#EXTINF:4,
all.m4s
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=NONE
#EXT-X-MAP:URI="ad.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:17.178Z
#EXTINF:4.00001,
10.m4s
#EXT-X-PART:DURATION=1.0,URI="11.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="11.1.m4s"
#EXT-X-RENDITION-REPORT:URI="b.m3u8",LAST-MSN=10,LAST-PART=0
#EXT-X-DATERANGE:ID="x",START-DATE="2026-01-02T03:04:05Z",DURATION=3.5,X-COM-A="y,z",SCTE35-OUT=0xFC30
`

func TestMedia(t *testing.T) {
	at, _ := url.Parse("http://x.test/a/b.m3u8")
	m := ParseMedia([]byte(goodMedia), Environment{URL: at})
	if len(m.Problems) != 0 {
		t.Errorf("problems: %v", m.Problems)
	}
	if p := SecondMedia([]byte(goodMedia), m); len(p) != 0 {
		t.Errorf("the views differ: %v", p)
	}
	if len(m.Segments) != 4 || m.End() != 11 || m.Target != 4*time.Second || m.PartTarget != time.Second || !m.Control.CanBlockReload || m.Control.CanSkipUntil != 24*time.Second {
		t.Fatalf("%+v", m)
	}
	s := m.Segments
	if s[0].URI != "dir/7.m4s?x=1" || s[0].Line.Number != 13 || s[0].Date.Nanosecond() != 678e6 || s[0].Map.Range.Length != 700 || s[0].Keys[0].IV != "0x0102" {
		t.Errorf("first segment: %+v", s[0])
	}
	if s[2].Range.Offset != 1500 || s[2].Range.Length != 200 || s[2].Duration != 4*time.Second {
		t.Errorf("third segment: %+v", s[2])
	}
	if s[2].DSN != 3 || s[3].DSN != 4 || s[3].MSN != 10 || !s[3].Discontinuity || s[3].Map.URI != "ad.mp4" || s[3].Keys[0].Method != "NONE" || s[3].Duration != 4*time.Second+10*time.Microsecond {
		t.Errorf("last segment: %+v", s[3])
	}
	if len(m.Parts) != 1 || len(m.Hints) != 1 || m.Reports[0].LastMSN != 10 || m.DateRanges[0].Attrs["X-COM-A"] != "y,z" || m.DateRanges[0].Duration != 3500*time.Millisecond {
		t.Errorf("parts %v, hints %v, reports %v, ranges %v", m.Parts, m.Hints, m.Reports, m.DateRanges)
	}
}

// Each mistake has its rule and its line.
func TestMediaProblems(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n"
	for name, c := range map[string]struct {
		text string
		rule finding.ID
		line int
	}{
		"no first line":          {"#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n#EXT-X-ENDLIST\n", "hls-syntax", 1},
		"byte order mark":        {"\ufeff" + head + "#EXTINF:4,\na\n", "hls-syntax", 1},
		"no target":              {"#EXTM3U\n#EXTINF:4,\na\n", "hls-syntax", 1},
		"twice":                  {head + "#EXT-X-TARGETDURATION:5\n", "hls-syntax", 4},
		"no comma":               {head + "#EXTINF:4\na\n", "hls-syntax", 4},
		"bad duration":           {head + "#EXTINF:-4,\na\n", "hls-syntax", 4},
		"no EXTINF":              {head + "a\n", "hls-syntax", 4},
		"no URI":                 {head + "#EXTINF:4,\n", "hls-syntax", 4},
		"MAP without URI":        {head + "#EXT-X-MAP:\n0\n", "hls-syntax", 4},
		"KEY without method":     {head + "#EXT-X-KEY:\n00\n", "hls-syntax", 4},
		"open quote":             {head + "#EXT-X-KEY:METHOD=AES-128,URI=\"k\n", "hls-syntax", 4},
		"attribute twice":        {head + "#EXT-X-KEY:METHOD=NONE,METHOD=NONE\n", "hls-syntax", 4},
		"control character":      {head + "#EXTINF:4,\x01\na\n", "hls-syntax", 4},
		"not UTF-8":              {head + "#EXTINF:4,\xff\na\n", "hls-syntax", 4},
		"late sequence":          {head + "#EXTINF:4,\na\n#EXT-X-MEDIA-SEQUENCE:4\n", "hls-syntax", 6},
		"a tag of the other":     {head + "#EXT-X-STREAM-INF:BANDWIDTH=1\n", "hls-syntax", 4},
		"too long":               {head + "#EXTINF:4.5,\na\n", "hls-target-exceeded", 4},
		"range without offset":   {head + "#EXT-X-BYTERANGE:10\n#EXTINF:4,\na\n", "hls-byterange", 6},
		"undefined":              {head + "#EXTINF:4,\n{$x}\n", "hls-undefined-variable", 5},
		"fMP4 without MAP":       {head + "#EXTINF:4,\na.m4s\n", "hls-map-missing", 5},
		"hint after the end":     {head + "#EXTINF:4,\na\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"x\"\n#EXT-X-ENDLIST\n", "ll-hint-after-end", 6},
		"parts without INF":      {head + "#EXT-X-PART:DURATION=1,URI=\"x\"\n", "ll-part-inf", 4},
		"range without a date":   {head + "#EXT-X-DATERANGE:ID=\"x\",START-DATE=\"2026-01-01T00:00:00Z\"\n#EXTINF:4,\na\n", "hls-daterange", 4},
		"old version":            {"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\na\n", "hls-version", 3},
		"DISCONTINUITY too late": {head + "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART:DURATION=1,URI=\"x\"\n#EXT-X-DISCONTINUITY\n", "hls-syntax", 7},
	} {
		m := ParseMedia([]byte(c.text), Environment{})
		if !slices.ContainsFunc(m.Problems, func(p Problem) bool { return p.Rule == c.rule && p.Line.Number == c.line }) {
			t.Errorf("%s: want %s at line %d, got %v", name, c.rule, c.line, m.Problems)
		}
	}
}

// The library beside the strict reader has a bug for every season: a
// difference is said, and a panic is caught.
// Between two advertisements of a break nothing need be restated; where the
// place changes, or names tell nothing, it must.
func TestRestated(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n"
	enter := func(m, k string) string {
		return "#EXT-X-DISCONTINUITY\n#EXT-X-KEY:" + k + "\n#EXT-X-MAP:URI=\"" + m + "\"\n"
	}
	const key = `METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="f"`
	for name, c := range map[string]struct {
		last string
		ads  string
		want int
	}{
		"a pod":              {"c/9.m4s", "ad/", 0},
		"names tell":         {"9.m4s", "ad", 0},
		"names tell nothing": {"9.m4s", "", 2},
	} {
		text := head + "#EXT-X-KEY:" + key + "\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4,\n" + strings.Replace(c.last, "9", "0", 1) + "\n" +
			enter("ad.mp4", "METHOD=NONE") + "#EXTINF:4,\n" + c.ads + "1.m4s\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\n" + c.ads + "2.m4s\n" +
			enter("i.mp4", key) + "#EXTINF:4,\n" + c.last + "\n#EXT-X-ENDLIST\n"
		if m := ParseMedia([]byte(text), Environment{}); len(m.Problems) != c.want {
			t.Errorf("%s: want %d problems, got %v", name, c.want, m.Problems)
		}
		lost := strings.Replace(text, "#EXT-X-MAP:URI=\"ad.mp4\"\n", "", 1)
		if m := ParseMedia([]byte(lost), Environment{}); !slices.ContainsFunc(m.Problems, func(p Problem) bool { return p.Rule == "hls-map-missing" }) {
			t.Errorf("%s: the lost EXT-X-MAP is not seen: %v", name, m.Problems)
		}
	}
}

func TestSecondViews(t *testing.T) {
	const blank = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-DISCONTINUITY\n\n#EXTINF:4,\nb.ts\n"
	m := ParseMedia([]byte(blank), Environment{})
	if p := SecondMedia([]byte(blank), m); len(p) != 1 || p[0].Rule != "views-differ" || !strings.Contains(p[0].Said, "discontinuity") {
		t.Errorf("%v", p)
	}
	if err := guarded(func() error { panic("so") }); err == nil {
		t.Error("a panic passed")
	}
	bomb := "#EXTM3U\n" + strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\"\n", 900) + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nx\n", 900)
	if p := SecondMaster([]byte(bomb), ParseMaster([]byte(bomb), nil)); len(p) != 0 {
		t.Errorf("%v", p)
	}
}

func TestMaster(t *testing.T) {
	m := ParseMaster([]byte(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-CONTENT-STEERING:SERVER-URI="/steer",PATHWAY-ID="b"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="a",PATHWAY-ID="a",RESOLUTION=640x360,CODECS="avc1,mp4a"
v.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="none",PATHWAY-ID="c"
w.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=10,URI="i.m3u8"
`), nil)
	var rules []finding.ID
	for _, p := range m.Problems {
		rules = append(rules, p.Rule)
	}
	for _, want := range []finding.ID{"hls-group-missing", "hls-pathway-unknown", "hls-pathways-uneven"} {
		if !slices.Contains(rules, want) {
			t.Errorf("no %s in %v", want, rules)
		}
	}
	if got := strings.Join(m.Pathways(), " "); got != "a c ." {
		t.Errorf("pathways %q", got)
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]Kind{
		"": Empty, "  \n": Empty, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx": Multivariant, "#EXTM3U\n#EXTINF:1,\nx": MediaList,
		"<?xml version='1.0'?><!-- x --><MPD/>": MPDDocument, "<mpd:MPD xmlns:mpd='x'>": MPDDocument, "<!DOCTYPE html><p>": HTML,
		"<html>": HTML, "<rss/>": OtherXML, `{"a":1}`: JSON, "\x00\x00\x00\x18ftyp": Unknown,
	} {
		if got := Sniff([]byte(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
