package proxy

import (
	"net/url"
	"strings"
	"sync"
	"weak"

	"manifold/manifest"
	"manifold/manifest/hls"
	"manifold/origin"
)

// multivariantTemplate is a compiled multivariant playlist with its presentation: what
// is known of the playlists that it lists.
type multivariantTemplate struct {
	template
	together *manifest.Presentation
}

// mediaTemplate is a compiled media playlist with its track.
type mediaTemplate struct {
	*hls.Template
	track *manifest.Track
}

// siblings finds which compiled playlists belong together, by their addresses
// at the origin. It holds none of them: they live in the shield beside their
// bodies, are counted there, and go with them; a presentation keeps the track
// that it last got of a playlist. Of two multivariant playlists that list the
// same one, the newer knows it from then on.
type siblings struct {
	mu      sync.Mutex
	places  map[place]*placed
	version uint64 // of what is compiled, in that order
	sweep   int    // at which size to let go of what is gone
}

// place is where a media playlist is at the origin; the query is not looked at.
type place struct {
	group weak.Pointer[origin.Group]
	path  string // escaped
}

type placed struct {
	lister  weak.Pointer[multivariantTemplate] // lists it, as its sibling of this number
	sibling int
	list    weak.Pointer[mediaTemplate]
	version uint64
}

// Bounds of the places that are remembered.
const (
	fewPlaces = 1 << 10
	maxPlaces = 1 << 17
)

// compiler gives what makes the templates of a channel's manifests.
func (s *siblings) compiler(group *origin.Group, source string) origin.Compile {
	key := weak.Make(group)
	return func(d origin.Document) (origin.Compiled, error) {
		c, err := compileManifest(d)
		t, ok := c.Value.(*hls.Template)
		if err != nil || !ok {
			return c, err
		}
		at := place{key, d.Path}
		if t.Kind() == manifest.HLSMedia {
			p := &mediaTemplate{t, t.Track()}
			s.know(at, p)
			c.Value, c.Cost = p, c.Cost+p.track.Cost()
			return c, nil
		}
		m := &multivariantTemplate{t, manifest.NewPresentation(manifest.Playlists(t.Renditions()), nil, nil)}
		s.list(at, source, m)
		c.Value, c.Cost = m, c.Cost+m.together.Cost()
		return c, nil
	}
}

// know attaches a playlist to the presentation that lists it, now or later.
func (s *siblings) know(at place, p *mediaTemplate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.at(at)
	if e == nil {
		return
	}
	s.version++
	e.list, e.version = weak.Make(p), s.version
	e.attach(p)
}

// list makes the places of a multivariant playlist's siblings known.
func (s *siblings) list(at place, source string, m *multivariantTemplate) {
	path, err := url.PathUnescape(at.path)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	self := weak.Make(m)
	for i, sibling := range m.together.Siblings() {
		under, ok := manifest.Resolve(source, path, sibling.Rendition.URI)
		if !ok {
			continue
		}
		under, _, _ = strings.Cut(under, "?")
		e := s.at(place{at.group, under})
		if e == nil {
			return
		}
		e.lister, e.sibling = self, i
		if p := e.list.Value(); p != nil {
			e.attach(p)
		}
	}
}

// attach gives the presentation a track. One that would take it over its bound
// stays unknown.
func (e *placed) attach(p *mediaTemplate) {
	if m := e.lister.Value(); m != nil {
		_ = m.together.Attach(e.sibling, e.version, p.track)
	}
}

// at finds a place, or makes it; nil where there are too many. s.mu is held.
func (s *siblings) at(at place) *placed {
	if e := s.places[at]; e != nil {
		return e
	}
	if len(s.places) >= max(s.sweep, fewPlaces) {
		for k, e := range s.places {
			if e.lister.Value() == nil && e.list.Value() == nil {
				delete(s.places, k)
			}
		}
		s.sweep = 2 * len(s.places)
	}
	if len(s.places) >= maxPlaces {
		return nil
	}
	if s.places == nil {
		s.places = make(map[place]*placed)
	}
	e := &placed{}
	s.places[place{at.group, strings.Clone(at.path)}] = e
	return e
}

// reference names the rendition on which the breaks of the presentation that
// lists a playlist are snapped, how many of its playlists are known, and of how
// many; ok is false where no presentation is known to list it.
func (s *siblings) reference(group *origin.Group, path string) (name string, known, all int, ok bool) {
	s.mu.Lock()
	e := s.places[place{weak.Make(group), path}]
	var m *multivariantTemplate
	if e != nil {
		m = e.lister.Value()
	}
	s.mu.Unlock()
	if m == nil {
		return "", 0, 0, false
	}
	v := m.together.View()
	listed := m.together.Siblings()
	for i := range listed {
		if v.Track(i) != nil {
			known++
		}
	}
	if i, found := v.Reference(0); found {
		name, _, _ = strings.Cut(listed[i].Rendition.URI, "?")
	}
	return name, known, len(listed), true
}
