package finding

import (
	"slices"
	"time"
)

// The times within which one finding may be the consequence of another: a
// consequence may be seen a little before its cause (another playlist was read
// first) and for a while after the cause was seen last.
const (
	before = 10 * time.Second
	after  = 5 * time.Minute
)

// tree puts consequences under their roots and joins what was found at many
// places.
func tree(list []*Finding) []*Finding {
	slices.SortStableFunc(list, func(a, b *Finding) int { return a.At.Compare(b.At) })
	roots := make([]*Finding, 0, len(list))
	for _, f := range list {
		if root := rootOf(f, list); root != nil {
			root.Under = append(root.Under, f)
			continue
		}
		roots = append(roots, f)
	}
	for _, f := range roots {
		f.Under = join(f.Under)
	}
	roots = join(roots)
	slices.SortStableFunc(roots, func(a, b *Finding) int { return int(a.Rule.Severity) - int(b.Rule.Severity) })
	return roots
}

// rootOf finds the finding that f follows from and that follows from no other,
// or nil.
func rootOf(f *Finding, list []*Finding) *Finding {
	var best *Finding
	for _, r := range list {
		if r == f || !f.Rule.follows(r.Rule.ID) || r.Rule.follows(f.Rule.ID) || !related(f, r) {
			continue
		}
		if best == nil || best.Rule.follows(r.Rule.ID) {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	if further := rootOf(best, list); further != nil {
		return further
	}
	return best
}

func related(f, cause *Finding) bool {
	if f.Where != cause.Where && !f.Rule.Wide && !cause.Rule.Wide {
		return false
	}
	return !cause.At.After(f.At.Add(before)) && !f.At.After(cause.Last.Add(after))
}

// join makes one finding of those of the same rule at different places.
func join(list []*Finding) []*Finding {
	first := map[ID]*Finding{}
	var out []*Finding
	for _, f := range list {
		had := first[f.Rule.ID]
		if had == nil {
			first[f.Rule.ID] = f
			out = append(out, f)
			continue
		}
		had.Count += f.Count
		if f.Last.After(had.Last) {
			had.Last = f.Last
		}
		for _, place := range append([]string{f.Where}, f.Places...) {
			switch {
			case place == had.Where || slices.Contains(had.Places, place):
			case len(had.Places) < maxPlaces:
				had.Places = append(had.Places, place)
			default:
				had.MorePlaces++
			}
		}
		had.Under = join(append(had.Under, f.Under...))
	}
	return out
}
