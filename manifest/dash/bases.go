package dash

import "strings"

// share says how many of the base URLs that apply somewhere are ours: below
// the origin's root, and so on every pathway.
type share uint8

const (
	all share = iota
	none
	some
)

// base is what applies at one level after the BaseURLs of it and of the levels
// above (ISO/IEC 23009-1, 5.6): several are alternatives.
type base struct {
	share share
	// dir is the directory below the root of the first of ours, "" or ending
	// in "/"; level says that all have this depth.
	dir   string
	level bool
}

func (b base) depth() int { return strings.Count(b.dir, "/") }

// join adds an alternative.
func (b *base) join(first bool, c base) {
	switch {
	case first:
		*b = c
	case b.share == none && c.share != none:
		*b = base{some, c.dir, false}
	case c.share == none:
		if b.share != none {
			b.share, b.level = some, false
		}
	default:
		b.level = b.level && c.level && b.depth() == c.depth()
		if c.share == some {
			b.share = some
		}
	}
}

// verb is what becomes of a BaseURL.
type verb uint8

const (
	keep    verb = iota // as it is, but for a token in the query
	write               // with another value
	expand              // once for each pathway
	carry               // with the absolute URL on the first pathway as its value
	drop                // not at all
	replace             // of the MPD: by ours
)

// deed is what becomes of one BaseURL among the marks.
type deed struct {
	verb verb
	path string // the value (write), or the target below the root
	base base   // what it gives to the levels below
}

// decide goes through the levels, works out which base URLs apply where, and
// what must become of each BaseURL so that they still do through the pathways.
func (r *render) decide() {
	t := r.t
	r.deeds = make([]deed, t.bases)
	r.bases = make([]base, len(t.nodes))
	for i := range t.nodes {
		n := &t.nodes[i]
		here := base{all, directory(r.path), true}
		if n.parent >= 0 {
			here = r.bases[n.parent]
		}
		switch {
		case len(r.listed) == 0:
			here.share = none
		case n.parent < 0:
			here = r.decideTop(n, here)
		case n.base >= 0:
			here = r.decideLevel(n, here)
		}
		r.bases[i] = here
	}
	r.leaves()
	r.part()
}

// decideTop handles the MPD's own BaseURLs: the first of ours is replaced by
// one for each pathway. The others of ours would be alternatives of the
// origin; the pathways are alternatives now. Where the origin's own steering
// stays, they stay too, each on the one pathway.
func (r *render) decideTop(n *node, here base) base {
	if n.base < 0 {
		r.insert = true
		return here
	}
	found := false
	for i := n.base; i >= 0; i = r.t.marks[i].next {
		to := r.lead(i, here)
		d := r.elsewhere(to)
		switch {
		case to.reach > rooted:
		case r.theirs && !r.t.marks[i].empty():
			d = deed{carry, to.path, ours(to.path)}
		default:
			d = deed{verb: drop}
			if !found {
				found = true
				d = deed{replace, to.path, ours(to.path)}
			}
		}
		r.deeds[r.t.marks[i].deed] = d
	}
	return r.purify(n)
}

// decideLevel handles the BaseURLs of a Period, an AdaptationSet or a
// Representation below the base URLs that apply above.
func (r *render) decideLevel(n *node, above base) base {
	for i := n.base; i >= 0; i = r.t.marks[i].next {
		to := r.lead(i, above)
		d := r.elsewhere(to)
		switch {
		case above.share == none && to.form < formNetwork:
			// It is resolved against a host that is not the origin.
			d = deed{base: base{share: none}}
		case to.reach == relative:
			d = deed{base: base{above.share, directory(to.path), above.level}}
		case to.reach == rooted && above.share == all && above.level && above.depth() <= maxLevels:
			d = deed{write, fromRoot(above.depth(), to.path), ours(to.path)}
		case to.reach == rooted && r.absolute():
			d = deed{expand, to.path, ours(to.path)}
			if r.theirs {
				d.verb = carry
			}
		case to.reach == rooted:
			d = deed{base: base{share: none}}
		case to.reach == outside && to.form == formPath && above.share == some:
			d = deed{base: base{share: none}}
		}
		r.deeds[r.t.marks[i].deed] = d
	}
	return r.purify(n)
}

