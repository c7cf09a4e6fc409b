package read

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"manifold/bench/finding"
)

// Master is a multivariant playlist as it stands, with its mistakes.
type Master struct {
	Version    int
	Variants   []Variant
	Renditions []Rendition
	Steering   *Steering
	Defined    map[string]string // EXT-X-DEFINE
	Problems   []Problem
	Lines      []finding.Line
}

// Variant is EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF.
type Variant struct {
	URI                                string
	Pathway, StableID                  string // pathway "." where none is said
	Bandwidth                          uint64
	Codecs, Resolution                 string
	Audio, Video, Subtitles, Captions  string
	IFrames, Images                    bool
	Line, URILine                      finding.Line
	AverageBandwidth, FrameRate, Range string
	HasPathway                         bool
}

// Rendition is EXT-X-MEDIA.
type Rendition struct {
	Type, Group, Name, Language, URI, StableID string
	Default, Forced                            bool
	Line                                       finding.Line
}

// Steering is EXT-X-CONTENT-STEERING or ContentSteering.
type Steering struct {
	Server  string
	Pathway string   // HLS: the initial one
	Default []string // DASH: defaultServiceLocation
	// BeforeStart is queryBeforeStart.
	BeforeStart bool
	Line        finding.Line
}

// Pathways are the pathways of the variants, in the order of their first use.
func (m *Master) Pathways() []string {
	var out []string
	for _, v := range m.Variants {
		if !slices.Contains(out, v.Pathway) {
			out = append(out, v.Pathway)
		}
	}
	return out
}

// ParseMaster reads a multivariant playlist. It always returns one: what could
// not be read is among its problems.
func ParseMaster(body []byte, at *url.URL) *Master {
	m := &Master{Version: 1}
	var (
		p       problems
		vars    variables
		pending *Variant
		seen    = map[string]bool{}
	)
	if at != nil {
		vars.query, _ = url.ParseQuery(at.RawQuery)
	}
	m.Lines = lines(body, &p)
	header(m.Lines, &p)
	for _, l := range m.Lines {
		text := strings.TrimRight(l.Text, " \t")
		if text == "" || text[0] == '#' && !strings.HasPrefix(text, "#EXT") {
			continue
		}
		if len(m.Variants)+len(m.Renditions) > maxVariants {
			p.add("hls-syntax", l, "more than %d variants and renditions", maxVariants)
			break
		}
		if text[0] != '#' {
			if pending == nil {
				p.add("hls-syntax", l, "a URI without EXT-X-STREAM-INF before it")
				continue
			}
			pending.URI, pending.URILine = vars.expand(text, l, &p), l
			m.Variants = append(m.Variants, *pending)
			pending = nil
			continue
		}
		tag, value, _ := strings.Cut(text, ":")
		if pending != nil && tag == "#EXT-X-STREAM-INF" {
			p.add("hls-syntax", pending.Line, "EXT-X-STREAM-INF without a URI on the next line")
			pending = nil
		}
		list := func() attrs {
			a := parseAttrs(value, l, &p)
			vars.expandAll(a, l, &p)
			return a
		}
		switch tag {
		case "#EXT-X-VERSION":
			n, ok := integer(value)
			if !ok || seen[tag] {
				p.add("hls-syntax", l, "EXT-X-VERSION must stand once, with a number")
			}
			m.Version = int(min(n, 1000))
			seen[tag] = true
		case "#EXT-X-DEFINE":
			vars.define(parseAttrs(value, l, &p), l, &p)
		case "#EXT-X-STREAM-INF":
			v := variant(list(), l, &p)
			pending = &v
		case "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF":
			a := list()
			v := variant(a, l, &p)
			v.URI, v.URILine, v.IFrames, v.Images = a.get("URI"), l, true, tag == "#EXT-X-IMAGE-STREAM-INF"
			if v.URI == "" {
				p.add("hls-syntax", l, "%s without URI", tag[1:])
			}
			m.Variants = append(m.Variants, v)
		case "#EXT-X-MEDIA":
			m.Renditions = append(m.Renditions, rendition(list(), l, &p))
		case "#EXT-X-CONTENT-STEERING":
			if seen[tag] {
				p.add("hls-syntax", l, "EXT-X-CONTENT-STEERING stands twice")
			}
			seen[tag] = true
			a := list()
			m.Steering = &Steering{Server: a.get("SERVER-URI"), Pathway: a.get("PATHWAY-ID"), Line: l}
			if m.Steering.Server == "" {
				p.add("hls-syntax", l, "EXT-X-CONTENT-STEERING without SERVER-URI")
			}
		case "#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-MAP", "#EXT-X-KEY", "#EXT-X-BYTERANGE",
			"#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-PART", "#EXT-X-PART-INF", "#EXT-X-SERVER-CONTROL":
			p.add("hls-syntax", l, "%s belongs to media playlists", tag)
		}
	}
	if pending != nil {
		p.add("hls-syntax", pending.Line, "EXT-X-STREAM-INF without a URI on the next line")
	}
	m.Defined = vars.known
	checkMaster(m, &p)
	m.Problems = p
	return m
}

