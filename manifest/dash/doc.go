// Package dash compiles an MPD (ISO/IEC 23009-1) once per origin version into
// an immutable, lossless [Template]: marks over the origin's own bytes, found
// by a span scanner of its own. What it does not know, it does not touch:
// foreign namespaces, comments, CDATA sections, processing instructions, the
// quotes around attributes and the white space between elements come out as
// they went in. A plan's shape is specialised once into a [manifest.Form],
// which is then rendered per request without parsing or allocating.
//
// It knows MPD syntax, XML well-formedness, and where in an MPD URLs stand. It
// does not know HTTP, time, tokens or policy: what URLs should become is said
// by a [manifest.Shape].
//
// Locks: a Template is immutable but for its forms, which [manifest.Forms]
// keeps under its own lock, and one slotless form made under a sync.Once.
package dash
