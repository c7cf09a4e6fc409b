package dash

import "manifold/manifest"

// maxListed bounds the segments that are listed of one Representation: S@r
// makes them cheap to claim.
const maxListed = 100_000

// Segments lists the segments of a Representation, by its place among
// Renditions: Start is on the timeline of the presentation, Sequence the
// segment's number, From and To enclose the S element that it comes from (0
// where there is none). A Representation that is one file is one segment, as
// long as its Period. all is false where there are more than 100,000, or where only a clock tells which
// there are: numbers in a live Period, an S that repeats until an unknown end,
// which stands for one.
//
// [Template.Timeline] has them all, and does not list them.
func (t *Template) Segments(rendition int) (list []manifest.Segment, all bool) {
	tracks := t.Timeline().Tracks
	if uint(rendition) >= uint(len(tracks)) {
		return nil, false
	}
	track := &tracks[rendition]
	most := track.Len()
	if all = !track.Open; track.Open {
		most = 0
		for i := range track.Line.Runs {
			if r := &track.Line.Runs[i]; track.Rest > 0 { // else numbers
				most = min(most+r.Count, maxCount)
			}
		}
	}
	if most > maxListed {
		most, all = maxListed, false
	}
	if most == 0 {
		return nil, all
	}
	list = make([]manifest.Segment, 0, most)
	for _, s := range track.Segments() {
		if list = append(list, s); uint64(len(list)) == most {
			break
		}
	}
	return list, all
}
