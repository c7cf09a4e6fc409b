package fault

import (
	"fmt"
	"strings"
	"time"
)

// MPD is an MPD before it is written.
type MPD struct {
	Since        time.Duration // of the fault
	From         int           // the first segment after it
	Type         string
	Start        time.Time // availabilityStartTime
	Publish      time.Time
	Periods      []Period
	Locations    []string // service locations, in order
	Default      string   // defaultServiceLocation; empty without steering
	MaxSegment   string
	TimeShift    string
	Duration     string
	BaseOf       func(location string) string
	AfterPeriods []string
}

// Period is one Period; segments From to To (exclusive) are listed.
type Period struct {
	ID        string
	Start     time.Duration
	Duration  time.Duration // 0: not said
	PTO       int64
	From, To  int
	First     int // the segment its time begins with
	Ad        bool
	Reps      []string
	Number    int            // startNumber, or 0 for From
	SetTo     map[string]int // another To for a set
	ExtraS    string         // another timeline
	Shift     int64          // added to S@t
	Length    int64          // of S@d, or 0
	EventBody string
	Bandwidth int
	Init      string
}

const timescale = 90000

func (s *Stream) mpd(now time.Duration) *MPD {
	last := int(now/Length) - 1
	first := max(0, int((now-shift)/Length))
	m := &MPD{Type: "dynamic", Start: s.cfg.Epoch, Publish: s.cfg.Epoch.Add(time.Duration(last+1) * Length), Locations: s.pathways(), MaxSegment: "PT2S", TimeShift: "PT16S"}
	m.BaseOf = func(location string) string {
		return "http://" + location + ".test/hdntl=" + strings.ReplaceAll(Token(location), "/", "%2f") + "/media/"
	}
	if s.cfg.Steered {
		m.Default = "alpha"
	}
	if s.cfg.VOD {
		first, m.Type, m.TimeShift, m.Duration = 0, "static", "", "PT60S"
	}
	for k := first / cycle; k*cycle <= last; k++ {
		for _, ad := range []bool{false, true} {
			p := Period{ID: fmt.Sprintf("c%d", k), First: k * cycle, From: k * cycle, To: k*cycle + content, Ad: ad, Reps: renditions}
			if ad {
				p.ID, p.First, p.From, p.To = fmt.Sprintf("ad%d", k), k*cycle+content, k*cycle+content, (k+1)*cycle
			}
			p.Start = time.Duration(p.First) * Length
			if !ad {
				p.PTO = int64(p.First) * 2 * timescale
			}
			if p.To <= last+1 {
				p.Duration = time.Duration(p.To-p.First) * Length
			}
			p.From, p.To = max(p.From, first), min(p.To, last+1)
			if p.From < p.To {
				m.Periods = append(m.Periods, p)
			}
		}
	}
	return m
}

func seconds(d time.Duration) string { return fmt.Sprintf("PT%gS", d.Seconds()) }

func (m *MPD) write() string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w(`<?xml version="1.0" encoding="UTF-8"?>`)
	fmt.Fprintf(&b, `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="%s" minBufferTime="PT2S" maxSegmentDuration="%s"`, m.Type, m.MaxSegment)
	if m.Type == "dynamic" {
		fmt.Fprintf(&b, ` availabilityStartTime="%s" publishTime="%s" minimumUpdatePeriod="PT1S"`, stamp(m.Start), stamp(m.Publish))
		if m.TimeShift != "" {
			fmt.Fprintf(&b, ` timeShiftBufferDepth="%s"`, m.TimeShift)
		}
	} else {
		fmt.Fprintf(&b, ` mediaPresentationDuration="%s"`, m.Duration)
	}
	w(">")
	for _, l := range m.Locations {
		w(`  <BaseURL serviceLocation="%s">%s</BaseURL>`, l, m.BaseOf(l))
	}
	if m.Default != "" {
		w(`  <ContentSteering defaultServiceLocation="%s" queryBeforeStart="false">http://edge.test/steer?protocol=dash</ContentSteering>`, m.Default)
	}
	for i := range m.Periods {
		m.Periods[i].write(w)
	}
	for _, x := range m.AfterPeriods {
		w("%s", x)
	}
	w("</MPD>")
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (p *Period) write(w func(string, ...any)) {
	duration := ""
	if p.Duration > 0 {
		duration = fmt.Sprintf(" duration=%q", seconds(p.Duration))
	}
	w(`  <Period id="%s" start="%s"%s>`, p.ID, seconds(p.Start), duration)
	body := p.EventBody
	if body == "" {
		body = "break " + p.ID
	}
	w(`    <EventStream schemeIdUri="urn:example:event" timescale="1"><Event id="1" presentationTime="0" duration="2">%s</Event></EventStream>`, body)
	for i, kind := range []string{"video", "audio"} {
		w(`    <AdaptationSet id="%d" contentType="%s" mimeType="%s/mp4" segmentAlignment="true">`, i+1, kind, kind)
		to := p.To
		if n, ok := p.SetTo[kind]; ok {
			to = n
		}
		number := p.Number
		if number == 0 {
			number = p.From
		}
		init := p.Init
		if init == "" {
			init = "$RepresentationID$/" + initName(p.First)
		}
		w(`      <SegmentTemplate timescale="%d" presentationTimeOffset="%d" startNumber="%d" initialization="%s" media="$RepresentationID$/$Number$.m4s">`, timescale, p.PTO, number, init)
		w(`        <SegmentTimeline>`)
		length := p.Length
		if length == 0 {
			length = 2 * timescale
		}
		at := p.PTO + int64(p.From-p.First)*2*timescale + p.Shift
		switch {
		case p.ExtraS != "":
			w("          %s", strings.ReplaceAll(p.ExtraS, "{t}", fmt.Sprint(at)))
		case to > p.From:
			w(`          <S t="%d" d="%d" r="%d"/>`, at, length, to-p.From-1)
		}
		w("        </SegmentTimeline>\n      </SegmentTemplate>")
		for _, r := range p.Reps {
			if (r[0] == 'v') != (kind == "video") {
				continue
			}
			bandwidth := p.Bandwidth
			if bandwidth == 0 {
				bandwidth = 500000
			}
			w(`      <Representation id="%s" bandwidth="%d" codecs="%s"/>`, r, bandwidth, map[string]string{"video": "avc1.42C01E", "audio": "mp4a.40.2"}[kind])
		}
		w("    </AdaptationSet>")
	}
	w("  </Period>")
}
