package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"manifold/manifest"
	"manifold/manifest/hls"
)

// Multivariant is what a multivariant playlist holds.
type Multivariant struct {
	Version             int  `json:"version"`
	IndependentSegments bool `json:"independent_segments,omitempty"`
	// Variants, TrickPlay (I-frame and image playlists) and Renditions are in
	// the order of the playlist.
	Variants   []Stream `json:"variants"`
	TrickPlay  []Stream `json:"trick_play,omitempty"`
	Renditions []Stream `json:"renditions,omitempty"`
	// Steering is nil where the playlist declares none; Pathways are those that
	// variants name.
	Steering    *Steering `json:"steering,omitempty"`
	Pathways    []Count   `json:"pathways,omitempty"`
	SessionData []Data    `json:"session_data,omitempty"`
	Keys        []Key     `json:"session_keys,omitempty"`
	Hosts       []Count   `json:"hosts,omitempty"`
	Variables   []string  `json:"variables,omitempty"`

	streams *manifest.Presentation
}

// Data is an EXT-X-SESSION-DATA.
type Data struct {
	ID       string `json:"id"`
	Language string `json:"language,omitempty"`
	Value    string `json:"value,omitempty"`
	URI      string `json:"uri,omitempty"`
}

// multivariantReader reads a multivariant playlist line by line, and checks it
// on the way.
type multivariantReader struct {
	tagChecker
	versions versions
	m        *Multivariant
	variant  *line // the EXT-X-STREAM-INF whose URI has not come
	// lines are the tags that describe a stream, in the order of
	// Template.Renditions.
	lines    []streamLine
	data     map[string]int
	steering *line
	hosts    tally
}

// streamLine is a tag that describes a stream, with its attributes.
type streamLine struct {
	line
	attrs []attribute
	Stream
}

func (s *streamLine) get(name string) string { return valueOf(s.attrs, name) }

// readMultivariant reads a multivariant playlist that compiled.
func readMultivariant(t *hls.Template) (*Multivariant, []Problem) {
	src := string(t.Source())
	r := &multivariantReader{m: &Multivariant{Version: 1}, versions: versions{declared: 1}, data: map[string]int{}}
	r.kind = inMultivariant
	r.text(src)
	for lines := newLineReader(src); lines.next(); {
		l := lines.line
		_, all := r.check(&l)
		switch {
		case l.tag != "":
			r.versions.tag(&l, all)
			r.tag(&l, all)
		case r.variant == nil:
			r.add(at{l.number, 1, ""}, hlsRule(Error, "4.1", "write #EXT-X-STREAM-INF before it"), "", "a URI that belongs to no variant")
		default:
			r.hosts.add(hostOf(l.text))
			r.variant = nil
		}
	}
	r.describe(t)
	r.finish()
	return r.m, r.sorted()
}

func (r *multivariantReader) tag(l *line, all []attribute) {
	m := r.m
	here := at{l.number, l.indent + 1, ""}
	switch l.tag {
	case "EXT-X-VERSION":
		r.versions.declared, _ = strconv.Atoi(l.value)
		r.versions.line = l.number
		m.Version = r.versions.declared
	case "EXT-X-INDEPENDENT-SEGMENTS":
		m.IndependentSegments = true
	case "EXT-X-DEFINE":
		for _, name := range [...]string{"NAME", "QUERYPARAM"} {
			if v := valueOf(all, name); v != "" {
				m.Variables = append(m.Variables, v)
			}
		}
		r.define(l, all)
	case "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-IMAGE-STREAM-INF", "EXT-X-MEDIA":
		if all == nil {
			all = attributes(l.value, l.column)
		}
		r.lines = append(r.lines, streamLine{line: *l, attrs: all})
		if l.tag == "EXT-X-STREAM-INF" {
			r.variant = l
		} else if uri := valueOf(all, "URI"); uri != "" {
			r.hosts.add(hostOf(uri))
		}
	case "EXT-X-CONTENT-STEERING":
		if m.Steering == nil {
			r.steering = l
			m.Steering = &Steering{Server: valueOf(all, "SERVER-URI"), First: valueOf(all, "PATHWAY-ID")}
		}
	case "EXT-X-SESSION-DATA":
		d := Data{valueOf(all, "DATA-ID"), valueOf(all, "LANGUAGE"), valueOf(all, "VALUE"), valueOf(all, "URI")}
		m.SessionData = append(m.SessionData, d)
		if (find(all, "VALUE") == nil) == (find(all, "URI") == nil) {
			r.add(here, hlsRule(Error, "4.4.6.4", "give it one"), "", "EXT-X-SESSION-DATA has VALUE or URI, exactly one of them")
		}
		key := d.ID + "\n" + d.Language
		if first, twice := r.data[key]; twice {
			r.add(here, hlsRule(Error, "4.4.6.4", "keep one"), "", fmt.Sprintf("EXT-X-SESSION-DATA %q stands on line %d already, in the same language", short(d.ID), first))
		} else {
			r.data[key] = l.number
		}
	case "EXT-X-SESSION-KEY":
		r.checkKey(l, all)
		m.Keys = append(m.Keys, Key{Method: valueOf(all, "METHOD"), Format: keyFormat(valueOf(all, "KEYFORMAT")), URI: valueOf(all, "URI"), Times: 1})
	}
}

