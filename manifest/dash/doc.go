// Package dash compiles an MPD (ISO/IEC 23009-1) once per origin version into
// an immutable, lossless [Template]: marks over the origin's own bytes, found
// by a span scanner of its own. What it does not know, it does not touch:
// foreign namespaces, comments, CDATA sections, processing instructions, the
// quotes around attributes and the white space between elements come out as
// they went in. A plan's shape is specialised once into a [manifest.Form],
// which is then rendered per request without parsing or allocating.
//
// It knows MPD syntax, XML well-formedness, where in an MPD URLs stand and
// which base URLs apply to them, and what an MPD says of its Periods, streams
// and segments. It does not know HTTP, time, tokens or policy: what URLs should
// become is said by a [manifest.Shape]; what an event means is for ssai.
//
// The way of an MPD: scan.go and tag.go find its tags, tree.go the marks,
// timeline.go the counts; bases.go decides what becomes of base URLs, render.go
// and amend.go collect the edits, write.go carries them out.
//
// Locks: a Template is immutable but for its forms, which [manifest.Forms]
// keeps under its own lock, and three things each made under a sync.Once: the
// slotless form for compression, the list of Periods, and the timeline, which
// asks for that list.
package dash
