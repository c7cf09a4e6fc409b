// Package manifold holds the one file at the root of the repository that is
// part of the program: the configuration in which every key has its default.
package manifold

import _ "embed"

// Defaults is manifold.yml.
//
//go:embed manifold.yml
var Defaults string
