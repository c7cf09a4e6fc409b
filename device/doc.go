// Package device knows what players can do: a table of named profiles, matched
// by an explicit name or by User-Agent. A manifest that delights hls.js can
// stop a television, so what a player cannot do is not sent to it.
//
// It is data and a look-up: no HTTP, no clock, no locks. The shipped profiles
// are in profiles.go; a configuration may replace or add any.
package device