// describe joins what the template tells of the streams with the lines they
// stand on.
func (r *multivariantReader) describe(t *hls.Template) {
	m := r.m
	all := t.Renditions()
	m.streams = manifest.NewPresentation(manifest.Playlists(all), nil, nil)
	for i := range all {
		if i == len(r.lines) {
			break
		}
		s := &r.lines[i]
		s.Stream = streamOf(&all[i])
		s.Line = s.number
		s.Average, _ = strconv.Atoi(s.get("AVERAGE-BANDWIDTH"))
		switch all[i].Kind {
		case manifest.Variant:
			s.Audio, s.Video, s.Subtitles, s.Captions = s.get("AUDIO"), s.get("VIDEO"), s.get("SUBTITLES"), s.get("CLOSED-CAPTIONS")
			m.Variants = append(m.Variants, s.Stream)
		case manifest.TrickPlay:
			s.Video = s.get("VIDEO")
			m.TrickPlay = append(m.TrickPlay, s.Stream)
		default:
			s.Channels, s.InStream, s.Forced = s.get("CHANNELS"), s.get("INSTREAM-ID"), s.get("FORCED") == "YES"
			m.Renditions = append(m.Renditions, s.Stream)
		}
	}
	var pathways tally
	named := slices.ContainsFunc(m.Variants, func(v Stream) bool { return v.Pathway != "" })
	for i := range m.Variants {
		if named || m.Steering != nil {
			pathways.add(pathwayName(m.Variants[i].Pathway))
		}
	}
	m.Pathways, m.Hosts = pathways.list, r.hosts.list
}

// pathwayName is a variant's pathway: "." where it names none (section
// 4.4.6.2).
func pathwayName(id string) string {
	if id == "" {
		return "."
	}
	return id
}

func streamOf(r *manifest.Rendition) Stream {
	return Stream{
		Kind: r.Kind.String(), ID: r.ID, URI: r.URI, Pathway: r.Pathway, Bitrate: r.Bitrate, Width: r.Width, Height: r.Height,
		FrameRate: r.FrameRate, Codecs: r.Codecs, Range: r.Range, Group: r.Group, Name: r.Name, Language: r.Language, Default: r.Default,
	}
}

// finish checks what only the whole playlist tells.
func (r *multivariantReader) finish() {
	m := r.m
	r.versions.check(&r.findings)
	if len(m.Variants) == 0 && len(m.SessionData) == 0 {
		r.add(at{1, 1, ""}, hlsRule(Warning, "4.4.6.2", ""), "", "the playlist lists no variants")
	}
	r.checkVariants()
	r.checkRenditions()
	r.checkGroups()
	r.checkSteering()
}

// checkSteering checks the pathways: sections 4.4.6.6 and 7.
func (r *multivariantReader) checkSteering() {
	m := r.m
	if m.Steering == nil {
		return
	}
	here := at{r.steering.number, 1, ""}
	if first := m.Steering.First; first != "" && !slices.ContainsFunc(m.Pathways, func(p Count) bool { return p.Name == first }) {
		r.add(here, hlsRule(Error, "4.4.6.6", "name a pathway that variants are on"), "", "PATHWAY-ID of EXT-X-CONTENT-STEERING is "+short(first)+", and no variant is on it")
	}
	for _, p := range m.Pathways {
		if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" {
			r.add(here, hlsRule(Error, "7.2", "use letters, digits, dot, hyphen and underscore"), "", strconv.Quote(short(p.Name))+" is not a pathway's name")
		}
		if p.Times != m.Pathways[0].Times {
			r.add(here, hlsRule(Warning, "7", "list the same variants on each"), "", fmt.Sprintf("pathway %s has %s, %s has %d: players that move lose some", short(p.Name), number(p.Times, "variant", "variants"), short(m.Pathways[0].Name), m.Pathways[0].Times))
		}
	}
}
