// Package pack is the packager: fragmented MP4 tracks in, one set of CMAF
// segments out, with an HLS and a DASH manifest over the same segments.
//
// An encoder gives each track as one stream of fragments of any length
// ([Run.Feed]). The packager cuts all tracks at the same grid (segment i of
// every track holds what begins in its i-th interval of time), rewrites each
// segment as one fragment, and lists it once every track has it, so that the
// renditions of a presentation never disagree about the live edge. The
// numbers of HLS (EXT-X-MEDIA-SEQUENCE) and DASH ($Number$) are the same, and
// no name is ever used for other bytes.
//
// What holds of every manifest it writes: EXTINF are the real durations of
// the samples, rounded so that they add up; EXT-X-TARGETDURATION follows from
// the configuration; every encoder start is a [Run]: a discontinuity in HLS
// with its own EXT-X-MAP, a Period in DASH, at its own wall-clock time, with a
// gap where there was one. A live presentation's numbers begin at the time of
// day, so that they also rise over restarts of the program, and DASH counts
// from 1970-01-01 (availabilityStartTime), each Period at its date.
// EXT-X-DISCONTINUITY-SEQUENCE is kept small on purpose: players keep arrays
// by it (hls.js stands still for seconds at 100,000,000). It goes on where an
// earlier packager ended where the Sink can be read, see [Getter].
//
// It knows nothing of encoders, HTTP or files: bytes come from readers and go
// to a [Sink]. Subtitles are made from a [CueSource]: WebVTT segments for HLS,
// the same cues as wvtt fragments for DASH.
//
// Locks: a Packager has one mutex, held while a segment is listed and the
// manifests are put (the Sink is called under it); the segments themselves
// are cut and put outside of it. It takes no other lock.
package pack
