package hls

import (
	"manifold/manifest"
)

// multivariant specialises a multivariant playlist (rfc8216bis, sections
// 4.4.6 and 7): playlists become session addresses, and variants and their
// rendition groups are copied for the further pathways.
//
// With steering every pathway is listed: EXT-X-CONTENT-STEERING, a copy of
// each variant per pathway with PATHWAY-ID, rendition groups of its own, and
// the same stable ids. The copies stand after the last variant, pathway by
// pathway, so that a reader that knows nothing of steering and takes what
// comes first takes the first pathway throughout.
//
// Without steering the first pathway is listed alone, or with redundant
// variants (RFC 8216, section 6.2.4): each backup directly after its variant,
// with the same attributes but for the rendition groups. AVPlayer is
// documented with that order, and hls.js before 1.4 collects the URLs of one
// BANDWIDTH in the order listed and goes through them when one fails: with
// two variants of a BANDWIDTH (one per audio codec) the next URL is then the
// other CDN, not the other codec at the CDN that failed. Old hls.js also takes
// the audio group of the URL it fell back to, so backups need groups too.
// Trick-play playlists get no backups: players without steering that know
// I-frame playlists do not expect them twice.
//
// Where the origin's own steering stays, its pathways do, and its steering
// server is asked directly.
func (t *Template) multivariant(shape *manifest.Shape, path string) *manifest.Form {
	m := multivariant{t: t, r: newResolver(t, shape, path), shape: shape, eol: "\n"}
	m.theirs = shape.OriginSteering && shape.Steering == nil
	if t.crlf {
		m.eol = "\r\n"
	}
	m.pathways = shape.Pathways
	switch {
	case m.theirs:
		m.pathways = shape.Pathways[:1]
	case shape.Steering == nil:
		m.pathways = shape.Pathways[:min(len(shape.Pathways), 1+max(0, shape.Backups))]
	}
	m.read()
	m.resolve()
	if !m.theirs {
		m.dropOtherPathways()
	}
	m.filter()
	m.dropOrphans()
	m.arrange()
	m.nameGroups()
	longer := len(shape.Prefix) + len(shape.Cohort) + 128
	m.b = manifest.NewBuilder(shape.SlotLengths, len(m.pathways)*(len(t.src)+longer*len(t.entries))+256)
	m.write()
	return m.b.Form()
}

// multivariant is the state of one specialisation.
type multivariant struct {
	t        *Template
	r        resolver
	shape    *manifest.Shape
	pathways []manifest.Pathway // those listed
	theirs   bool               // the origin's steering stays
	eol      string
	lines    []line
	placed   []*line     // what stands in the place of each line
	attrs    []attribute // of all lines
	groups   map[group][]string
	gone     map[group]bool // groups of which no rendition is left
	last     int            // the last variant's line, or -1
	b        *manifest.Builder
}

// line is an entry with what is found out about it.
type line struct {
	*entry
	attrs   []attribute
	to      target
	dropped bool
}

// isVariant says whether the line lists a stream that has a PATHWAY-ID.
func (l *line) isVariant() bool {
	return l.tag == tagStreamInf || l.tag == tagIFrameStreamInf || l.tag == tagImageStreamInf
}

// get gives the value of the line's first attribute of a name, its variables
// expanded.
func (m *multivariant) get(l *line, name string) (value string, ok bool) {
	for i := range l.attrs {
		if a := &l.attrs[i]; a.named(m.t.src, name) {
			return m.t.expand(a.val, a.valEnd), true
		}
	}
	return "", false
}

// read reads the attributes of every line; Compile has checked them.
func (m *multivariant) read() {
	m.last = -1
	m.lines = make([]line, len(m.t.entries))
	m.attrs = make([]attribute, 0, 8*len(m.t.entries))
	for i := range m.lines {
		l := &m.lines[i]
		l.entry = &m.t.entries[i]
		from := len(m.attrs)
		for pos := int(l.list); ; {
			var a attribute
			next, ok, _ := nextAttribute(m.t.src, pos, int(l.end), &a)
			if !ok {
				break
			}
			m.attrs = append(m.attrs, a)
			pos = next
		}
		l.attrs = m.attrs[from:len(m.attrs):len(m.attrs)]
		if l.isVariant() {
			m.last = i
		}
	}
}

