// Package result is what a load run found, as values: rounds with their
// histograms, figures over time, the viewers' outcomes and the generator's own
// state; and what can be said of them: figures by name, thresholds, the text
// and JSON forms, and whether one run is slower than another by more than their
// noise.
//
// It makes no requests and reads no clock. No locks.
package result
