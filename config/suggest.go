package config

import (
	"fmt"
	"strings"
)

// didYouMean gives the hint that names the known word nearest to s, or "".
func didYouMean(s string, known []string) string {
	if best := Nearest(s, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}

// Nearest finds the known word that a writer of s most likely meant, or
// gives "": the one of least edit distance, if that is at most a third of its length; case, "-"
// and "_" do not count, and a beginning of three letters is enough.
func Nearest(s string, known []string) string {
	const longest = 40
	if s == "" || len(s) > longest {
		return ""
	}
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	a := plain(s)
	best, least := "", 1<<30
	for _, k := range known {
		b := plain(k)
		d := distance(a, b)
		if limit := max(1, max(len(a), len(b))/3); d > limit {
			if len(a) < 3 || len(b) < 3 || !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a) {
				continue
			}
			d = limit + 1
		}
		if len(b) <= 3 && d == len(b) {
			continue // nothing in common
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be inserted, deleted, replaced or swapped
// with their neighbour to make b of a.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// listed writes a list of keys for a message.
func listed(keys []string) string { return strings.Join(keys, ", ") }
