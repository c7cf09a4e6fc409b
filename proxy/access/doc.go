// Package access decides who a viewer is and what they may have: it verifies
// the token shown at a channel's entry (the result is a [Grant]), makes the
// claims of the session address from it and checks those again at each use
// (the result is a [Viewer]), and narrows what a viewer may have to the scope
// of each CDN's own token ([Policy.CDNScope]).
//
// It takes plain values and gives values or an [Error] that says how to
// answer; it knows no HTTP server, and no key but what its maker hands it. A
// viewer's token goes no further than this package.
//
// It takes no locks: the cache of verified tokens is a table of atomic
// pointers.
package access
