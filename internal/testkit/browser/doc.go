// Package browser drives a real Chromium for tests: it opens pages, plays
// streams with current and old hls.js, dash.js and Shaka Player, and reports
// what a viewer would have noticed (stalls, jumps, errors, the end) and what
// the network stack did (each resource and its protocol).
//
// Every wait is for an event (a promise in the page, a message from the page)
// and is bounded; a wait that runs out fails the test with what the page said
// until then. When a test fails, a picture and the console of its pages are
// kept in build/e2e/.
//
// It knows players and the browser. It knows nothing of the edge, of manifests
// or of CDNs: which server sent what is read from the servers' own logs, and a
// player's word about its pathway is reported as just that.
//
// Locks: a [Page] has one mutex over what the page reported; it is never held
// while the browser is called.
package browser
