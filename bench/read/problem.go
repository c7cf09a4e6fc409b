package read

import (
	"fmt"

	"manifold/bench/finding"
)

// Problem is one mistake in a document: the rule it breaks, and where.
type Problem struct {
	Rule finding.ID
	Line finding.Line
	Said string
}

// Bounds of what is read; beyond them a document is a problem, not a load.
const (
	MaxLine     = 16 << 10
	MaxAttrs    = 256
	MaxSegments = 100_000
	maxDepth    = 64
	maxElements = 200_000
	maxProblems = 100
	maxVariants = 2000
)

// problems collects, up to a bound.
type problems []Problem

func (p *problems) add(rule finding.ID, line finding.Line, format string, args ...any) {
	if len(*p) < maxProblems {
		*p = append(*p, Problem{rule, line, fmt.Sprintf(format, args...)})
	}
}
