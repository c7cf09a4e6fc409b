// Package manifest holds the nouns that HLS and DASH share: what a compiled
// manifest is asked to become (Plan, Shape, Pathway), the specialised form
// that is rendered per request (Form), its compressed twin, and the light
// index that other parts decide by.
//
// It knows no manifest syntax (manifest/hls and manifest/dash do), no HTTP,
// no clock and no configuration.
//
// Locks: a [Forms] cache has one mutex, taken only when a form is added; a
// Form makes its gzip twin under a sync.Once. Neither calls out while held.
//
// The gzip twin is made in four steps: symbols.go (what is compressed),
// match.go and deflate.go (LZ77), stored.go (slots' first values), huffman.go
// and block.go (coding); twin.go puts them together and verifies.
package manifest
