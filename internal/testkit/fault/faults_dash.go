package fault

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

func mpd(change func(m *MPD)) *Fault { return &Fault{MPD: change} }

// periods changes every Period.
func periods(change func(p *Period)) *Fault {
	return mpd(func(m *MPD) {
		for i := range m.Periods {
			change(&m.Periods[i])
		}
	})
}

// listed changes the timeline of a Period into one S for each segment.
func listed(p *Period, s func(n int, at int64) string) {
	var b strings.Builder
	for n := p.From; n < p.To; n++ {
		b.WriteString(s(n, p.PTO+int64(n-p.First)*2*timescale))
	}
	p.ExtraS = b.String()
}

// MPDs are the faults of MPDs.
var MPDs = map[string]*Fault{
	"publishTime goes back":          mpd(func(m *MPD) { m.Publish = m.Publish.Add(-time.Minute) }),
	"publishTime stands still":       mpd(func(m *MPD) { m.Publish = m.Start.Add(time.Duration(m.From) * Length) }),
	"availabilityStartTime changes":  mpd(func(m *MPD) { m.Start = m.Start.Add(-700 * time.Millisecond) }),
	"a static MPD becomes dynamic":   mpd(func(m *MPD) { m.Type = "dynamic" }),
	"Periods change their ids":       periods(func(p *Period) { p.ID += "-new" }),
	"Periods change their starts":    periods(func(p *Period) { p.Start += time.Second }),
	"presentationTimeOffset changes": periods(func(p *Period) { p.PTO += timescale; p.Shift = -timescale }),
	"a Period leaves early":          mpd(func(m *MPD) { m.Periods = m.Periods[min(1, len(m.Periods)-1):] }),
	"the running Period vanishes":    mpd(running),
	"Representations change":         periods(func(p *Period) { p.Bandwidth = 600000 }),
	"segments change their times":    periods(func(p *Period) { p.Length = 2*timescale - 500 }),
	"startNumber is off by one":      periods(func(p *Period) { p.Number = p.From + 1 }),
	"an MPD renames its segments":    replace("$Number$.m4s", "x$Number$.m4s"),
	"one AdaptationSet lags":         mpd(lagging),
	"segments are listed too soon":   mpd(func(m *MPD) { m.Start = m.Start.Add(20 * time.Second) }),
	"the edge is far behind":         mpd(func(m *MPD) { m.Start = m.Start.Add(-time.Minute) }),
	"the clock is wrong":             mpd(func(m *MPD) { m.AfterPeriods = timing("clock") }),
	"the clock is missing":           mpd(func(m *MPD) { m.AfterPeriods = timing("nothing") }),
	"an event changes": mpd(func(m *MPD) {
		for i := range m.Periods {
			m.Periods[i].EventBody = m.Since.String()
		}
	}),
	"the patch is missing": mpd(func(m *MPD) {
		m.AfterPeriods = []string{`  <PatchLocation ttl="60">http://edge.test/patch</PatchLocation>`}
	}),
	"the XML is broken":              textOf("/manifest", func(s string) string { return strings.Replace(s, "</Period>", "</Perod>", 1) }),
	"minBufferTime is missing":       replace(` minBufferTime="PT2S"`, ""),
	"AdaptationSets share an id":     replace(`<AdaptationSet id="2"`, `<AdaptationSet id="1"`),
	"a template has an unknown part": replace("$Number$.m4s", "$Foo$.m4s"),
	"Periods leave gaps":             periods(func(p *Period) { p.Duration = max(0, p.Duration-500*time.Millisecond) }),
	"Periods overlap": periods(func(p *Period) {
		if p.Duration > 0 {
			p.Duration += 500 * time.Millisecond
		}
	}),
	"Periods are out of order":           mpd(func(m *MPD) { slices.Reverse(m.Periods) }),
	"a timeline has a hole":              periods(func(p *Period) { listed(p, func(n int, at int64) string { return hole(n, at) }) }),
	"segments of a timeline overlap":     mpd(overlapping),
	"segments exceed maxSegmentDuration": mpd(func(m *MPD) { m.MaxSegment = "PT1S" }),
	"the default location is unknown":    mpd(func(m *MPD) { m.Default = "gamma" }),
	"an event stream has no scheme":      replace(` schemeIdUri="urn:example:event"`, ""),
	"the MPD stands still":               {Late: func(path string, since time.Duration) time.Duration { return since }},
}

