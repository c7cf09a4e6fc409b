// Package proxy is the order of the stages: what happens to a viewer's request
// from the route to the rendered manifest. Read serve.go first: it is that
// line as code.
//
// It knows the stages and how they fit; the work of each is in the package
// that the stage is named for (proxy/route, proxy/access, origin, manifest/hls
// and manifest/dash, steering). It knows no HTTP server: listeners hand it an
// exchange.Exchange.
//
// Everything that a reload may change is one immutable Snapshot behind one
// atomic pointer, loaded once per request. Locks: Conditions.mu guards drains
// and health and is never held while another lock is taken; siblings.mu, which
// is taken while the shield compiles, and when somebody asks why, is held while
// a manifest.Presentation takes its own.
package proxy
