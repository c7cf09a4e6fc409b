package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page writes a multivariant playlist.
func (m *Multivariant) page(p *page) {
	if len(m.Variants) > 0 {
		shown := alike(m.Variants)
		note := strconv.Itoa(len(m.Variants))
		if len(shown) < len(m.Variants) {
			note = fmt.Sprintf("%d on %s", len(m.Variants), number(len(m.Pathways), "pathway", "pathways"))
		}
		p.heading("Variants", note)
		streams(p, shown)
	}
	for _, kind := range [...]string{"audio", "video", "subtitles", "closed captions"} {
		var list []Stream
		for _, r := range m.Renditions {
			if r.Kind == kind {
				list = append(list, r)
			}
		}
		if len(list) > 0 {
			p.heading(strings.ToUpper(kind[:1])+kind[1:], strconv.Itoa(len(list)))
			renditions(p, list)
		}
	}
	if len(m.TrickPlay) > 0 {
		p.heading("Trick play", strconv.Itoa(len(m.TrickPlay)))
		streams(p, alike(m.TrickPlay))
	}
	if m.Steering != nil || len(m.Pathways) > 0 || len(m.SessionData) > 0 || len(m.Keys) > 0 || len(m.Variables) > 0 || len(m.Hosts) > 1 {
		p.end()
	}
	steeringField(p, m.Steering)
	p.field("pathways", counts(m.Pathways, "variant", "variants")...)
	for _, d := range m.SessionData {
		p.field("session data", d.ID, d.Language, d.Value+withoutQuery(d.URI))
	}
	keyFields(p, "session key", m.Keys)
	p.field("variables", m.Variables...)
	if len(m.Hosts) > 1 || len(m.Hosts) == 1 && m.Hosts[0].Name != "relative" {
		p.field("leads to", counts(m.Hosts, "URI", "URIs")...)
	}
}

// alike joins the variants that differ in nothing but their pathway: they are
// shown once, with the pathways.
func alike(all []Stream) (list []Stream) {
	at := make(map[string]int)
	for _, v := range all {
		key := fmt.Sprint(v.Bitrate, v.Width, v.Height, v.FrameRate, v.Codecs, v.Range, v.ID)
		i, ok := at[key]
		if ok && v.Pathway != list[i].Pathway && v.Pathway != "" && !slices.Contains(strings.Split(list[i].Pathway, " "), v.Pathway) {
			list[i].Pathway += " " + v.Pathway
			continue
		}
		if !ok {
			at[key] = len(list)
		}
		list = append(list, v)
	}
	return list
}

// streams writes variants, I-frame playlists or Representations.
func streams(p *page, all []Stream) {
	rows := make([][]string, len(all))
	for i, s := range all {
		fps := ""
		if s.FrameRate > 0 {
			fps = strconv.FormatFloat(s.FrameRate, 'f', -1, 64)
			fps = strconv.FormatFloat(s.FrameRate, 'f', min(3, max(0, len(fps)-strings.IndexByte(fps+".", '.')-1)), 64)
		}
		rows[i] = []string{picture(&s), bitrate(s.Bitrate), bitrate(s.Average), fps, s.Range, s.Codecs, s.Audio, s.Video,
			s.Subtitles, s.Captions, s.Pathway, withoutQuery(s.URI)}
	}
	p.table(2, []column{{name: "picture"}, {name: "peak", right: true}, {name: "mean", right: true}, {name: "fps", right: true}, {name: "range"},
		{name: "codecs", least: 12}, {name: "audio", least: 6}, {name: "video", least: 6}, {name: "subs", least: 4}, {name: "cc", least: 4},
		{name: "pathways", least: 8}, {name: "playlist", least: 12}}, rows)
}

func picture(s *Stream) string {
	if s.Width == 0 && s.Height == 0 {
		return ""
	}
	return fmt.Sprintf("%d×%d", s.Width, s.Height)
}

func renditions(p *page, all []Stream) {
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.Group, s.Language, s.Name, when(s.Default, "default") + when(s.Forced, " forced"),
			when(s.Channels != "", s.Channels+" ch"), s.InStream, withoutQuery(s.URI)}
	}
	p.table(2, []column{{name: "group", least: 8}, {name: "language"}, {name: "name", least: 8}, {name: ""}, {name: "channels"}, {name: "in stream"}, {name: "playlist", least: 12}}, rows)
}

func steeringField(p *page, s *Steering) {
	if s != nil {
		p.field("steering", withoutQuery(s.Server), when(s.First != "", "first "+s.First), when(s.QueryBeforeStart, "asked before the start"))
	}
}

func keyFields(p *page, label string, keys []Key) {
	for _, k := range keys {
		p.field(label, k.Method, k.Format, withoutQuery(k.URI), when(k.ID != "", "key id "+k.ID), when(k.Times > 1, fmt.Sprintf("%d times", k.Times)))
	}
}

// counts shows a tally: "cdn.example 6 URIs".
func counts(all []Count, one, many string) (list []string) {
	for _, c := range all {
		list = append(list, c.Name+" "+number(c.Times, one, many))
	}
	return list
}

