// Package assets holds the third-party browser files (players, later the
// console's libraries) that are built into the binary.
//
// They come from npm, pinned and checked by package-lock.json; files.txt names
// the ones that are used. Git never holds them: scripts/setup copies them into
// web/ before a build. A binary built without that step works, but for its
// pages, which say what is missing ([Ready]). The package knows nothing of the
// pages. It has no locks.
package assets
