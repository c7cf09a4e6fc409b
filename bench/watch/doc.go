// Package watch follows a presentation as a strict and patient viewer: every
// playlist of every pathway, or the MPD with all its Periods, over many
// reloads, the steering answers, and a share of the media; and reports what a
// clause of a specification, or a promise of the stream's own, does not allow,
// with the lines before and after.
//
// It shares no code with the product it judges. Time is an argument but for
// waiting, which uses timers (and so runs in no time in a bubble of testing/synctest).
// Each playlist has a goroutine, and a few fetch media; the state they share
// is under the watcher's one lock, which is never held while fetching. All of
// it is bounded: followed playlists, remembered segments, kept bytes, findings.
package watch
