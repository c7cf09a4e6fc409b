package manifest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Bounds of what a Presentation keeps.
const (
	// MaxSiblings bounds the siblings; what is listed behind is left out.
	MaxSiblings = 4096
	// MaxRuns bounds the runs of all tracks that were attached one by one.
	MaxRuns = 1 << 19
)

// ErrTooManyRuns is the error of a track that would take a Presentation over
// MaxRuns.
var ErrTooManyRuns = errors.New("the playlists of the presentation have more than 524,288 stretches of segments")

// Sibling is a playlist of a presentation, or a Representation of one Period.
type Sibling struct {
	Rendition Rendition
	// Period is the index of its Period; 0 in HLS.
	Period int
}

// Period is a Period of an MPD, on the presentation's timeline.
type Period struct {
	ID string
	// Start and End; End is Forever where it is not known.
	Start, End time.Duration
	// Early says that it is only announced: it has no times yet.
	Early bool
}

// Presentation is the streams of one programme, known to each other: a break
// is decided once, on the reference rendition, and falls on all the others
// where their boundary is nearest to it. Tracks are attached as they become
// known, by any goroutine, in any order; who asks reads a View, which does not
// change.
type Presentation struct {
	siblings []Sibling
	periods  []Period
	pathways []string
	byURI    map[string]int
	order    []int32 // the siblings by the rule of the reference, by Period
	classes  []class

	mu   sync.Mutex // taken to attach
	view atomic.Pointer[View]
}

// NewPresentation knows the siblings of a manifest: of a multivariant playlist
// with Playlists, of an MPD by manifest/dash. periods is nil in HLS; pathways
// are those that the renditions do not tell themselves. None may be changed
// afterwards.
func NewPresentation(siblings []Sibling, periods []Period, pathways []string) *Presentation {
	p := &Presentation{siblings: siblings, periods: periods, pathways: pathways, byURI: make(map[string]int)}
	p.siblings = siblings[:min(len(siblings), MaxSiblings)]
	for i := range p.siblings {
		r := &p.siblings[i].Rendition
		if _, ok := p.byURI[r.URI]; !ok && r.URI != "" {
			p.byURI[r.URI] = i
		}
		if r.Pathway != "" && !slices.Contains(p.pathways, r.Pathway) {
			p.pathways = append(p.pathways, r.Pathway)
		}
	}
	p.order, p.classes = rank(p.siblings)
	v := &View{p: p, omitted: len(siblings) - len(p.siblings), tracks: make([]*Track, len(p.siblings)), versions: make([]uint64, len(p.siblings)), cued: make([]bool, len(p.siblings))}
	v.references()
	p.view.Store(v)
	return p
}

// Playlists gives the siblings that a multivariant playlist lists: each URI
// once, as it is listed first. Renditions without a URI are in others' segments.
func Playlists(listed []Rendition) []Sibling {
	all, seen := make([]Sibling, 0, len(listed)), make(map[string]bool, len(listed))
	for _, r := range listed {
		if r.URI != "" && !seen[r.URI] {
			seen[r.URI] = true
			all = append(all, Sibling{Rendition: r})
		}
	}
	return all
}

// Siblings gives the siblings in the order of the manifest, not to be changed.
func (p *Presentation) Siblings() []Sibling { return p.siblings }

// Omitted counts the siblings beyond MaxSiblings.
func (p *Presentation) Omitted() int { return p.View().omitted }

// Periods gives the Periods of an MPD; nil for HLS.
func (p *Presentation) Periods() []Period { return p.periods }

// Pathways gives the origin's own pathways, as they are listed first.
func (p *Presentation) Pathways() []string { return p.pathways }

// Find gives the sibling that the manifest lists with this URI.
func (p *Presentation) Find(uri string) (sibling int, ok bool) {
	sibling, ok = p.byURI[uri]
	return sibling, ok
}

// Attach makes a sibling's track known. version orders the versions of one
// sibling; one that is not newer than what is known is let go of. The error is
// ErrTooManyRuns; nothing has changed then.
func (p *Presentation) Attach(sibling int, version uint64, t *Track) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.view.Load()
	if uint(sibling) >= uint(len(p.siblings)) {
		return errors.New("the presentation has no such sibling")
	}
	cued, old := t.Cues > 0 && !was.cued[sibling], was.tracks[sibling]
	newer := old == nil || version > was.versions[sibling]
	if !cued && !newer {
		return nil
	}
	is := *was
	is.version++
	if cued {
		is.cued = slices.Clone(was.cued)
		is.cued[sibling] = true
	}
	if newer {
		if is.runs += len(t.Line.Runs); old != nil {
			is.runs -= len(old.Line.Runs)
		}
		if is.runs > MaxRuns {
			return ErrTooManyRuns
		}
		is.tracks, is.versions = slices.Clone(was.tracks), slices.Clone(was.versions)
		is.tracks[sibling], is.versions[sibling] = t, version
	}
	is.references()
	p.view.Store(&is)
	return nil
}

// AttachAll makes the tracks of all siblings known at once, as those of an
// MPD are, which also bounds them.
func (p *Presentation) AttachAll(version uint64, tracks []Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := *p.view.Load()
	is.version++
	is.tracks, is.versions, is.cued = slices.Clone(is.tracks), slices.Clone(is.versions), slices.Clone(is.cued)
	for i := range min(len(tracks), len(p.siblings)) {
		is.tracks[i], is.versions[i] = &tracks[i], version
		is.cued[i] = is.cued[i] || tracks[i].Cues > 0
	}
	is.omitted = max(0, len(tracks)-len(p.siblings))
	is.references()
	p.view.Store(&is)
}

// Cost is the memory in bytes that the presentation holds but for its tracks
// and the texts of its renditions, which are the manifest's.
func (p *Presentation) Cost() int64 {
	const each = unsafe.Sizeof(Sibling{}) + 2*unsafe.Sizeof("") + unsafe.Sizeof(int32(0)) + unsafe.Sizeof(class(0)) + unsafe.Sizeof(&Track{}) + unsafe.Sizeof(uint64(0)) + unsafe.Sizeof(false)
	return int64(unsafe.Sizeof(*p)+unsafe.Sizeof(View{})) + int64(len(p.siblings))*int64(each) + int64(len(p.periods))*int64(unsafe.Sizeof(Period{}))
}

// View gives what is known now.
func (p *Presentation) View() *View { return p.view.Load() }

// Reference is View.Reference of the first Period, of what is known now.
func (p *Presentation) Reference() (sibling int, ok bool) { return p.View().Reference(0) }

// Snap is View.Snap of what is known now.
func (p *Presentation) Snap(at Moment) (Boundary, bool) { return p.View().Snap(at) }
