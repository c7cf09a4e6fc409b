// Package store keeps an origin's objects: named byte strings that appear
// whole or not at all.
//
// [Directory] keeps them as files below one folder, [Memory] in a bounded
// map (the live window), and [Tree] sends each name to one of the two by its
// prefix. The package knows names, sizes, times and entity tags; it knows
// nothing of HTTP, content types or manifests.
//
// A name is a relative, slash-separated path ("live/news/v360/7.m4s"). No
// name leads out of the folder, also not by a symbolic link ([os.Root]).
//
// Locks: Memory has one read-write mutex, held only for map operations,
// never while bytes are read, hashed or written. Directory has one mutex, held
// while a finished file is renamed or a name removed. Neither takes another.
package store
