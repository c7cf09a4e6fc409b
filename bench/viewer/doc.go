// Package viewer is a model of one HLS or DASH player and of the person in
// front of it: what it asks for and when, what it buffers, which quality it
// takes, how it is steered, what it does when things fail, and when its picture
// stands still. The media is not decoded: it is a number of seconds in a
// buffer.
//
// A Viewer is a value that is told what happened (Start, Answer, Wake) and says
// through its [Port] what it wants, and through Next when it wants to be woken.
// It reads no clock, starts no goroutine and waits for nothing, so that
// thousands fit into one loop, and a day fits into a second of a simulation.
// Randomness comes from the seed of its configuration.
//
// How the profiles behave under steering and failures was observed with the
// players themselves; what was not observed is marked as assumed in
// profile.go. Not modelled: low latency (parts and blocking reloads), pathway
// clones, subtitles, DRM.
//
// A Viewer belongs to one goroutine. [Library] has one lock, and may be used by
// many.
package viewer
