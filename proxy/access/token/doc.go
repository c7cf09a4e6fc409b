// Package token writes and verifies the access tokens of CDNs: one file a
// format, each with its minter and the verifier that a CDN would run.
//
// It knows the formats, where a token stands in a URL and what survives there,
// and how to round an expiry so that one token serves many viewers. It does
// not know who may have a token, nor how far (proxy/access attenuates a
// viewer's grant to a [Scope]), nor where keys come from.
//
// It takes no locks: a Minter's cache is a table of atomic pointers.
package token