// resolve finds where every line leads.
func (m *multivariant) resolve() {
	for i := range m.lines {
		if l := &m.lines[i]; l.uriEnd > l.uri {
			l.to = m.r.resolve(l.uri, l.uriEnd)
		}
	}
}

// write writes the playlist.
func (m *multivariant) write() {
	src := m.t.src
	at := uint32(m.t.top)
	m.b.Bytes(src[:at])
	steer := m.shape.Steering != nil && m.hasVariants()
	if steer {
		m.b.String(`#EXT-X-CONTENT-STEERING:SERVER-URI="`)
		m.b.SteeringURL(m.shape)
		m.b.String(`",PATHWAY-ID="`)
		m.b.String(m.pathways[0].ID)
		m.b.Byte('"')
		m.b.String(m.eol)
	}
	for i, l := range m.placed {
		place := m.lines[i].entry
		m.b.Bytes(src[at:place.at])
		at = place.stop
		if !l.dropped && (l.tag != tagContentSteering || m.theirs) {
			m.original(l)
			if int(at) < len(src) {
				m.endLine(l.stop)
			}
			m.copiesBeside(l, int(at) == len(src))
		}
		if i == m.last && steer {
			m.copiesBehind(at)
		}
	}
	m.b.Bytes(src[at:])
}

func (m *multivariant) hasVariants() bool {
	for i := range m.lines {
		if l := &m.lines[i]; l.tag == tagStreamInf && !l.dropped {
			return true
		}
	}
	return false
}

// endLine ends a line that something follows, where it has no line end of its
// own at stop: the source's last.
func (m *multivariant) endLine(stop uint32) {
	if m.t.src[stop-1] != '\n' {
		m.b.String(m.eol)
	}
}

// original writes a line in its own place, for the first pathway.
func (m *multivariant) original(l *line) {
	src := m.t.src
	m.writeTag(l, 0)
	if l.tag != tagStreamInf && l.tag != tagNone {
		m.b.Bytes(src[l.end:l.stop])
		return
	}
	m.b.Bytes(src[l.end:l.uri])
	m.writeURI(l, 0)
	m.b.Bytes(src[l.uriEnd:l.stop])
}

// copiesBeside writes the copies that stand directly after their original:
// renditions of groups that exist per pathway, and backups; last says that it
// is the last of the source.
func (m *multivariant) copiesBeside(l *line, last bool) {
	switch {
	case len(m.pathways) < 2:
		return
	case l.tag == tagMedia && m.groups[m.groupOf(l)] != nil:
	case l.tag == tagStreamInf && m.shape.Steering == nil && l.to.where == below:
	default:
		return
	}
	if last {
		m.endLine(l.stop)
	}
	for p := 1; p < len(m.pathways); p++ {
		m.copy(l, p)
	}
}

// copiesBehind writes the variants of the further pathways; stop is where the
// last variant ends.
func (m *multivariant) copiesBehind(stop uint32) {
	if len(m.pathways) > 1 {
		m.endLine(stop)
	}
	for p := 1; p < len(m.pathways); p++ {
		for _, l := range m.placed {
			if l.isVariant() && !l.dropped {
				m.copy(l, p)
			}
		}
	}
}

// copy writes a line for pathway p.
func (m *multivariant) copy(l *line, p int) {
	m.writeTag(l, p)
	m.b.String(m.eol)
	if l.tag == tagStreamInf {
		m.writeURI(l, p)
		m.b.String(m.eol)
	}
}

// writeURI writes where a line leads, for pathway p.
func (m *multivariant) writeURI(l *line, p int) {
	switch {
	case l.to.where == elsewhere:
		m.b.Bytes(m.t.src[l.uri:l.uriEnd])
		return
	case l.to.where == outside:
		m.b.String(l.to.text)
	case l.tag == tagContentSteering: // it is not ours to answer
		m.b.String(m.shape.Source)
		m.b.String(l.to.text)
	case l.tag == tagSessionData:
		m.b.Address(m.shape, manifest.NoPathway, l.to.text)
	case l.tag == tagSessionKey:
		m.b.MediaURL(m.shape, 0, l.to.text)
	default:
		m.b.Address(m.shape, m.pathways[p].ID, l.to.text)
	}
	m.b.String(l.to.fragment)
}
