package fault

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// each changes every listed segment from the first after the switch on.
func each(change func(p *Playlist, s *Segment)) *Fault {
	return &Fault{Playlist: func(p *Playlist) {
		for i := range p.Segments {
			if p.Segments[i].N >= p.From {
				change(p, &p.Segments[i])
			}
		}
	}}
}

func list(change func(p *Playlist)) *Fault { return &Fault{Playlist: change} }

// only changes the playlist of the second picture.
func only(change func(p *Playlist)) *Fault {
	return list(func(p *Playlist) {
		if p.Rendition == "v1" {
			change(p)
		}
	})
}

// after is the first segment from n on that has a place in the cycle.
func after(n, place int) int {
	for n%cycle != place {
		n++
	}
	return n
}

func replace(old, with string) *Fault {
	return &Fault{Text: func(_ *http.Request, s string) string { return strings.ReplaceAll(s, old, with) }}
}

// textOf changes the text of one path.
func textOf(path string, change func(string) string) *Fault {
	return &Fault{Text: func(r *http.Request, s string) string {
		if strings.HasPrefix(r.URL.Path, path) {
			return change(s)
		}
		return s
	}}
}

// Playlists are the faults of HLS media playlists, by what goes wrong.
var Playlists = map[string]*Fault{
	"the media sequence is reset":           list(func(p *Playlist) { p.Sequence -= 30 }),
	"the media sequence stands still":       list(func(p *Playlist) { p.Sequence = p.From - window + 1 }),
	"the discontinuity sequence is reset":   list(func(p *Playlist) { p.DiscSequence -= 3 }),
	"the discontinuity sequence runs ahead": list(func(p *Playlist) { p.DiscSequence += 2 }),
	"segments move to another host": list(func(p *Playlist) {
		if p.Pathway == "alpha" {
			uris(p, "alpha.test", "beta.test")
			uris(p, Token("alpha"), Token("beta"))
		}
	}),
	"segments change their names":     list(func(p *Playlist) { uris(p, ".m4s", "x.m4s") }),
	"segments change their durations": list(func(p *Playlist) { durations(p, "1.80000") }),
	"dates move":                      list(func(p *Playlist) { dates(p, 0, func(int) time.Duration { return 700 * time.Millisecond }) }),
	"dates go back":                   list(func(p *Playlist) { dates(p, after(p.From, 3), func(int) time.Duration { return -5 * time.Second }) }),
	"dates jump":                      list(func(p *Playlist) { dates(p, after(p.From, 3), func(int) time.Duration { return 5 * time.Second }) }),
	"dates drift": list(func(p *Playlist) {
		dates(p, p.From, func(n int) time.Duration { return time.Duration(n-p.From) * 60 * time.Millisecond })
	}),
	"the target duration changes":         list(func(p *Playlist) { p.Target = 3 }),
	"segments are longer than the target": each(func(_ *Playlist, s *Segment) { s.Duration = "2.60000" }),
	"MAP is missing after the break":      each(func(_ *Playlist, s *Segment) { dropAfter(s, 0, func() { s.Map = "" }) }),
	"KEY is missing before the break":     each(func(_ *Playlist, s *Segment) { dropAfter(s, content, func() { s.Keys = nil }) }),
	"the first MAP is another": list(func(p *Playlist) {
		p.Segments[0].Map = strings.Replace(p.Segments[0].Map, "init.mp4", "ad.init.mp4", 1)
	}),
	"the first KEY has another IV": list(func(p *Playlist) {
		p.Segments[0].Keys = []string{strings.Replace(strings.Join(p.Segments[0].Keys, ""), "7", "8", 1)}
	}),
	"segments are withdrawn":               list(func(p *Playlist) { p.Segments = p.Segments[:len(p.Segments)-2] }),
	"ENDLIST is gone":                      list(func(p *Playlist) { p.Ended, p.Type = false, "" }),
	"a sliding window calls itself EVENT":  list(func(p *Playlist) { p.Type = "EVENT" }),
	"an EVENT loses segments":              list(func(p *Playlist) { p.Type = "EVENT"; front(p, p.From-4) }),
	"a playlist lasts two segments":        list(func(p *Playlist) { front(p, p.Segments[len(p.Segments)-2].N) }),
	"one rendition misses a discontinuity": only(missing),
	"one rendition has another target":     only(func(p *Playlist) { p.Target = 3 }),
	"a date range changes": list(func(p *Playlist) {
		p.Extra = []string{fmt.Sprintf("#EXT-X-DATERANGE:ID=\"x\",START-DATE=\"2000-01-01T00:00:00Z\",DURATION=%d.5", int(p.Since.Seconds()))}
	}),
	"a date range contradicts itself": list(func(p *Playlist) {
		p.Extra = []string{`#EXT-X-DATERANGE:ID="x",START-DATE="2000-01-01T00:00:00Z",DURATION=5`, `#EXT-X-DATERANGE:ID="x",DURATION=6`}
	}),
	"an attribute has no value": list(func(p *Playlist) {
		p.Extra = []string{`#EXT-X-DATERANGE:ID="x",START-DATE="2000-01-01T00:00:00Z",CLASS`}
	}),
	"the version is too low":       list(func(p *Playlist) { p.Version = 3 }),
	"a variable is not defined":    each(func(_ *Playlist, s *Segment) { s.URI = strings.Replace(s.URI, "/media/", "/media/{$folder}", 1) }),
	"a byte range has no start":    each(func(_ *Playlist, s *Segment) { s.Range = "100" }),
	"a token is another pathway's": each(func(p *Playlist, s *Segment) { mislabel(p, s) }),
	"PART-INF is missing":          list(func(p *Playlist) { p.PartTarget = "" }),
	"PART-TARGET changes":          list(func(p *Playlist) { p.PartTarget = "0.55" }),
	"parts are too long":           list(func(p *Playlist) { parts(p, func(k int, t *PartTag) { t.Duration = "0.56000" }) }),
	"parts are too short": list(func(p *Playlist) {
		parts(p, func(k int, t *PartTag) { t.Duration = map[bool]string{true: "0.30000", false: t.Duration}[k == 1] })
	}),
	"HOLD-BACK is too short":        control("HOLD-BACK=6.0", "HOLD-BACK=4.0"),
	"PART-HOLD-BACK is tight":       control("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.2"),
	"the skip boundary is too near": control("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=8.0"),
	"a part is not listed":          each(func(_ *Playlist, s *Segment) { s.Parts = s.Parts[:max(0, len(s.Parts)-1)] }),
	"parts change their names":      list(func(p *Playlist) { renameParts(p) }),
	"a hint names another part":     list(func(p *Playlist) { p.Hint = strings.Replace(p.Hint, ".m4s", ".other.m4s", 1) }),
	"a hint stands after the end":   list(func(p *Playlist) { p.Extra = []string{`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="x"`} }),
	"reports are old": list(func(p *Playlist) {
		for i := range p.Reports {
			p.Reports[i] = oldReport(p.Reports[i])
		}
	}),
	"reports are missing": list(func(p *Playlist) { p.Reports = nil }),
	"all playlists stand still": {Late: func(path string, since time.Duration) time.Duration {
		return map[bool]time.Duration{true: since}[strings.HasPrefix(path, "/hls/")]
	}},
	"one rendition lags": {Late: func(path string, since time.Duration) time.Duration {
		return map[bool]time.Duration{true: min(since, 8*time.Second)}[strings.HasSuffix(path, "/v1.m3u8")]
	}},
	"a blank line stands before a URI": textOf("/hls/", func(s string) string {
		return strings.ReplaceAll(s, "#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY\n\n")
	}),
	"a rendition group is missing": textOf("/master", func(s string) string {
		return strings.Replace(s, `GROUP-ID="audio-alpha"`, `GROUP-ID="sound-alpha"`, 1)
	}),
	"the initial pathway is unknown": textOf("/master", func(s string) string { return strings.Replace(s, `PATHWAY-ID="alpha"`, `PATHWAY-ID="gamma"`, 1) }),
	"a pathway lacks a variant":      textOf("/master", func(s string) string { return s[:strings.LastIndex(s, "#EXT-X-STREAM-INF")] }),
}

