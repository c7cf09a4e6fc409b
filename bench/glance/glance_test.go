package glance

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manifold/bench/read"
	"manifold/internal/testkit/fault"
	"manifold/internal/testkit/sample"
	"net/http/httptest"
)

// documents are what real streams serve: ours, and the test stream in its
// forms.
func documents(tb testing.TB) map[string][]byte {
	tb.Helper()
	out := map[string][]byte{
		"VOD": sample.Playlist(500, true), "live": sample.Playlist(6, false), "MPD": sample.MPD(2, 30),
		"template": []byte(`<?xml version="1.0"?><!-- a comment > with a bracket --><MPD xmlns="x" type="static" mediaPresentationDuration="PT1M1.5S"><Period><AdaptationSet mimeType='video/mp4'>` +
			`<SegmentTemplate timescale="1000" duration="4000" startNumber="5" media="v_$Number%05d$_$Bandwidth$$$.m4s?a=1&amp;b=&quot;2&quot;" initialization="$RepresentationID$.mp4"/>` +
			`<Representation id="v" bandwidth="900000"/></AdaptationSet></Period></MPD>`),
		"range": []byte("#EXTM3U\r\n#EXT-X-TARGETDURATION:10\r\n#EXT-X-MEDIA-SEQUENCE:7\r\n#EXT-X-MAP:URI=\"i,\\.mp4\",BYTERANGE=\"10@0\"\r\n#EXTINF:9.9,title, with a comma\r\n#EXT-X-BYTERANGE:5@0\r\na.ts\r\n\r\n#EXTINF:4\r\nb.ts"),
	}
	for name, cfg := range map[string]fault.Config{"plain": {}, "low": {LowLatency: true}, "vod": {VOD: true, Encrypted: true}, "steered": {Steered: true}} {
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		cfg.Now, cfg.Epoch = func() time.Time { return now }, now.Add(-87*time.Second)
		for _, path := range []string{"/hls/alpha/v0.m3u8", "/manifest.mpd"} {
			w := httptest.NewRecorder()
			fault.New(cfg).ServeHTTP(w, httptest.NewRequest("GET", "http://edge.test"+path, nil))
			out[name+path] = w.Body.Bytes()
		}
	}
	files, _ := filepath.Glob("../../manifest/*/testdata/*")
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil && len(raw) < 1<<20 && (strings.HasSuffix(f, ".m3u8") || strings.HasSuffix(f, ".mpd")) {
			out[f] = raw
		}
	}
	return out
}

// The strict reader and this one see the same segments.
func TestAgreesWithRead(t *testing.T) {
	n := 0
	for name, raw := range documents(t) {
		n += agree(t, name, raw)
	}
	if n < 8 {
		t.Errorf("only %d documents could be compared", n)
	}
}

// agree compares what both read of a document that has no mistakes; it tells
// how many were compared.
func agree(t *testing.T, name string, raw []byte) int {
	at, _ := url.Parse("http://edge.test/x/y")
	switch read.Sniff(raw) {
	case read.MediaList:
		want := read.ParseMedia(raw, read.Environment{URL: at})
		if len(want.Problems) > 0 || want.HasSkip {
			return 0
		}
		got, err := ReadPlaylist(raw, true)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return 0
		}
		if got.Len() != len(want.Segments) || got.Target != want.Target || got.Ended == want.Live() || len(want.Segments) > 0 && got.First != want.Sequence {
			t.Errorf("%s: %d segments from %d, target %s, ended %v; want %d from %d, %s, live %v", name,
				got.Len(), got.First, got.Target, got.Ended, len(want.Segments), want.Sequence, want.Target, want.Live())
			return 0
		}
		at := time.Duration(0)
		for i, w := range want.Segments {
			s, ok := got.Numbered(w.MSN)
			if !ok || s.Each != w.Duration || s.At != at || got.URI(w.MSN) != w.URI && !strings.Contains(w.Line.Text, "{$") {
				t.Errorf("%s: segment %d is %+v %q, want %s at %s, %q", name, i, s, got.URI(w.MSN), w.Duration, at, w.URI)
				return 0
			}
			if f, ok := got.Find(at, 0); w.Duration > 0 && (!ok || f.Number != w.MSN) {
				t.Errorf("%s: at %s is segment %d, want %d", name, at, f.Number, w.MSN)
			}
			at += w.Duration
		}
	case read.MPDDocument:
		want := read.ParseMPD(raw, at)
		if len(want.Problems) > 0 {
			return 0
		}
		got, err := ReadMPD(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return 0
		}
		if len(got.Periods) != len(want.Periods) || got.Dynamic != want.Dynamic() || got.MinUpdate != want.MinUpdate || got.Delay != want.Delay || !got.Begin.Equal(want.AvailabilityStart) {
			t.Errorf("%s: %+v", name, got)
			return 0
		}
		for i, p := range want.Periods {
			g := got.Periods[i]
			if g.ID != p.ID || g.Start != p.Start || g.End != p.End || len(g.Sets) != len(p.Sets) {
				t.Errorf("%s: Period %d: %s %s–%s, want %s %s–%s", name, i, g.ID, g.Start, g.End, p.ID, p.Start, p.End)
				continue
			}
			for k, set := range p.Sets {
				for j, rep := range set.Reps {
					compare(t, name, g.Sets[k].Reps[j], g.Sets[k].Kind, rep, set.Type, p)
				}
			}
		}
	default:
		return 0
	}
	return 1
}