// page writes a media playlist.
func (m *Media) page(p *page) {
	p.end()
	numbers := ""
	if m.Segments > 0 {
		numbers = fmt.Sprintf("numbers %d to %d", m.First, m.Last)
		if m.First == m.Last {
			numbers = fmt.Sprintf("number %d", m.First)
		}
	}
	p.field("segments", strconv.Itoa(m.Segments), numbers, when(m.Skipped > 0, fmt.Sprintf("%d skipped", m.Skipped)), m.lengths(), when(m.ByteRanges > 0, "byte ranges"))
	p.field("window", when(m.Window > 0, spanOf(m.Window)), "target "+spanOf(m.Target))
	if m.Starts != nil {
		age := ""
		if m.Age != nil {
			age = "live edge " + spanOf(*m.Age) + " ago"
			if *m.Age < 0 {
				age = "live edge " + spanOf(-*m.Age) + " ahead"
			}
		}
		p.field("dates", clock(m.Starts)+" to "+clock(m.Edge), age, number(m.Dated, "segment dated", "segments dated"))
	}
	p.field("joints", when(m.Discontinuities+int(m.DiscontinuitySequence) > 0, number(m.Discontinuities, "discontinuity", "discontinuities")),
		when(m.DiscontinuitySequence > 0, fmt.Sprintf("sequence from %d", m.DiscontinuitySequence)),
		when(m.Gaps > 0, number(m.Gaps, "gap", "gaps")), when(m.Maps > 1, number(m.Maps, "initialization", "initializations")))
	if l := m.LowLatency; l != nil {
		p.field("low latency", when(l.Parts > 0, number(l.Parts, "part", "parts")+" of "+spanOf(l.PartTarget)), when(l.BlockingReload, "blocking reload"),
			when(l.PartHoldBack > 0, "part hold-back "+spanOf(l.PartHoldBack)), when(l.HoldBack > 0, "hold-back "+spanOf(l.HoldBack)),
			when(l.SkipUntil > 0, "skips until "+spanOf(l.SkipUntil)), when(len(l.Hints) > 0, strings.Join(counts(l.Hints, "hint", "hints"), ", ")),
			when(l.Reports > 0, number(l.Reports, "rendition report", "rendition reports")))
	}
	keyFields(p, "encryption", m.Keys)
	p.field("variables", m.Variables...)
	p.field("leads to", counts(m.Hosts, "URI", "URIs")...)
	m.strip(p)
	m.cues(p)
}

// lengths says how long the segments are.
func (m *Media) lengths() string {
	switch {
	case m.Segments == 0:
		return ""
	case m.Longest-m.Shortest < Seconds(time.Millisecond):
		return spanOf(m.Longest) + " each"
	}
	return spanOf(m.Shortest) + " to " + spanOf(m.Longest)
}

// maxShown bounds the cues, ranges and events that are written.
const maxShown = 24

func (m *Media) cues(p *page) {
	if n := len(m.Cues); n > 0 {
		p.heading("Cues", strconv.Itoa(n))
		var rows [][]string
		for _, c := range m.Cues[:min(n, maxShown)] {
			rows = append(rows, []string{strconv.Itoa(c.Line), stamp(c.At), clock(c.Date), c.Raw})
		}
		p.table(2, []column{{name: "line", right: true}, {name: "at", right: true}, {name: "date"}, {name: "raw", least: 30}}, rows)
		p.more(n)
	}
	if n := len(m.Ranges); n > 0 {
		p.heading("Date ranges", strconv.Itoa(n))
		var rows [][]string
		for _, g := range m.Ranges[:min(n, maxShown)] {
			at, length := "", "open"
			if g.At != nil {
				at = stamp(*g.At)
			}
			if g.Duration > 0 {
				length = spanOf(g.Duration) + when(g.Planned, " planned")
			}
			rows = append(rows, []string{strconv.Itoa(g.Line), at, clock(g.Start), length, g.ID, g.Class, when(g.SCTE35, "SCTE 35"), withoutQuery(g.Asset)})
		}
		p.table(2, []column{{name: "line", right: true}, {name: "at", right: true}, {name: "start"}, {name: "length"}, {name: "id", least: 8}, {name: "class", least: 8}, {name: ""}, {name: "asset", least: 10}}, rows)
		p.more(n)
	}
}

// more says that not all were written.
func (p *page) more(n int) {
	if n > maxShown {
		p.put(faint, fmt.Sprintf("  and %d more (--json has all)", n-maxShown))
		p.end()
	}
}

// stripWidth is the width of the drawing of a playlist.
const stripWidth = 84

// strip draws the playlist: what is there, and where it is not smooth.
func (m *Media) strip(p *page) {
	if m.Window <= 0 || len(m.List) < 2 || m.Discontinuities+m.Gaps+len(m.Cues)+len(m.Ranges) == 0 {
		return
	}
	line := []rune(strings.Repeat("─", stripWidth))
	column := func(at Seconds) int {
		return min(max(int(float64(at)/float64(m.Window)*stripWidth), 0), stripWidth-1)
	}
	for i := range m.List {
		s := &m.List[i]
		if s.Gap {
			for c := column(s.Start); c <= max(column(s.Start), column(s.Start+s.Duration)-1); c++ {
				line[c] = '·'
			}
		}
		if s.Discontinuity {
			line[column(s.Start)] = '╪'
		}
	}
	marks := []rune(strings.Repeat(" ", stripWidth))
	for i := range m.Cues {
		marks[column(m.Cues[i].At)] = '▲'
	}
	for i := range m.Ranges {
		if at := m.Ranges[i].At; at != nil && *at >= 0 && *at <= m.Window {
			marks[column(*at)] = '▲'
		}
	}
	p.end()
	p.put(plain, "  "+string(line))
	p.end()
	if text := strings.TrimRight(string(marks), " "); text != "" {
		p.put(plain, "  "+text)
		p.end()
	}
	legend := some([]string{when(m.Discontinuities > 0, "╪ discontinuity"), when(m.Gaps > 0, "· gap"), when(strings.ContainsRune(string(marks), '▲'), "▲ cue or date range")})
	p.put(faint, "  0 s to "+spanOf(m.Window)+"   "+strings.Join(legend, "   "))
	p.end()
}