// elsewhere is what becomes of a BaseURL that is not on the pathways: it
// stays, as the absolute URL that the origin meant.
func (r *render) elsewhere(to target) deed {
	d := deed{base: base{share: none}}
	if to.path != "" && to.form < formAbsolute {
		d.verb, d.path = write, to.path
	}
	return d
}

func ours(path string) base { return base{all, directory(path), true} }

// purify gives what a level's BaseURLs come to. It drops those of others
// beside ours where the token stands in the query: references below apply to
// either, and a pathway's token must never reach another host.
func (r *render) purify(n *node) base {
	var every, mine base
	first, own := true, true
	for i := n.base; i >= 0; i = r.t.marks[i].next {
		d := r.deeds[r.t.marks[i].deed]
		if d.verb == drop {
			continue
		}
		every.join(first, d.base)
		first = false
		if d.base.share == all {
			mine.join(own, d.base)
			own = false
		}
	}
	if every.share != some || own || r.query < 0 {
		return every
	}
	for i := n.base; i >= 0; i = r.t.marks[i].next {
		if d := &r.deeds[r.t.marks[i].deed]; d.base.share != all {
			*d = deed{verb: drop}
		}
	}
	return mine
}

// lead resolves a BaseURL.
func (r *render) lead(i int32, from base) target {
	m := &r.t.marks[i]
	if m.child {
		return target{reach: foreign}
	}
	return r.origin.resolve(from.dir, decode(r.t.text(m.value)))
}

// leaves works out, for each level, the base URLs that apply to all
// Representations below: the attributes of a SegmentTemplate are resolved
// there, wherever it stands (5.3.9.1).
func (r *render) leaves() {
	t := r.t
	r.leaf = make([]base, len(t.nodes))
	seen := make([]bool, len(t.nodes))
	for i := len(t.nodes) - 1; i >= 0; i-- {
		if r.gone[int32(i)] {
			continue
		}
		if !seen[i] {
			r.leaf[i] = r.bases[i]
		}
		if p := t.nodes[i].parent; p >= 0 && (seen[i] || t.nodes[i].ctx == ctxRepresentation) {
			r.leaf[p].join(!seen[p], r.leaf[i])
			seen[p] = true
		}
	}
}

// part drops Representations that are elsewhere where they share a
// SegmentTemplate with others that are ours and the token stands in the query:
// it goes into the one template, and would reach the other host.
func (r *render) part() {
	if r.query < 0 {
		return
	}
	t := r.t
	shared := make([]bool, len(t.nodes))
	any := false
	for i := range t.marks {
		// (What stands at the MPD is shared by those that refer to it alone.)
		if m := &t.marks[i]; m.kind == markURL && m.node > 0 && r.leaf[m.node].share == some {
			shared[m.node], any = true, true
		}
	}
	if !any {
		return
	}
	if r.gone == nil {
		r.gone = make(map[int32]bool)
	}
	for i := range t.nodes {
		if n := &t.nodes[i]; n.ctx == ctxRepresentation && r.bases[i].share == none {
			for at := n.parent; at >= 0; at = t.nodes[at].parent {
				if shared[at] {
					r.gone[int32(i)] = true
				}
			}
		}
	}
	r.empty()
	r.leaves()
}

// empty drops the AdaptationSets that have lost all their Representations.
func (r *render) empty() {
	left := make(map[int32]int)
	for i := range r.gone {
		left[r.t.nodes[i].parent] = 0
	}
	for i := range r.t.nodes {
		p := r.t.nodes[i].parent
		if n, ok := left[p]; ok && r.t.nodes[i].ctx == ctxRepresentation && !r.gone[int32(i)] {
			left[p] = n + 1
		}
	}
	for set, n := range left {
		if n == 0 {
			r.gone[set] = true
		}
	}
}
