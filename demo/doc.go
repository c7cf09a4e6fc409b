// Package demo is Manifold's stage: an origin with a transcoder behind it,
// three CDNs that each demand their own token, a page that shows who feeds the
// picture, and a tour that drains and fails them by itself.
//
// A fake stands in only for what cannot be had on one machine: each CDN is a
// real caching proxy with real sockets (HTTP/1.1, HTTP/2, HTTP/3) and verifies
// the format of the CDN it is named for. The edge is not started here: the
// wiring starts it from the manifold.yml that this package writes.
//
// Locks: each CDN has one mutex for its fault and its log, under which nothing
// is called, and before it one that is held over a change of the fault.
package demo
