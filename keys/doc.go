// Package keys loads key material from where a configuration refers to: a
// file or an environment variable, never the configuration itself. It knows
// the notations of keys (raw, hex, base64url, PEM, JWK and JWK sets), keeps
// rings of live keys that can be replaced while they are used, and makes
// random keys for a demo. It does not know what a key is used for.
//
// No error and no printed [Key] shows key material.
//
// Locks: Ring.mu serialises reloads, which read files while they hold it;
// readers take no lock.
package keys