func compare(t *testing.T, name string, got *Rep, kind string, want *read.Representation, wantKind string, p *read.Period) {
	t.Helper()
	if got.ID != want.ID || got.Bandwidth != want.Bandwidth || kind != wantKind {
		t.Errorf("%s: %s %d %s, want %s %d %s", name, got.ID, got.Bandwidth, kind, want.ID, want.Bandwidth, wantKind)
	}
	if !want.Addressing.Timeline || want.Addressing.Open {
		return
	}
	if got.Line.Len() != len(want.Addressing.Entries) {
		t.Errorf("%s: %s has %d segments, want %d", name, got.ID, got.Line.Len(), len(want.Addressing.Entries))
		return
	}
	for _, e := range want.Addressing.Entries {
		at := p.Start + want.Addressing.At(e)
		s, ok := got.Line.Find(at, time.Millisecond)
		if !ok || s.Time != e.Time || (s.At-at).Abs() > time.Millisecond || got.Fill(got.Media, s) != want.SegmentURI(e) {
			t.Errorf("%s: %s at %s: %+v %q, want %+v %q", name, got.ID, at, s, got.Fill(got.Media, s), e, want.SegmentURI(e))
			return
		}
	}
}

func TestTemplate(t *testing.T) {
	m, err := ReadMPD(documents(t)["template"])
	if err != nil {
		t.Fatal(err)
	}
	r := m.Periods[0].Sets[0].Reps[0]
	if m.Duration != 61500*time.Millisecond || r.Line.Len() != 16 {
		t.Errorf("%s in %d segments", m.Duration, r.Line.Len())
	}
	s, _ := r.Line.Find(9*time.Second, 0)
	if got := r.Fill(r.Media, s); got != `v_00007_900000$.m4s?a=1&b="2"` {
		t.Errorf("the address of %+v is %s", s, got)
	}
}

func TestAlternatives(t *testing.T) {
	m, err := ReadMPD([]byte(`<MPD type="dynamic" minimumUpdatePeriod="PT2S"><Location>../s/2.mpd</Location><ContentSteering defaultServiceLocation="b a" queryBeforeStart="true">http://s/</ContentSteering>` +
		`<BaseURL serviceLocation="a">http://a/x/</BaseURL><BaseURL serviceLocation="b">http://b/y/</BaseURL>` +
		`<Period id="1"><EventStream><Event><Period><BaseURL>no</BaseURL></Period></Event></EventStream><AdaptationSet contentType="video"><BaseURL>v/</BaseURL><Representation id="1"/></AdaptationSet></Period></MPD>`))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse("http://edge/m/1.mpd")
	p := m.Periods[0]
	bases := m.Alternatives(at, p, p.Sets[0], p.Sets[0].Reps[0])
	if len(bases) != 2 || bases[0] != (Base{"http://a/x/v/", "a"}) || bases[1] != (Base{"http://b/y/v/", "b"}) {
		t.Errorf("%v", bases)
	}
	if names := m.Locations(p); strings.Join(names, " ") != "a b" || len(m.Periods) != 1 {
		t.Errorf("%v in %d Periods", names, len(m.Periods))
	}
	if m.Steering == nil || !m.Steering.BeforeStart || m.Steering.Default[0] != "b" || m.Location != "../s/2.mpd" || m.Final() {
		t.Errorf("%+v %q", m.Steering, m.Location)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{"", "<html>", "#EXTM3U", "#EXTM3U\n#EXT-X-TARGETDURATION:x\n", "<!DOCTYPE MPD [<!ENTITY a \"b\">]><MPD/>", "<MPD>", "<MPD><Period", "<MPD><!-- </MPD>",
		"<MPD>" + strings.Repeat("<a>", 100), "<MPD>" + strings.Repeat("<a/>", maxElements+1) + "</MPD>"} {
		_, errHLS := ReadPlaylist([]byte(text), false)
		_, errMPD := ReadMPD([]byte(text))
		if errHLS == nil || errMPD == nil {
			t.Errorf("%.40q was read", text)
		}
	}
	many := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + strings.Repeat("#EXTINF:1,\na\n", MaxSegments+1)
	if _, err := ReadPlaylist([]byte(many), true); err == nil {
		t.Error("a playlist without end was read")
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT1.5S": 1500 * time.Millisecond, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "PT0S": 0, "PT0.5H": 30 * time.Minute} {
		if got, ok := duration(text); !ok || got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "P", "1S", "PT", "PT1", "P1Y", "PTS", "-PT1S", "PT999999999999H"} {
		if d, ok := duration(text); ok && text != "PT" && text != "P" {
			t.Errorf("%q was read as %s", text, d)
		}
	}
}

func FuzzPlaylist(f *testing.F) {
	for _, raw := range documents(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ReadPlaylist(raw, true)
		if err != nil {
			return
		}
		if int(p.Next-p.First) != p.Len() {
			t.Fatalf("%d segments from %d to %d", p.Len(), p.First, p.Next)
		}
		sound(t, &p.Line)
		_ = p.URI(p.First)
		_ = p.URI(p.Next)
	})
}

func FuzzMPD(f *testing.F) {
	for _, raw := range documents(f) {
		f.Add(raw)
	}
	at, _ := url.Parse("http://edge.test/x/y")
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ReadMPD(raw)
		if err != nil {
			return
		}
		for _, p := range m.Periods {
			_ = m.Locations(p)
			for _, s := range p.Sets {
				for _, r := range s.Reps {
					sound(t, r.Line)
					seg, _ := r.Line.Find(p.Start, 0)
					_ = r.Fill(r.Media, seg)
					if n := len(m.Alternatives(at, p, s, r)); n == 0 || n > 16 {
						t.Fatalf("%d alternatives", n)
					}
				}
			}
		}
	})
}

// sound fails the test where a line has a run without segments.
func sound(t *testing.T, l *Line) {
	for _, r := range l.Runs {
		if r.N < 1 || r.Each < 0 {
			t.Fatalf("a run of %d × %s", r.N, r.Each)
		}
	}
}
