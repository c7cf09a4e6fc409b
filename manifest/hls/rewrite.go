package hls

// edit is what becomes of one attribute.
type edit uint8

const (
	keep edit = iota
	remove
	replace   // by a text
	replaceBy // by the line's URI
)

// writeTag writes a line's tag for pathway p: the attributes that change are
// replaced or left out with their comma, those that are missing are added
// behind the last; everything else is as it was.
func (m *multivariant) writeTag(l *line, p int) {
	src := m.t.src
	m.b.Bytes(src[l.at:l.list])
	written := false
	end := l.list // behind the attribute before
	for i := range l.attrs {
		a := &l.attrs[i]
		what, text := m.edit(l, a, p)
		gap := src[end:a.at]
		end = a.end
		if what == remove {
			for end < l.end && src[end] != ',' { // what stands behind its quote leaves with it
				end++
			}
			continue
		}
		if written || i == 0 {
			m.b.Bytes(gap)
		}
		written = true
		if what == keep {
			m.b.Bytes(src[a.at:a.end])
			continue
		}
		m.b.Bytes(src[a.at:a.val])
		if !a.quoted {
			m.b.Byte('"')
		}
		if what == replaceBy {
			m.writeURI(l, p)
		} else {
			m.b.String(text)
		}
		m.b.Byte('"')
	}
	for _, add := range m.missing(l, p) {
		if add.name == "" {
			continue
		}
		if written {
			m.b.Byte(',')
		} else if src[l.list-1] != ':' {
			m.b.Byte(':')
		}
		written = true
		m.b.String(add.name)
		m.b.String(`="`)
		m.b.String(add.value)
		m.b.Byte('"')
	}
	m.b.Bytes(src[end:l.end])
}

// edit decides what becomes of attribute a of a line for pathway p.
func (m *multivariant) edit(l *line, a *attribute, p int) (edit, string) {
	src := m.t.src
	steered := m.shape.Steering != nil
	switch {
	case tags[l.tag].uri != "" && a.named(src, tags[l.tag].uri):
		if a.val == l.uri && l.to.where != elsewhere {
			return replaceBy, ""
		}
	case l.isVariant() && a.named(src, "PATHWAY-ID"):
		switch {
		case steered:
			return replace, m.pathways[p].ID
		case !m.theirs:
			return remove, ""
		}
	case l.tag == tagMedia && a.named(src, "GROUP-ID"):
		if names := m.groups[m.groupOf(l)]; names != nil && p > 0 {
			return replace, names[p]
		}
	case l.isVariant():
		for _, kind := range groupKinds {
			if a.named(src, kind) {
				g := group{kind, m.t.expand(a.val, a.valEnd)}
				if m.gone[g] {
					return remove, ""
				}
				if names := m.groups[g]; names != nil && p > 0 {
					return replace, names[p]
				}
			}
		}
	}
	return keep, ""
}

type addition struct{ name, value string }

// missing gives the attributes that steering needs and the line lacks.
func (m *multivariant) missing(l *line, p int) (add [2]addition) {
	if m.shape.Steering == nil {
		return add
	}
	switch {
	case l.isVariant():
		if _, ok := m.get(l, "STABLE-VARIANT-ID"); !ok {
			add[0] = addition{"STABLE-VARIANT-ID", m.stableID(l)}
		}
		if _, ok := m.get(l, "PATHWAY-ID"); !ok {
			add[1] = addition{"PATHWAY-ID", m.pathways[p].ID}
		}
	case l.tag == tagMedia && l.uriEnd > l.uri:
		if _, ok := m.get(l, "STABLE-RENDITION-ID"); !ok {
			add[0] = addition{"STABLE-RENDITION-ID", m.stableID(l)}
		}
	}
	return add
}
