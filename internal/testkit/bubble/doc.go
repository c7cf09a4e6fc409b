// Package bubble runs tests in a bubble of testing/synctest, on one processor
// where the race detector watches.
//
// The race detector keeps one context for all timers of a bubble, and no lock
// around it: a goroutine that looks at an expired timer's channel fires the
// timer itself, at the moment when the bubble's own loop fires another, and
// the two corrupt the context (Go 1.26: a SIGSEGV in the detector's stack
// depot, now and then). On one processor timers fire one after another. What
// the detector finds does not depend on the number of processors: it compares
// the order of events, not their times.
package bubble
