package dash

import (
	"cmp"
	"sort"

	"manifold/manifest"
)

// render makes one form. It is used once.
type render struct {
	t     *Template
	shape *manifest.Shape // as given
	xml   *manifest.Shape // its texts escaped
	path  string          // the MPD's own path, fit for a URL
	// asked and declared are path and query of the Location, fit for a URL.
	asked, declared string
	origin          origin
	listed          []int // the pathways that the MPD lists, by index, in order
	query           int   // the pathway whose token stands in the query, or -1
	theirs          bool  // the origin's own steering and service locations stay

	deeds  []deed         // of the BaseURLs, by their number
	bases  []base         // by node
	leaf   []base         // by node
	insert bool           // the MPD has no BaseURL: ours are put in
	gone   map[int32]bool // the Representations that are dropped, by node

	tags  tags
	edits []edit
	first int // the edit that drops the MPD's first child, or -1
	b     *manifest.Builder
}

// edit replaces a piece of the source.
type edit struct {
	span
	op    op
	put   parts
	text  string
	token bool  // opText ends with a token
	mark  int32 // the BaseURL whose attributes opPut copies, or -1
	// White space between the parts put in, and before or after them.
	space         string
	before, after bool
}

type op uint8

const (
	opDrop     op = iota
	opText        // text, escaped
	opToken       // a token; text is what comes before it
	opMedia       // the absolute URL of text on the first pathway
	opManifest    // the absolute session address of text
	opPut         // elements of ours
)

// parts are the elements that an edit puts in, in this order.
type parts uint8

const (
	putBases    parts = 1 << iota // a BaseURL for each pathway, of the target text
	putLocation                   // the session address of the MPD
	putSteering
)

func (t *Template) render(plan *manifest.Plan, lengths []int) *manifest.Form {
	shape := plan.Shape
	r := render{t: t, shape: shape, xml: escaped(shape), path: safePath(plan.Path), asked: safePath(cmp.Or(plan.Asked, plan.Path)), declared: safeQuery(plan.Query), origin: newOrigin(shape.Source), query: -1, first: -1, tags: tags{scanner{src: t.src}}}
	r.list()
	r.filter()
	r.decide()
	r.edit()
	r.b = manifest.NewBuilder(lengths, len(t.src)+len(t.src)/8+1024)
	r.write()
	return r.b.Form()
}

// list picks the pathways. A token in the query cannot differ from one
// BaseURL to the next (a reference below replaces the query): such a pathway
// is listed alone or not at all.
func (r *render) list() {
	s := r.shape
	n := len(s.Pathways)
	switch {
	case s.Steering != nil:
	case s.OriginSteering:
		r.theirs = true
		n = min(n, 1)
	default:
		n = min(n, 1+max(s.Backups, 0))
	}
	for i := range n {
		if s.Segments == manifest.SegmentsDirect && s.Pathways[i].Token == manifest.InQuery {
			if i == 0 {
				r.listed, r.query = []int{0}, 0
				return
			}
			continue
		}
		r.listed = append(r.listed, i)
	}
}

// absolute says that the base URLs of the pathways are absolute, so that they
// can stand below those of other hosts.
func (r *render) absolute() bool {
	return r.shape.Segments == manifest.SegmentsDirect || r.shape.Edge != ""
}

// steered says that the form declares content steering: it has to, and there
// are BaseURLs to steer between.
func (r *render) steered() bool {
	if r.shape.Steering == nil || len(r.listed) == 0 {
		return false
	}
	if r.insert {
		return true
	}
	for _, d := range r.deeds {
		if d.verb == replace || d.verb == expand {
			return true
		}
	}
	return false
}

