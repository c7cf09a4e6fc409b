package read

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/bench/finding"
)

const goodMPD = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="p" type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" publishTime="2026-01-01T01:00:00.5Z" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT1M30S" minBufferTime="PT2S" maxSegmentDuration="PT2S">
 <BaseURL serviceLocation="a">http://a.test/x/</BaseURL>
 <BaseURL serviceLocation="b">http://b.test/</BaseURL>
 <ContentSteering defaultServiceLocation="a b" queryBeforeStart="true">https://s.test/</ContentSteering>
 <Period id="1" start="PT0S">
  <EventStream schemeIdUri="urn:x" timescale="1000"><Event id="7" presentationTime="5" duration="2"><deep a="1"/> text</Event></EventStream>
  <AdaptationSet id="1" mimeType="video/mp4" codecs="avc1">
   <BaseURL>v/</BaseURL>
   <SegmentTemplate timescale="1000" presentationTimeOffset="500" startNumber="5" initialization="$RepresentationID$.mp4" media="$RepresentationID$-$Number%05d$-$$-$Time$.m4s">
    <SegmentTimeline><S t="500" d="2000" r="2"/><S d="1000"/></SegmentTimeline>
   </SegmentTemplate>
   <Representation id="hi" bandwidth="9"/>
   <Representation id="lo" bandwidth="3"/>
  </AdaptationSet>
 </Period>
 <Period id="2" start="PT7S">
  <AdaptationSet mimeType="video/mp4"><SegmentList timescale="1" duration="2" ><Initialization sourceURL="i" range="0-9"/><SegmentURL media="1.m4s"/><SegmentURL media="2.m4s" mediaRange="5-9"/></SegmentList>
   <Representation id="x" bandwidth="1"/></AdaptationSet>
 </Period>
