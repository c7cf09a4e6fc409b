package dash

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

// adaptation puts an AdaptationSet with two Representations into a Period.
func adaptation(mpd, period, inside string) string {
	return mpd + "<Period" + period + "><AdaptationSet contentType='video'>" + inside + "<Representation id='a'/><Representation id='b'/></AdaptationSet></Period></MPD>"
}

const (
	staticTag  = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT10S">`
	dynamicTag = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="2026-03-01T10:00:00Z">`
)

func TestTimeline(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"number", adaptation(staticTag, "", "<SegmentTemplate duration='4' startNumber='5'/>"), "5@0=0s+4s 6@4=4s+4s 7@8=8s+2s"},
		{"the last is a part of a tick", adaptation(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT8.5S">`, "", "<SegmentTemplate duration='4'/>"), "1@0=0s+4s 2@4=4s+4s 3@8=8s+1s"},
		{"number with an offset", adaptation(staticTag, "", "<SegmentTemplate timescale='10' duration='50' presentationTimeOffset='300'/>"), "1@300=0s+5s 2@350=5s+5s"},
		{"endNumber", adaptation(staticTag, "", "<SegmentTemplate duration='4' startNumber='2' endNumber='3'/>"), "2@0=0s+4s 3@4=4s+4s"},
		{"timeline", adaptation(staticTag, "", "<SegmentTemplate timescale='2'><SegmentTimeline><S t='6' d='4' r='1'/><S d='3'/></SegmentTimeline></SegmentTemplate>"), "1@6=3s+2s 2@10=5s+2s 3@14=7s+1.5s"},
		{"timeline to the end", adaptation(staticTag, "", "<SegmentTemplate presentationTimeOffset='1'><SegmentTimeline><S t='0' d='4' r='-1'/></SegmentTimeline></SegmentTemplate>"), "1@0=-1s+4s 2@4=3s+4s 3@8=7s+4s"},
		{"timeline to the next", adaptation(staticTag, "", "<SegmentTemplate><SegmentTimeline><S d='3' r='-1'/><S t='7' d='3'/></SegmentTimeline></SegmentTemplate>"), "1@0=0s+3s 2@3=3s+3s 3@6=6s+3s 4@7=7s+3s"},
		{"numbered", adaptation(staticTag, "", "<SegmentTemplate><SegmentTimeline><S d='3' n='40' r='1'/><S d='1'/></SegmentTimeline></SegmentTemplate>"), "40@0=0s+3s 41@3=3s+3s 42@6=6s+1s"},
		{"list", adaptation(staticTag, "", "<SegmentList duration='4'><SegmentURL media='1'/><SegmentURL media='2'/></SegmentList>"), "1@0=0s+4s 2@4=4s+4s"},
		{"list of one", adaptation(staticTag, "", "<SegmentList><SegmentURL media='1'/></SegmentList>"), "1@0=0s+10s"},
		{"list without lengths", adaptation(staticTag, "", "<SegmentList><SegmentURL media='1'/><SegmentURL media='2'/></SegmentList>"), ""},
		{"base", adaptation(staticTag, " start='PT4S'", "<SegmentBase presentationTimeOffset='9'/>"), "1@0=4s+6s"},
		{"nothing", adaptation(staticTag, "", ""), "1@0=0s+10s"},
		{"live numbers", adaptation(dynamicTag, " start='PT1H'", "<SegmentTemplate duration='2' startNumber='8'/>"), "open 8@0=1h0m0s+2s@11:00:00 9@2=1h0m2s+2s@11:00:02 10@4=1h0m4s+2s@11:00:04 and on"},
		{"live timeline", adaptation(dynamicTag, " start='PT10S'", "<SegmentTemplate presentationTimeOffset='50'><SegmentTimeline><S t='56' d='2'/></SegmentTimeline></SegmentTemplate>"), "1@56=16s+2s@10:00:16"},
		{"live timeline that goes on", adaptation(dynamicTag, " start='PT10S'", "<SegmentTemplate><SegmentTimeline><S d='2' r='-1'/></SegmentTimeline></SegmentTemplate>"),
			"open 1@0=10s+2s@10:00:10 2@2=12s+2s@10:00:12 3@4=14s+2s@10:00:14 and on"},
		{"live and not yet", adaptation(dynamicTag, "", "<SegmentTemplate duration='2'/>"), ""},
	} {
		tl := compile(t, []byte(c.src)).Timeline()
		if len(tl.Tracks) != 2 {
			t.Fatalf("%s: %d tracks", c.name, len(tl.Tracks))
		}
		if tl.Tracks[0].Line != tl.Tracks[1].Line {
			t.Errorf("%s: what is shared is there twice", c.name)
		}
		if got := trackText(&tl.Tracks[0]); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// trackText shows the segments as number@media=start+duration@clock.
func trackText(t *manifest.Track) string {
	var parts []string
	if t.Open {
		parts = append(parts, "open")
	}
	n := 0
	for at, s := range t.Segments() {
		if n++; n == 4 && t.Open {
			parts = append(parts, "and on")
			break
		}
		text := fmt.Sprintf("%d@%d=%v+%v", s.Sequence, at, s.Start, s.Duration)
		if !s.Date.IsZero() {
			text += "@" + s.Date.Format(time.TimeOnly)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// TestPeriodTimes holds the rules of ISO/IEC 23009-1, 5.3.2.1.
func TestPeriodTimes(t *testing.T) {
	const length = ` mediaPresentationDuration="PT60S"`
	for _, c := range []struct{ name, mpd, periods, want string }{
		{"the first starts at 0", length, `<Period/>`, "0s to 1m0s"},
		{"behind the one before", length, `<Period duration="PT10S"/><Period/>`, "0s to 10s, 10s to 1m0s"},
		{"until the next", length, `<Period/><Period start="PT20S"/>`, "0s to 20s, 20s to 1m0s"},
		{"a hole", length, `<Period duration="PT10S"/><Period start="PT20S" duration="PT5S"/>`, "0s to 10s, 20s to 25s"},
		{"the next begins before", length, `<Period duration="PT30S"/><Period start="PT20S"/>`, "0s to 20s, 20s to 1m0s"},
		{"no end", "", `<Period/>`, "0s and on"},
		{"of no length", length, `<Period duration="PT0S"/><Period/>`, "0s to 0s, 0s to 1m0s"},
		{"live", ` type="dynamic"`, `<Period start="PT5S" duration="PT5S"/><Period/>`, "5s to 10s, 10s and on"},
		{"live, announced", ` type="dynamic"`, `<Period start="PT5S"/><Period/><Period duration="PT5S"/>`, "5s and on, early, early"},
		{"live, the first announced", ` type="dynamic"`, `<Period duration="PT5S"/><Period/>`, "early, early"},
		{"live with an end", ` type="dynamic"` + length, `<Period start="PT5S"/>`, "5s to 1m0s"},
	} {
		p := compile(t, []byte(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"`+c.mpd+`>`+c.periods+`</MPD>`)).Presentation()
		var parts []string
		for _, p := range p.Periods() {
			switch {
			case p.Early:
				parts = append(parts, "early")
			case p.End == manifest.Forever:
				parts = append(parts, fmt.Sprintf("%v and on", p.Start))
			default:
				parts = append(parts, fmt.Sprintf("%v to %v", p.Start, p.End))
			}
		}
		if got := strings.Join(parts, ", "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestInband(t *testing.T) {
	src := mpdTag + `<Period><AdaptationSet><Representation><InbandEventStream schemeIdUri="urn:r"/></Representation><Representation/><InbandEventStream schemeIdUri="urn:s&amp;" value="1"/></AdaptationSet>` +
		`<AdaptationSet><InbandEventStream schemeIdUri="urn:t"></InbandEventStream><Representation/></AdaptationSet></Period></MPD>`
	tmpl := compile(t, []byte(src))
	var b strings.Builder
	for _, s := range tmpl.Periods()[0].Sets {
		for _, e := range s.Inband {
			fmt.Fprintf(&b, "%s %q %d; ", e.Scheme, e.Value, e.Rendition)
			if text := src[e.From:e.To]; !strings.HasPrefix(text, "<InbandEventStream ") || !strings.HasSuffix(text, ">") {
				t.Errorf("a stream is %q", text)
			}
		}
	}
	if got, want := b.String(), `urn:s& "1" -1; urn:r "" 0; urn:t "" -1; `; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var cues []int
	for _, track := range tmpl.Timeline().Tracks {
		cues = append(cues, track.Cues)
	}
	if !slices.Equal(cues, []int{2, 1, 1}) {
		t.Errorf("cues %v", cues)
	}
}

// TestPresentation: of several Periods each has its reference, and a moment is
// snapped in the one it is in, or to where that ends.
func TestPresentation(t *testing.T) {
	const sets = `<AdaptationSet contentType="audio"><SegmentTemplate timescale="48000" duration="95232"/><Representation id="s" bandwidth="9999999"/></AdaptationSet>` +
		`<AdaptationSet contentType="video"><SegmentTemplate timescale="90000" duration="360000"/><Representation id="lo" bandwidth="1"/><Representation id="hi" bandwidth="2"/></AdaptationSet>`
	p := compile(t, []byte(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL serviceLocation="x">a/</BaseURL><BaseURL serviceLocation="y">b/</BaseURL>`+
		`<Period duration="PT9S">`+sets+`</Period><Period duration="PT8S">`+sets+`</Period></MPD>`)).Presentation()
	if !slices.Equal(p.Pathways(), []string{"x", "y"}) {
		t.Errorf("pathways %v", p.Pathways())
	}
	for period, want := range []string{"hi", "hi"} {
		if i, ok := p.View().Reference(period); !ok || p.Siblings()[i].Rendition.ID != want || p.Siblings()[i].Period != period {
			t.Errorf("Period %d: the reference is %d, %v", period, i, ok)
		}
	}
	for at, want := range map[time.Duration]string{
		0: "0: 1 0s, sound 1 0s", 3 * time.Second: "0: 2 4s, sound 3 3.968s", 8700 * time.Millisecond: "0: 4 9s, sound 6 9s", 10 * time.Second: "0: 4 9s, sound 6 9s",
		12 * time.Second: "1: 2 13s, sound 3 12.968s", time.Hour: "1: 3 17s, sound 6 17s",
	} {
		b, ok := p.Snap(manifest.Moment{Media: at})
		if !ok {
			t.Fatalf("%v: nothing", at)
		}
		o, ok := p.View().On(3*b.Period, b)
		if got := fmt.Sprintf("%d: %d %v, sound %d %v", b.Period, b.Segment, b.Media, o.Segment, o.Media); !ok || got != want || o.By != manifest.ByTimeline {
			t.Errorf("%v: got %s, want %s", at, got, want)
		}
		if _, ok := p.View().On(3-3*b.Period, b); ok {
			t.Errorf("%v: a rendition of another Period", at)
		}
	}
}

// TestPresentationOfCorpus: each Period that has segments has a reference, of
// video where there is video, and its boundaries are snapped to themselves.
func TestPresentationOfCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		p := compile(t, src).Presentation()
		v := p.View()
		for i, sibling := range p.Siblings() {
			ref, ok := v.Reference(sibling.Period)
			if !ok && sibling.Rendition.Kind == manifest.Video && len(v.Track(i).Line.Runs) > 0 {
				t.Errorf("%s: Period %d has no reference", name, sibling.Period)
			}
			if !ok {
				continue
			}
			if kind := p.Siblings()[ref].Rendition.Kind; sibling.Rendition.Kind == manifest.Video && kind != manifest.Video && len(v.Track(i).Line.Runs) > 0 {
				t.Errorf("%s: the reference of Period %d is %v", name, sibling.Period, kind)
			}
			n := 0
			for _, s := range v.Track(ref).Segments() {
				if n++; n > 20 {
					break
				}
				if s.Start < p.Periods()[sibling.Period].Start || s.Start > p.Periods()[sibling.Period].End {
					continue
				}
				if b, ok := v.Snap(manifest.Moment{Media: s.Start}); !ok || b.Shift != 0 || b.Media != s.Start {
					t.Errorf("%s: %v is snapped to %+v", name, s.Start, b)
				}
			}
		}
	}
}
