// Package exchange is one HTTP request and its answer as a value.
//
// The listeners (HTTP/1.1, HTTP/2, HTTP/3) fill an [Exchange], call one
// [Handler], and write what the handler left in it. The package knows the
// canonical form of a request target, which all protocols share; it knows
// nothing of sockets, servers, channels or manifests.
//
// An Exchange is pooled. Everything reached through it (strings, header
// values, the body) is valid only until the handler returns; who keeps a
// string beyond that clones it. The package has no locks.
package exchange
