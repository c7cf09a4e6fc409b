// Package hls compiles an HLS playlist (RFC 8216 and
// draft-pantos-hls-rfc8216bis) once into a Template: marks over the origin's
// own bytes, which are rendered for any number of viewers without parsing
// again.
//
// It knows the syntax of playlists: lines, attribute lists, which tags carry
// URIs, variables (EXT-X-DEFINE), variants, rendition groups, segments and
// where cues stand. It does not know what a cue means (ssai decodes it), who
// is asking, or which pathway is the better one: that is in the
// manifest.Shape. It never reads a clock, a socket or a configuration.
//
// Lossless: what the package does not know stays where it is, byte for byte.
// An error is what makes a safe rewriting impossible, what the specification
// says a client must not parse, or a bound exceeded; odd but readable syntax
// passes through.
//
// Where a reference leads decides what becomes of it: below the origin's root
// it becomes a session address (playlists) or a pathway's URL (media); an
// absolute reference to somewhere else passes byte for byte and never gets a
// token; a relative one that leaves the root becomes the absolute URL at the
// origin that it meant, since it would otherwise resolve against the edge.
//
// A Template is immutable but for what is made when first asked for: its forms
// (manifest.Forms, see there), the form of its source and its timeline, each
// of these under a sync.Once. No lock is held while another is taken.
package hls