// edit collects what changes, in the order of the source.
func (r *render) edit() {
	t := r.t
	locate := r.shape.Location && t.index.Live
	located := !locate
	steered := r.steered()
	steer := steered
	orphans := r.orphans()
	for i := range t.marks {
		m := &t.marks[i]
		switch m.kind {
		case markBase:
			r.editBase(int32(i), m, steered)
			if !located && !t.hasLocation && int32(i) == t.nodes[0].last {
				located = true
				r.follow(m, putLocation)
			}
		case markURL:
			r.editURL(m)
		case markLink:
			r.editLink(m)
		case markClock:
			r.editClock(m)
		case markManifest:
			r.editManifest(m)
		case markLocation:
			switch {
			case !located:
				located = true
				r.replace(m, putLocation)
			case locate || r.leadsBack(m):
				r.drop(m)
			}
		case markSteering, markServiceSteering:
			switch {
			case r.theirs:
				r.editSteering(m)
			case steer && m.kind == markSteering:
				steer = false
				r.replace(m, putSteering)
			default:
				r.drop(m)
			}
		case markPatch:
			r.drop(m)
		case markPublished:
			r.editPublished(m)
		case markPreselection:
			if r.names(m, orphans[m.node]) {
				r.drop(m)
			}
		}
	}
	for i := range r.gone {
		n := &t.nodes[i]
		r.cut(span{n.start, n.end})
	}
	var head parts
	if r.insert {
		head |= putBases
	}
	if !located {
		head |= putLocation
	}
	r.putHead(head)
	if steer {
		r.putTail(putSteering)
	}
	sort.SliceStable(r.edits, func(i, j int) bool {
		a, b := &r.edits[i], &r.edits[j]
		return a.from < b.from || a.from == b.from && a.to < b.to
	})
}

// leadsBack says that a Location of the origin is to the origin: it would
// lead the player past the edge.
func (r *render) leadsBack(m *mark) bool {
	return r.origin.resolve(directory(r.path), decode(r.t.text(m.value))).reach != foreign
}

// drop removes a marked element.
func (r *render) drop(m *mark) {
	if m.from == r.t.head {
		r.first = len(r.edits)
	}
	r.cut(m.span)
}

// cut removes an element, and its line where it stands alone on one.
func (r *render) cut(p span) {
	src := r.t.src
	i, j := int(p.from), int(p.to)
	for i > 0 && (src[i-1] == ' ' || src[i-1] == '\t') {
		i--
	}
	for j < len(src) && (src[j] == ' ' || src[j] == '\t' || src[j] == '\r') {
		j++
	}
	if i > 0 && src[i-1] == '\n' && j < len(src) && src[j] == '\n' {
		p = span{int32(i), int32(j + 1)}
	}
	r.edits = append(r.edits, edit{span: p})
}

// replace puts elements in the place of another.
func (r *render) replace(m *mark, what parts) {
	r.edits = append(r.edits, edit{span: m.span, op: opPut, put: what, mark: -1, space: r.t.lineBreak(m.from)})
}

// follow puts elements after a BaseURL of the MPD, or in its place where it
// was dropped.
func (r *render) follow(m *mark, what parts) {
	if last := len(r.edits) - 1; last >= 0 && r.edits[last].op == opDrop && r.edits[last].to >= m.to {
		r.edits = r.edits[:last]
		r.replace(m, what)
		return
	}
	r.edits = append(r.edits, edit{span: span{m.to, m.to}, op: opPut, put: what, mark: -1, space: r.t.lineBreak(m.from), before: true})
}

// putHead puts elements before the MPD's first child after
// ProgramInformation.
func (r *render) putHead(what parts) {
	t := r.t
	at := t.head
	if at == 0 {
		at = t.close
	}
	if what == 0 || at == 0 {
		return
	}
	e := edit{span: span{at, at}, op: opPut, put: what, text: directory(r.path), mark: -1, space: t.lineBreak(at), after: t.head > 0}
	if r.first >= 0 {
		// That child is dropped: its place is free.
		for i := range t.marks {
			if m := &t.marks[i]; m.from == at {
				e.span, e.after = m.span, false
			}
		}
		r.edits[r.first] = e
		return
	}
	r.edits = append(r.edits, e)
}

// putTail puts elements after the MPD's last child of its own namespace.
func (r *render) putTail(what parts) {
	t := r.t
	e := edit{span: span{t.tail.to, t.tail.to}, op: opPut, put: what, mark: -1, space: t.lineBreak(t.tail.from), before: true}
	if t.tail.to == 0 {
		e.span, e.before = span{t.close, t.close}, false
	}
	if e.to > 0 {
		r.edits = append(r.edits, e)
	}
}

// lineBreak gives the line break and indentation before an element that is
// the first of its line, nothing for any other.
func (t *Template) lineBreak(at int32) string {
	i := int(at)
	for i > 0 && (t.src[i-1] == ' ' || t.src[i-1] == '\t') {
		i--
	}
	if i == 0 || t.src[i-1] != '\n' {
		return ""
	}
	if i--; i > 0 && t.src[i-1] == '\r' {
		i--
	}
	return string(t.src[i:at])
}
