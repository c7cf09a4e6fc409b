// Package inspect reads manifests for people: what an HLS playlist or an MPD
// holds, and what is wrong with it, each fault with its place, the clause it
// offends and a cure ([Inspect]). It also holds the shadow verifier ([Shadow]),
// which re-reads a sample of what the edge has sent with other people's
// libraries, off the path.
//
// Structure comes from manifest/hls and manifest/dash, the code that serves
// viewers; grafov/m3u8 and zencoder/go-dash give a second opinion, and where
// they disagree the report says so. The rules of the specifications are tables
// (hls_rules.go, dash_schema.go) and checks beside them; they judge what
// stands in the manifest, never the media it points to.
//
// It knows no configuration, no channels and no viewers. It fetches with
// bounds on bytes, time and redirects ([Fetcher]) and reads no clock of its
// own.
//
// It has no locks: Shadow hands answers to its one worker over a channel.
package inspect