func uris(p *Playlist, old, with string) {
	for i := range p.Segments {
		p.Segments[i].URI = strings.Replace(p.Segments[i].URI, old, with, 1)
	}
}

func durations(p *Playlist, d string) {
	for i := range p.Segments {
		p.Segments[i].Duration = d
	}
}

func dates(p *Playlist, from int, by func(n int) time.Duration) {
	for i := range p.Segments {
		if s := &p.Segments[i]; s.N >= from {
			s.Date = s.Date.Add(by(s.N))
		}
	}
}

func dropAfter(s *Segment, place int, drop func()) {
	if boundary(s.N) && s.N%cycle == place {
		drop()
	}
}

func front(p *Playlist, first int) {
	for len(p.Segments) > 1 && p.Segments[0].N < first {
		p.Segments = p.Segments[1:]
		p.Sequence++
	}
	p.DiscSequence = dsn(p.Segments[0].N)
	if boundary(p.Segments[0].N) {
		p.DiscSequence--
	}
	p.Segments[0].Map = strings.Replace(p.Segments[0].URI, fmt.Sprintf("/%d.m4s", p.Segments[0].N), "/"+initName(p.Segments[0].N), 1)
}

// missing takes one discontinuity out, and counts as if it never was.
func missing(p *Playlist) {
	gone := after(p.From, content)
	for i := range p.Segments {
		if p.Segments[i].N == gone {
			p.Segments[i].Discontinuity = false
		}
	}
	if p.Segments[0].N > gone {
		p.DiscSequence--
	}
}

func mislabel(p *Playlist, s *Segment) {
	other := map[string]string{"alpha": "beta", "beta": "alpha"}[p.Pathway]
	s.URI = strings.Replace(s.URI, Token(p.Pathway), Token(other), 1)
}

func control(old, with string) *Fault {
	return list(func(p *Playlist) { p.Control = strings.Replace(p.Control, old, with, 1) })
}

// parts changes the parts of segments after the switch.
func parts(p *Playlist, change func(k int, t *PartTag)) {
	for i := range p.Segments {
		if p.Segments[i].N >= p.From+1 {
			for k := range p.Segments[i].Parts {
				change(k, &p.Segments[i].Parts[k])
			}
		}
	}
	if p.Open != nil && p.Open.N >= p.From+1 {
		for k := range p.Open.Parts {
			change(k, &p.Open.Parts[k])
		}
	}
}

func renameParts(p *Playlist) {
	rename := func(list []PartTag) {
		for k := range list {
			list[k].URI = strings.Replace(list[k].URI, ".m4s", ".renamed.m4s", 1)
		}
	}
	for i := range p.Segments {
		rename(p.Segments[i].Parts)
	}
	if p.Open != nil {
		rename(p.Open.Parts)
		p.Hint = strings.Replace(p.Hint, ".m4s", ".renamed.m4s", 1)
	}
}

func oldReport(r string) string {
	var msn, part int
	head, tail, _ := strings.Cut(r, "LAST-MSN=")
	if _, err := fmt.Sscanf(tail, "%d,LAST-PART=%d", &msn, &part); err != nil {
		return r
	}
	return fmt.Sprintf("%sLAST-MSN=%d,LAST-PART=%d", head, msn-5, part)
}
