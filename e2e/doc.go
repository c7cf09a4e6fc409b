// Package e2e holds the tests that need the whole machine: a real Chromium
// with real players (internal/testkit/browser), FFmpeg, and servers on
// loopback. `make e2e` installs what they need and runs them one at a time,
// without the race detector, because decoding needs the processor.
//
// rig_test.go proves the instrument itself, on plain servers: a stall that is
// there is seen, one that is not is not, and each protocol is told apart.
package e2e