// running takes out the Period that was running when the fault was switched on.
func running(m *MPD) {
	m.Periods = slices.DeleteFunc(m.Periods, func(p Period) bool {
		end := p.First + content
		if p.Ad {
			end = p.First + cycle - content
		}
		return p.First < m.From && m.From < end
	})
}

func lagging(m *MPD) {
	p := &m.Periods[len(m.Periods)-1]
	if lag := min(3, int(m.Since/Length)); p.Duration == 0 {
		p.SetTo = map[string]int{"audio": max(p.From, p.To-lag)}
	}
}

func timing(what string) []string {
	return []string{`  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="http://edge.test/` + what + `"/>`}
}

func hole(n int, at int64) string {
	if n%cycle == 3 {
		return ""
	}
	return fmt.Sprintf(`<S n="%d" t="%d" d="%d"/>`, n, at, 2*timescale)
}

func overlapping(m *MPD) {
	m.MaxSegment = "PT3S"
	for i := range m.Periods {
		listed(&m.Periods[i], func(n int, at int64) string {
			return fmt.Sprintf(`<S t="%d" d="%d"/>`, at, 2*timescale+map[bool]int64{true: 4000}[n%cycle == 3])
		})
	}
}

// Steering are the faults of the steering answer.
var Steering = map[string]*Fault{
	"steering says 429": steer(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusTooManyRequests)
	}),
	"steering hangs":              {Serve: func(_ http.ResponseWriter, r *http.Request) bool { return hang(r, "/steer") }},
	"steering is HTML":            textOf("/steer", func(string) string { return "<html>" }),
	"steering has VERSION 2":      steerText(`"VERSION":1`, `"VERSION":2`),
	"steering has TTL 0":          steerText(`"TTL":5`, `"TTL":0`),
	"RELOAD-URI is relative":      steerText("http://edge.test/steer", "/steer"),
	"the priority is empty":       steerText(`["alpha","beta"]`, `[]`),
	"the priority has duplicates": steerText(`["alpha","beta"]`, `["alpha","beta","alpha"]`),
	"the priority is disjoint":    steerText(`["alpha","beta"]`, `["one","two"]`),
	"the priority has a stranger": steerText(`["alpha","beta"]`, `["alpha","one","beta"]`),
	"the priority is short":       steerText(`["alpha","beta"]`, `["alpha"]`),
	"the first answer moves":      steerText(`["alpha","beta"]`, `["beta","alpha"]`),
	"a clone has no base":         steerText(`"TTL":5`, `"TTL":5,"PATHWAY-CLONES":[{"BASE-ID":"none","ID":"x","URI-REPLACEMENT":{"HOST":"x.test"}}]`),
	"steering may be cached":      steerHeader("Cache-Control", "max-age=60"),
	"steering has no CORS":        steerHeader("Access-Control-Allow-Origin", "https://other.example"),
	"steering is called text":     steerHeader("Content-Type", "text/plain"),
}

func steerText(old, with string) *Fault {
	return textOf("/steer", func(s string) string { return strings.Replace(s, old, with, 1) })
}

func steerHeader(name, value string) *Fault {
	return &Fault{Header: func(r *http.Request, h http.Header) {
		if r.URL.Path == "/steer" {
			h.Set(name, value)
		}
	}}
}

func steer(answer func(w http.ResponseWriter)) *Fault {
	return &Fault{Serve: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/steer" {
			answer(w)
			return true
		}
		return false
	}}
}

// hang never answers below a path.
func hang(r *http.Request, path string) bool {
	if !strings.HasPrefix(r.URL.Path, path) {
		return false
	}
	<-r.Context().Done()
	return true
}
