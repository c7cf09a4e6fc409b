// Package transcoder drives FFmpeg: a test source or a file in, an aligned
// H.264/AAC ladder out, as VOD or live, in HLS and DASH over one set of CMAF
// segments.
//
// FFmpeg is encoder and fragmenter only. It writes each track as fragments of
// one frame into a pipe of its own; origin/pack reads the pipes, cuts the
// segments and writes the manifests, into any pack.Sink: a content server in
// this process, a folder, or another host ([Push]). So FFmpeg needs no
// network (where the system allows it has none), no file is ever half
// written, and a player never sees what FFmpeg's own muxers would list.
//
// The package supervises: progress is read into [Status], stderr is kept in
// bounds, a live FFmpeg that dies or stands still is started again (a
// discontinuity, a new Period), a stop is asked for before it is forced, and
// no FFmpeg outlives this program.
//
// It knows nothing of HTTP servers, channels or viewers. Locks: a Transcoder
// has one mutex over its Status, held for copying only; pack.Packager's is
// never taken under it.
package transcoder
