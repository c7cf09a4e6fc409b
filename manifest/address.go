package manifest

import "strings"

// MediaURL adds the URL of a target below the root, through pathway i of the
// shape, with its token: absolute at the pathway's CDN, or, where segments go
// through the edge, the session address.
func (b *Builder) MediaURL(s *Shape, i int, under string) {
	if s.Segments != SegmentsDirect {
		b.Address(s, s.Pathways[i].ID, under)
		return
	}
	p := &s.Pathways[i]
	b.MediaBase(s, i)
	b.String(under)
	if p.Token == InQuery {
		if strings.IndexByte(under, '?') >= 0 {
			b.Byte('&')
		} else {
			b.Byte('?')
		}
		b.Slot(SlotToken(i))
	}
}

// MediaBase adds the base URL of pathway i, ending in "/", with its token
// where that stands in the path.
func (b *Builder) MediaBase(s *Shape, i int) {
	p := &s.Pathways[i]
	if p.Token != InPath {
		b.String(p.Base)
		return
	}
	b.String(p.Base[:p.TokenAt])
	b.Slot(SlotToken(i))
	b.Byte('/')
	b.String(p.Base[p.TokenAt:])
}

// Address adds the path-absolute session address of a target below the root:
// {Prefix}/~{session}/{pathway}/{under}.
func (b *Builder) Address(s *Shape, pathway, under string) {
	b.String(s.Prefix)
	b.String("/~")
	if s.Cohort != "" {
		b.String("c.")
		b.String(s.Cohort)
	} else {
		b.Slot(SlotSession)
	}
	b.Byte('/')
	b.String(pathway)
	b.Byte('/')
	b.String(under)
}

// NoPathway stands in a session address for a manifest that lists all
// pathways: multivariant playlists and MPDs.
const NoPathway = "-"

// SteeringURL adds the absolute URL of the steering server.
func (b *Builder) SteeringURL(s *Shape) {
	b.String(s.Edge)
	b.String(s.Steering.Before)
	if s.Steering.NoSession {
		return
	}
	b.Slot(SlotSession)
	b.String(s.Steering.After)
}
