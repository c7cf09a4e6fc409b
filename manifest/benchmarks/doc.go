// Package benchmarks measures what a personalised manifest costs, beside the
// libraries that decode, edit and encode, and beside a plain copy of the
// result. It has only tests: each contender's output is compared with ours
// before it is timed. It has no locks.
//
//	go test ./manifest/benchmarks -bench .
//	go test ./manifest/benchmarks -v -table -benchtime 1s
//
// The second prints the comparison in Markdown and fails where a budget of
// ours is not held.
package benchmarks
