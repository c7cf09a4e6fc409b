// Package e2e holds the tests that need the whole machine: a real Chromium
// with real players (internal/testkit/browser), FFmpeg, and servers on
// loopback. `make e2e` installs what they need and runs them one at a time,
// without the race detector, because decoding needs the processor.
//
// rig_test.go proves the instrument itself, on plain servers: a stall that is
// there is seen, one that is not is not, and each protocol is told apart.
// edge_test.go and its neighbours are the acceptance of a viewer's session:
// TestEdge starts the demo's stage once, and its subtests play it. Who sent
// what is read from the logs of the demo's CDNs. Pictures of the page, events
// of players that failed, and the encoded programme stay in build/e2e.
package e2e
