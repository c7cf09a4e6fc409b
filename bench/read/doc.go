// Package read reads HLS playlists, MPDs and steering answers for a judge:
// strictly, line by line and element by element, so that nothing is dropped
// and every mistake has its line, and then a second time with a library that
// others use (grafov/m3u8, zencoder/go-dash), so that a difference between
// the two shows.
//
// It shares nothing with the readers of the product. It knows no HTTP and no
// time: what changes between two versions of a document is the watch's
// business. Input is bounded in size, lines, elements and segments; the
// libraries are called with a recover around them. No locks.
package read
