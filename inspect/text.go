package inspect

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteText writes the report for a terminal of 100 columns, in colour where
// that is asked for.
func (r *Report) WriteText(w io.Writer, color bool) error {
	p := &page{color: color}
	r.head(p)
	switch {
	case r.Multivariant != nil:
		r.Multivariant.page(p)
	case r.Media != nil:
		r.Media.page(p)
	case r.MPD != nil:
		r.MPD.page(p)
	}
	r.playlists(p)
	r.Together.page(p)
	r.opinions(p)
	r.verdict(p)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// kindNames name kinds for people.
var kindNames = map[string]string{"hls-multivariant": "HLS multivariant playlist", "hls-media": "HLS media playlist", "dash": "DASH MPD"}

// head writes what all kinds have.
func (r *Report) head(p *page) {
	p.put(strong, fit(withoutQuery(r.Name), pageWidth))
	p.end()
	kind := kindNames[r.Kind]
	if kind == "" {
		kind = "not a manifest that the edge can read"
	}
	facts := []string{kind}
	switch {
	case r.Multivariant != nil:
		m := r.Multivariant
		facts = append(facts, version(m.Version), when(m.IndependentSegments, "independent segments"))
	case r.Media != nil:
		m := r.Media
		facts = append(facts, when(m.Live, "live"), when(!m.Live, "ended"), m.Type, version(m.Version), when(m.LowLatency != nil && m.LowLatency.Parts > 0, "low latency"),
			when(m.Skipped > 0, "delta update"), when(m.IFramesOnly, "I-frames only"), when(m.IndependentSegments, "independent segments"))
	case r.MPD != nil:
		facts = append(facts, when(r.MPD.Live, "dynamic"), when(!r.MPD.Live, "static"))
		for _, profile := range r.MPD.Profiles {
			facts = append(facts, profileName(profile))
		}
	}
	for _, l := range wrap(strings.Join(some(facts), " · "), pageWidth) {
		p.put(plain, l)
		p.end()
	}
	line := size(r.Bytes) + ", " + size(r.Gzip) + " in gzip"
	if r.Kind != "" {
		line += " · compiles in " + spanOf(r.Compile)
	}
	p.put(faint, line)
	p.end()
	if a := r.HTTP; a != nil {
		age := ""
		if a.Age != nil {
			age = fmt.Sprintf("age %d s", *a.Age)
		}
		encoded := when(a.Encoding != "", a.Encoding+", "+size(a.Wire)+" on the wire")
		p.field("answer", fmt.Sprintf("%s %d", a.Protocol, a.Status), a.MediaType, encoded, age, a.Server, "in "+spanOf(a.Took))
		p.field("caching", a.CacheControl, a.CacheStatus)
		if len(a.Redirects) > 0 {
			p.field("redirected", "to "+withoutQuery(a.URL))
		}
	}
}

func version(n int) string { return "version " + strconv.Itoa(n) }

// profileName is what people call a profile.
func profileName(urn string) string {
	for _, prefix := range [...]string{"urn:mpeg:dash:profile:", "urn:dvb:dash:profile:", "http://dashif.org/guidelines/"} {
		if name, ok := strings.CutPrefix(urn, prefix); ok {
			if strings.Contains(prefix, "dashif") {
				return "DASH-IF " + name
			}
			return name
		}
	}
	return urn
}

// opinions writes what other libraries say.
func (r *Report) opinions(p *page) {
	for i, o := range r.Opinions {
		if i == 0 {
			p.end()
		}
		switch {
		case o.Failed != "":
			p.field("2nd opinion", o.Reader+" cannot read it: "+o.Failed)
		case len(o.Differs) == 0:
			p.field("2nd opinion", o.Reader+" agrees: "+o.Reads)
		default:
			p.field("2nd opinion", o.Reader+" differs: "+strings.Join(o.Differs, "; "))
		}
	}
}

// playlists writes those one level deeper.
func (r *Report) playlists(p *page) {
	if len(r.Playlists) == 0 {
		return
	}
	p.heading("Playlists", number(len(r.Playlists), "playlist", "playlists")+" one level deeper")
	var rows [][]string
	for _, l := range r.Playlists {
		row := []string{withoutQuery(l.Name), "", "", "", "", "", tallyText(l)}
		if m := l.Media; m != nil {
			row = []string{row[0], when(m.Live, "live") + when(!m.Live, "ended"), spanOf(m.Target), strconv.Itoa(m.Segments), spanOf(m.Window), "", tallyText(l)}
			if m.Age != nil {
				row[5] = spanOf((*m.Age / Seconds(time.Millisecond)) * Seconds(time.Millisecond))
			}
		}
		rows = append(rows, row)
	}
	p.table(2, []column{{name: "playlist", least: 20}, {name: ""}, {name: "target", right: true}, {name: "segments", right: true},
		{name: "window", right: true}, {name: "edge age", right: true}, {name: "problems"}}, rows)
}

// tallyText counts a report's problems.
func tallyText(r *Report) string {
	var parts []string
	if n := r.Errors(); n > 0 {
		parts = append(parts, number(n, "error", "errors"))
	}
	if n := r.Warnings(); n > 0 {
		parts = append(parts, number(n, "warning", "warnings"))
	}
	return strings.Join(parts, ", ")
}

// Verdict is the report in a few words: "2 errors, 1 warning", or "".
func (r *Report) Verdict() string { return tallyText(r) }

// verdict writes the problems, last: that is where a terminal leaves the eye.
func (r *Report) verdict(p *page) {
	p.end()
	if r.Errors()+r.Warnings() == 0 {
		p.put(green, "No problems found.")
		p.end()
		return
	}
	p.put(strong, "Problems")
	p.put(faint, "  "+tallyText(r))
	p.end()
	p.problems(r.Problems, "")
	for _, l := range r.Playlists {
		p.problems(l.Problems, withoutQuery(l.Name))
	}
}
