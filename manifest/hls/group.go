package hls

import (
	"hash/fnv"
	"strconv"
	"strings"
)

// group is a rendition group: TYPE and GROUP-ID (rfc8216bis, section
// 4.4.6.1.1). Variants refer to it by the attribute that is named like TYPE.
type group struct{ kind, id string }

var groupKinds = [...]string{"AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"}

// groupOf gives the group of an EXT-X-MEDIA line; the zero group where the
// line does not say.
func (m *multivariant) groupOf(l *line) group {
	id, ok := m.get(l, "GROUP-ID")
	kind, _ := m.get(l, "TYPE")
	if ok {
		for _, k := range groupKinds {
			if kind == k {
				return group{k, id}
			}
		}
	}
	return group{}
}

// nameGroups finds the groups that need a copy for each pathway: those of
// which a rendition has a playlist below the origin's root. A group without
// any (closed captions, audio that is in the variants) serves all pathways.
// The first pathway keeps the origin's GROUP-ID, the others add their own id
// to it.
func (m *multivariant) nameGroups() {
	if len(m.pathways) < 2 {
		return
	}
	taken := make(map[group]bool)
	var order []group
	m.groups = make(map[group][]string)
	for i := range m.lines {
		l := &m.lines[i]
		if l.tag != tagMedia || l.dropped {
			continue
		}
		g := m.groupOf(l)
		if g == (group{}) {
			continue
		}
		taken[g] = true
		if _, have := m.groups[g]; l.to.where == below && !have {
			m.groups[g] = make([]string, len(m.pathways))
			order = append(order, g)
		}
	}
	for _, g := range order {
		names := m.groups[g]
		names[0] = g.id
		for p := 1; p < len(names); p++ {
			name := strings.ReplaceAll(g.id, `"`, "") + "-" + m.pathways[p].ID
			for n := 2; taken[group{g.kind, name}]; n++ {
				name += "-" + strconv.Itoa(n)
			}
			taken[group{g.kind, name}] = true
			names[p] = name
		}
	}
}

// dropOtherPathways drops what the origin lists for pathways of its own but
// one: our pathways stand in their place, and the same variant twice would be
// twice in each. The origin's first pathway stays, or the first that has a
// variant below the root.
func (m *multivariant) dropOtherPathways() {
	usable := make(map[string]bool) // by id: has a variant below the root
	var ids []string                // in the order listed
	home := ""
	for i := range m.lines {
		l := &m.lines[i]
		switch id := m.pathwayOf(l); l.tag {
		case tagContentSteering:
			home = id
		case tagStreamInf:
			if _, have := usable[id]; !have {
				ids = append(ids, id)
			}
			usable[id] = usable[id] || l.to.where == below
		}
	}
	if len(ids) < 2 {
		return
	}
	if !usable[home] {
		home = ids[0]
		for _, id := range ids {
			if usable[id] {
				home = id
				break
			}
		}
	}
	for i := range m.lines {
		if l := &m.lines[i]; l.isVariant() {
			l.dropped = m.pathwayOf(l) != home
		}
	}
}

// dropOrphans drops the renditions that only dropped variants name.
func (m *multivariant) dropOrphans() {
	kept, lost := make(map[group]bool), make(map[group]bool)
	for i := range m.lines {
		l := &m.lines[i]
		if !l.isVariant() {
			continue
		}
		for _, kind := range groupKinds {
			if id, ok := m.get(l, kind); ok {
				if g := (group{kind, id}); l.dropped {
					lost[g] = true
				} else {
					kept[g] = true
				}
			}
		}
	}
	if len(lost) == 0 {
		return
	}
	for i := range m.lines {
		if l := &m.lines[i]; l.tag == tagMedia {
			if g := m.groupOf(l); lost[g] && !kept[g] {
				l.dropped = true
			}
		}
	}
}

// pathwayOf gives the origin's PATHWAY-ID of a variant; "." where it has none
// (section 4.4.6.2).
func (m *multivariant) pathwayOf(l *line) string {
	if id, ok := m.get(l, "PATHWAY-ID"); ok {
		return id
	}
	return "."
}

// stableID makes the STABLE-VARIANT-ID or STABLE-RENDITION-ID of a line
// (sections 4.4.6.1 and 4.4.6.2): the same for the same URI, on every pathway,
// on every edge, and after a reload. It is where the URI leads, below the
// origin's root, if the characters allow that, and a hash of it otherwise.
func (m *multivariant) stableID(l *line) string {
	text := l.to.text
	if l.to.where == elsewhere {
		text = string(m.t.src[l.uri:l.uriEnd])
	}
	const readable = 64
	if len(text) <= readable && strings.IndexFunc(text, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("+/=.-_", c))
	}) < 0 {
		return text
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	return strconv.FormatUint(h.Sum64(), 36)
}
