// Package benchmarks measures what a whole personalised request costs the
// edge, from socket to socket, beside a bare handler on the same server
// library that writes as many bytes and the same fields. It has only tests.
//
// The servers run in the test's process and the viewers in a second one (the
// test binary, started again), so that the process's own processor time and
// allocations are those of serving. It has no locks.
//
//	go test ./proxy/benchmarks -bench . -run '^$'
//	go test ./proxy/benchmarks -v -table
//
// The second lets the contenders take turns in short rounds, prints the
// medians in Markdown and fails where a budget of ours is not held.
package benchmarks