</MPD>`

func TestMPD(t *testing.T) {
	at, _ := url.Parse("http://edge.test/live/manifest.mpd")
	m := ParseMPD([]byte(goodMPD), at)
	if len(m.Problems) != 0 || m.Broken {
		t.Errorf("problems: %v", m.Problems)
	}
	if p := SecondMPD([]byte(goodMPD), m); len(p) != 0 {
		t.Errorf("the views differ: %v", p)
	}
	if m.TimeShift != 90*time.Second || m.MinUpdate != 2*time.Second || m.Publish.Nanosecond() != 5e8 || len(m.Periods) != 2 || m.Periods[0].End != 7*time.Second || m.Periods[1].End != -1 {
		t.Errorf("%+v", m)
	}
	if m.Steering.Server != "https://s.test/" || !m.Steering.BeforeStart || len(m.Steering.Default) != 2 {
		t.Errorf("steering %+v", m.Steering)
	}
	if e := m.Periods[0].Streams[0].Events[0]; e.Body != `<deep a="1"/> text` || e.ID != "7" {
		t.Errorf("event %+v", e)
	}
	hi := m.Periods[0].Sets[0].Reps[0]
	a := hi.Addressing
	if len(a.Entries) != 4 || a.Entries[3].Time != 6500 || a.Entries[3].Number != 8 || a.At(a.Entries[0]) != 0 || a != m.Periods[0].Sets[0].Reps[1].Addressing {
		t.Errorf("%+v", a)
	}
	got, _ := hi.Bases[0].Resolve(hi.SegmentURI(a.Entries[1]))
	if got != "http://a.test/x/v/hi-00006-$-2500.m4s" || hi.Bases[1].Location != "b" {
		t.Errorf("address %q, bases %v", got, hi.Bases)
	}
	if x := m.Periods[1].Sets[0].Reps[0]; len(x.Addressing.Entries) != 2 || x.Addressing.Entries[1].Range != "5-9" || x.Addressing.Init != "i" || x.Addressing.InitRange != "0-9" {
		t.Errorf("list %+v", x.Addressing)
	}
}

func TestMPDProblems(t *testing.T) {
	for name, c := range map[string]struct {
		old, with string
		rule      finding.ID
	}{
		"DOCTYPE":          {"<MPD", "<!DOCTYPE x [<!ENTITY a 'b'>]><MPD", "dash-syntax"},
		"cut":              {"</MPD>", "", "dash-syntax"},
		"attribute twice":  {`id="1" start`, `id="1" id="2" start`, "dash-syntax"},
		"no profiles":      {` profiles="p"`, "", "dash-required"},
		"bad duration":     {"PT2S", "2s", "dash-syntax"},
		"no publishTime":   {` publishTime="2026-01-01T01:00:00.5Z"`, "", "dash-required"},
		"ids":              {`id="lo"`, `id="hi"`, "dash-duplicate-id"},
		"period ids":       {`<Period id="2"`, `<Period id="1"`, "dash-duplicate-id"},
		"identifier":       {"$Time$", "$Tim$", "dash-template"},
		"odd dollars":      {"$Time$", "$Time", "dash-template"},
		"gap":              {`<S d="1000"/>`, `<S t="7500" d="1000"/>`, "dash-timeline-gap"},
		"overlap":          {`<S d="1000"/>`, `<S t="6000" d="1000"/>`, "dash-timeline-overlap"},
		"no duration":      {`<S d="1000"/>`, `<S t="6500"/>`, "dash-required"},
		"too long":         {`d="2000"`, `d="2100"`, "dash-segment-too-long"},
		"period gap":       {`<Period id="2" start="PT7S"`, `<Period id="2" start="PT9S"`, "dash-period-gap"},
		"period order":     {`<Period id="1" start="PT0S"`, `<Period id="1" start="PT8S"`, "dash-period-order"},
		"unknown location": {`"a b"`, `"c"`, "dash-location-unknown"},
		"no scheme":        {`schemeIdUri="urn:x"`, "", "dash-event"},
		"bad event":        {`presentationTime="5"`, `presentationTime="soon"`, "dash-event"},
		"other root":       {"MPD", "NMPD", "dash-syntax"},
	} {
		text := strings.ReplaceAll(goodMPD, c.old, c.with)
		if text == goodMPD {
			t.Fatalf("%s changes nothing", name)
		}
		m := ParseMPD([]byte(text), nil)
		if !slices.ContainsFunc(m.Problems, func(p Problem) bool { return p.Rule == c.rule }) {
			t.Errorf("%s: want %s, got %v", name, c.rule, m.Problems)
		}
	}
}

// Bombs end early.
func TestMPDBounds(t *testing.T) {
	for name, text := range map[string]string{
		"deep":     strings.Repeat("<a>", 1_000_000),
		"wide":     "<MPD>" + strings.Repeat("<a/>", 1_000_000),
		"repeated": strings.Replace(goodMPD, `r="2"`, `r="2000000000"`, 1),
		"negative": strings.Replace(strings.Replace(goodMPD, `r="2"`, `r="-1"`, 1), `<S d="1000"/>`, `<S t="9000000000000" d="1"/>`, 1),
		"bases":    strings.Replace(goodMPD, "<BaseURL>v/</BaseURL>", strings.Repeat("<BaseURL>v/</BaseURL>", 5000), 1),
	} {
		began := time.Now()
		m := ParseMPD([]byte(text), nil)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
		if len(m.Problems) == 0 && name != "bases" {
			t.Errorf("%s is no problem", name)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT0S": 0, "PT1.5S": 1500 * time.Millisecond, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "PT1795414028.122S": 1795414028122 * time.Millisecond} {
		if got, ok := isoDuration(text); !ok || got != want {
			t.Errorf("%s: %s, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "P", "PT", "1S", "-PT1S", "PT1", "P1S", "PT99999999999999999999S", "P999999Y999999Y"} {
		if _, ok := isoDuration(text); ok {
			t.Errorf("%q was read", text)
		}
	}
}
