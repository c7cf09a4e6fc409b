package manifest

import "strings"

// And gives the filter that keeps what both keep. The order is that of f,
// where f has one.
func (f Filter) And(g Filter) Filter {
	f.MinLines, f.MaxLines = max(f.MinLines, g.MinLines), least(f.MaxLines, g.MaxLines)
	f.MinBitrate, f.MaxBitrate = max(f.MinBitrate, g.MinBitrate), least(f.MaxBitrate, g.MaxBitrate)
	f.MaxFrameRate = least(f.MaxFrameRate, g.MaxFrameRate)
	f.Codecs = narrower(f.Codecs, g.Codecs, within)
	f.SDROnly = f.SDROnly || g.SDROnly
	f.Languages = narrower(f.Languages, g.Languages, inRange)
	f.Subtitles = narrower(f.Subtitles, g.Subtitles, inRange)
	if f.Order == AsListed {
		f.Order = g.Order
	}
	f.StartBitrate = least(f.StartBitrate, g.StartBitrate)
	return f
}

// Neutral says that the filter keeps everything where it is.
func (f *Filter) Neutral() bool {
	return f.MinLines == 0 && f.MaxLines == 0 && f.MinBitrate == 0 && f.MaxBitrate == 0 && f.MaxFrameRate == 0 &&
		len(f.Codecs) == 0 && !f.SDROnly && len(f.Languages) == 0 && len(f.Subtitles) == 0 &&
		f.Order == AsListed && f.StartBitrate == 0
}

// least is the smaller bound, where 0 is none.
func least[T int | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// nothing is in the place of a list that nothing is on: an empty one has all.
const nothing = "none"

// narrower is what two lists have in common, where an empty list has all. in
// says that everything under x is under y.
func narrower(a, b []string, in func(x, y string) bool) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var both []string
	for _, x := range a {
		for _, y := range b {
			switch {
			case in(x, y):
				both = append(both, x)
			case in(y, x):
				both = append(both, y)
			}
		}
	}
	if len(both) == 0 {
		return []string{nothing}
	}
	return both
}

// within tells that codecs which begin with x begin with y.
func within(x, y string) bool {
	rest, ok := strings.CutPrefix(x, y)
	return ok && (rest == "" || rest[0] == '.' || strings.HasSuffix(y, "."))
}

// inRange tells that languages of range x are of range y.
func inRange(x, y string) bool { return matches([]string{y}, x) }
