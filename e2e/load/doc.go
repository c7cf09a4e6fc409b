// Package load holds the proofs that the edge keeps its manners under load and
// change: one request to the origin for ten thousand viewers, an origin that
// dies, a burst of new keys, reloads, a stop and a hand-over, each over
// HTTP/1.1, HTTP/2 and HTTP/3.
//
// The edge is the program itself, built by TestMain and run as a process of its
// own; the test process is its viewers and its origin, and judges by what both
// saw: answers, Cache-Status and the origin's count of requests. `make test`
// runs the short forms, `make accept` the full ones, which are in
// accept_test.go. docs/acceptance.md says what each of them shows.
package load
