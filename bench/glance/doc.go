// Package glance reads of a manifest what a player needs to go on playing, in
// one pass and without a copy of the text: the segments of a media playlist,
// the Periods and segments of an MPD. It is for thousands of viewers whose
// manifests all differ by a token; what is wrong in them is bench/read's
// business, and where both can read a document they agree (a test says so).
//
// Input is bounded in segments, elements and depth. What was read is never
// changed, so it may be shared. No locks.
package glance