func variant(a attrs, l finding.Line, p *problems) Variant {
	v := Variant{Pathway: ".", Line: l, StableID: a.get("STABLE-VARIANT-ID"), Codecs: a.get("CODECS"), Resolution: a.get("RESOLUTION"),
		Audio: a.get("AUDIO"), Video: a.get("VIDEO"), Subtitles: a.get("SUBTITLES"),
		AverageBandwidth: a.get("AVERAGE-BANDWIDTH"), FrameRate: a.get("FRAME-RATE"), Range: a.get("VIDEO-RANGE")}
	if x, ok := a.find("CLOSED-CAPTIONS"); ok && x.quoted {
		v.Captions = x.value
	}
	if x, ok := a.find("PATHWAY-ID"); ok {
		v.HasPathway, v.Pathway = true, x.value
		if !pathwayID(x.value) {
			p.add("hls-syntax", l, "%q is no PATHWAY-ID", x.value)
		}
	}
	n, ok := integer(a.get("BANDWIDTH"))
	if !ok || n == 0 {
		p.add("hls-syntax", l, "%q is no BANDWIDTH", a.get("BANDWIDTH"))
	}
	v.Bandwidth = n
	if v.Resolution != "" {
		w, h, _ := strings.Cut(v.Resolution, "x")
		if _, err := strconv.ParseUint(w, 10, 31); err != nil {
			p.add("hls-syntax", l, "%q is no RESOLUTION", v.Resolution)
		} else if _, err := strconv.ParseUint(h, 10, 31); err != nil {
			p.add("hls-syntax", l, "%q is no RESOLUTION", v.Resolution)
		}
	}
	return v
}

// pathwayID: rfc8216bis, section 4.4.6.2.
func pathwayID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

func rendition(a attrs, l finding.Line, p *problems) Rendition {
	r := Rendition{Type: a.get("TYPE"), Group: a.get("GROUP-ID"), Name: a.get("NAME"), Language: a.get("LANGUAGE"), URI: a.get("URI"),
		StableID: a.get("STABLE-RENDITION-ID"), Default: a.get("DEFAULT") == "YES", Forced: a.get("FORCED") == "YES", Line: l}
	switch r.Type {
	case "AUDIO", "VIDEO", "SUBTITLES":
		if r.Type == "SUBTITLES" && r.URI == "" {
			p.add("hls-syntax", l, "EXT-X-MEDIA of TYPE=SUBTITLES without URI")
		}
	case "CLOSED-CAPTIONS":
		if r.URI != "" || a.get("INSTREAM-ID") == "" {
			p.add("hls-syntax", l, "EXT-X-MEDIA of TYPE=CLOSED-CAPTIONS needs INSTREAM-ID, and no URI")
		}
	default:
		p.add("hls-syntax", l, "%q is no TYPE of EXT-X-MEDIA", r.Type)
	}
	if r.Group == "" || r.Name == "" {
		p.add("hls-syntax", l, "EXT-X-MEDIA needs GROUP-ID and NAME")
	}
	if r.Default && a.get("AUTOSELECT") == "NO" {
		p.add("hls-syntax", l, "DEFAULT=YES with AUTOSELECT=NO")
	}
	return r
}

// checkMaster: groups and pathways (RFC 8216, sections 4.3.4.1 and 4.3.4.2,
// rfc8216bis, sections 4.4.6.2 and 4.4.6.6).
func checkMaster(m *Master, p *problems) {
	type group struct{ kind, id string }
	groups := map[group]map[string]bool{}
	for _, r := range m.Renditions {
		g := group{r.Type, r.Group}
		if groups[g] == nil {
			groups[g] = map[string]bool{}
		}
		if groups[g][r.Name] {
			p.add("hls-syntax", r.Line, "the %s group %s has two renditions called %s", r.Type, r.Group, r.Name)
		}
		groups[g][r.Name] = true
	}
	stable := map[string]map[string]bool{} // by pathway
	for _, v := range m.Variants {
		for _, g := range []group{{"AUDIO", v.Audio}, {"VIDEO", v.Video}, {"SUBTITLES", v.Subtitles}, {"CLOSED-CAPTIONS", v.Captions}} {
			if g.id != "" && groups[g] == nil {
				p.add("hls-group-missing", v.Line, "no EXT-X-MEDIA of TYPE=%s has GROUP-ID %s", g.kind, g.id)
			}
		}
		if stable[v.Pathway] == nil {
			stable[v.Pathway] = map[string]bool{}
		}
		stable[v.Pathway][v.identity()] = true
	}
	if m.Steering == nil {
		return
	}
	if m.Steering.Pathway != "" && stable[m.Steering.Pathway] == nil {
		p.add("hls-pathway-unknown", m.Steering.Line, "no variant has PATHWAY-ID %s", m.Steering.Pathway)
	}
	all := map[string]bool{}
	for _, ids := range stable {
		for id := range ids {
			all[id] = true
		}
	}
	for _, name := range m.Pathways() {
		for id := range all {
			if !stable[name][id] {
				p.add("hls-pathways-uneven", m.Steering.Line, "pathway %s has no variant %s", name, id)
				return
			}
		}
	}
}

// identity is what makes a variant the same over pathways.
func (v *Variant) identity() string {
	if v.StableID != "" {
		return v.StableID
	}
	s := strconv.FormatUint(v.Bandwidth, 10) + " " + v.Resolution + " " + v.Codecs
	if v.IFrames {
		s += " I-frames"
	}
	return s
}

// Identity is what makes a variant the same over pathways: its stable id, or
// its attributes.
func (v *Variant) Identity() string { return v.identity() }
